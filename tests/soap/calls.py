"""Calls as a tool kit would send them, and what came back taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from flask.testing import FlaskClient
from lxml import etree
from werkzeug.test import TestResponse

from gateway.transport.soap_contract import SOAP_NAMESPACES, SoapVersion
from gateway.web.api.soap.contract import NATIONAL_NS, SCHEMA, SOAP_PATH
from gateway.web.api.soap.security import PASSWORD_TEXT, WSSE_NS, WSU_NS

MEDIA = {SoapVersion.SOAP_11: "text/xml", SoapVersion.SOAP_12: "application/soap+xml"}
BOTH = tuple(SoapVersion)
SOAP_11, SOAP_12 = SoapVersion.SOAP_11, SoapVersion.SOAP_12


@dataclass(frozen=True)
class Answer:
    """What came back: the child of the body, and how HTTP put it."""

    status: int
    payload: etree._Element
    response: TestResponse

    def text(self, path: str) -> str | None:
        steps = "/".join(f"{{{NATIONAL_NS}}}{step}" for step in path.split("/"))
        return self.payload.findtext(steps)

    def texts(self, path: str) -> list[str | None]:
        steps = "/".join(f"{{{NATIONAL_NS}}}{step}" for step in path.split("/"))
        return [found.text for found in self.payload.findall(steps)]


@dataclass(frozen=True)
class Refusal:
    """A fault: its code on the level of SOAP, and our detail."""

    status: int
    kind: str
    detail: etree._Element
    response: TestResponse

    def text(self, path: str) -> str | None:
        return Answer(self.status, self.detail, self.response).text(path)

    @property
    def code(self) -> str | None:
        return self.text("Code")


def body(operation: str, inner: str = "") -> str:
    return f'<n:{operation} xmlns:n="{NATIONAL_NS}">{inner}</n:{operation}>'


def fields(**values: str) -> str:
    return "".join(f"<n:{name}>{escape(text)}</n:{name}>" for name, text in values.items())


def username_token(name: str, password: str, *, kind: str = PASSWORD_TEXT, more: str = "") -> str:
    return (
        f'<w:Security xmlns:w="{WSSE_NS}" xmlns:u="{WSU_NS}" s:mustUnderstand="1">{more}'
        f"<w:UsernameToken><w:Username>{name}</w:Username>"
        f'<w:Password Type="{kind}">{password}</w:Password></w:UsernameToken></w:Security>'
    )


def envelope(version: SoapVersion, payload: str, header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACES[version]}">{head}'
        f"<s:Body>{payload}</s:Body></s:Envelope>"
    ).encode()


def post(
    client: FlaskClient,
    raw: bytes,
    token: str | None,
    *,
    version: SoapVersion = SOAP_11,
    headers: dict[str, str] | None = None,
    media_type: str | None = None,
    **environ: object,
) -> TestResponse:
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(
        SOAP_PATH,
        data=raw,
        headers={**shown, **(headers or {})},
        content_type=media_type or MEDIA[version],
        environ_overrides=environ or None,
    )


def call(client, token, operation, inner="", *, version=SOAP_11, header="", **more) -> Answer:
    """Call and return what a success says; its form is checked against the contract."""
    raw = envelope(version, body(operation, inner), header)
    response = post(client, raw, token, version=version, **more)
    assert response.status_code == 200, response.text
    assert response.mimetype == MEDIA[version]
    (payload,) = etree.fromstring(response.data)[-1]
    SCHEMA.require(payload)
    return Answer(200, payload, response)


def refused(client, token, operation, inner="", *, version=SOAP_11, header="", **more) -> Refusal:
    raw = envelope(version, body(operation, inner), header)
    return fault(post(client, raw, token, version=version, **more), version)


def fault(response: TestResponse, version: SoapVersion = SOAP_11) -> Refusal:
    """Return the fault in a response; its detail is checked against the contract."""
    assert response.mimetype == MEDIA[version], response.text
    namespace = SOAP_NAMESPACES[version]
    (found,) = etree.fromstring(response.data)[-1]
    assert found.tag == f"{{{namespace}}}Fault"
    if version is SOAP_11:
        kind, detail = found.findtext("faultcode"), found.find("detail")[0]
    else:
        kind = found.findtext(f"{{{namespace}}}Code/{{{namespace}}}Value")
        detail = found.find(f"{{{namespace}}}Detail")[0]
    SCHEMA.require(detail)
    return Refusal(response.status_code, kind.removeprefix("soap:"), detail, response)
