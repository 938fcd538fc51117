"""What every address does alike: ids, limits, media types, headers, conditional requests."""

from __future__ import annotations

import json
import re

import pytest
import structlog
from openapi_spec_validator import validate

from gateway.documents.codelists import load_code_list
from gateway.services import reference
from gateway.store import Side, certificates
from gateway.web.api import ROUTES, ApiSettings, create_api_app, describe
from gateway.web.pressure import Pressure
from tests.api.counter import AUTHORITY, CUSTOMS, WINDOW
from tests.factories import certificate

SERIAL = "ZM-20260309-000123"
ADDRESS = f"/certificates/ZM/{SERIAL}"


def test_a_correlation_id_comes_back_and_stands_in_every_log_line(border):
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = border.zm.submit(certificate(), headers={"X-Correlation-ID": "asycuda-77.1"})
    assert answer.headers["X-Correlation-ID"] == "asycuda-77.1"
    assert lines
    assert {line["correlation_id"] for line in lines} == {"asycuda-77.1"}
    assert SERIAL not in repr(lines)


def test_without_a_correlation_id_one_is_given_and_problems_name_it(border):
    answer = border.zm.get("/certificates/ZM/none")
    assert answer.json["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Correlation-ID"])


@pytest.mark.parametrize("stated", ["a b", "x" * 65, "a;b", "-a", ""])
def test_a_correlation_id_that_could_not_stand_in_a_log_is_refused(border, stated):
    answer = border.zm.get("/me", headers={"X-Correlation-ID": stated})
    assert answer.status_code == 400
    assert "X-Correlation-ID" not in answer.headers


def test_a_key_that_asks_too_fast_is_told_when_to_go_on_and_others_are_not(border):
    narrow = Pressure(at_once=4, at_once_per_peer=4, per_minute=6, burst=2)
    border.zm.app = create_api_app(border.zm.counter, ApiSettings(pressure=narrow))
    border.zm.client = border.zm.app.test_client()
    answers = [border.zm.get("/me", CUSTOMS) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].json["code"] == "SLOW_DOWN"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 10
    assert border.zm.get("/me", AUTHORITY).status_code == 200


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"{}", "text/plain", "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/x-www-form-urlencoded", "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/json; charset=latin-1", "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", None, "UNSUPPORTED_MEDIA_TYPE"),
        (b"", "application/json", "BAD_REQUEST"),
        (b"x" * 12_000_001, "application/json", "TOO_LARGE"),
        (b"{", "application/json", "INVALID_DOCUMENT"),
        (b"[" * 100_000, "application/json", "INVALID_DOCUMENT"),
        (b'{"a":"\xff"}', "application/json", "INVALID_DOCUMENT"),
        (b"<a/>", "application/xml", "INVALID_DOCUMENT"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/xml", "INVALID_DOCUMENT"),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_in_words(border, body, media, code):
    answer = border.zm.post("/certificates", body, content_type=media)
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert 400 <= answer.status_code < 500


def test_a_compressed_body_is_not_opened(border):
    answer = border.zm.post("/certificates", b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=ten",
        "limit=1&limit=2",
        "unknown=1",
        "state=SOLD",
        "issuing_country=Zambia",
        "issued_from=yesterday",
        "issued_from=1066-10-14",
        "serial=%00",
        "serial=%ED%A0%80%0A",
        "exporter=%20",
        "hs=5",
        "cursor=abc",
        "cursor=WyJhIl0",
        "cursor=" + "A" * 2001,
    ],
)
def test_a_parameter_that_does_not_fit_is_named(border, query):
    answer = border.zm.get(f"/certificates?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "BAD_REQUEST"), answer.json
    if "cursor" not in query and "&" not in query and "%20" not in query:
        assert {each["path"] for each in answer.json["findings"]} == {query.split("=")[0]}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/certificates/", 404),
        ("GET", "//certificates", 404),
        ("DELETE", "/certificates", 405),
        ("OPTIONS", "/me", 405),
        ("POST", "/me", 405),
        ("GET", "/certificates/zm/1", 400),
        ("GET", "/certificates/ZM/%00", 400),
        ("GET", "/certificates/ZM/..%2f..%2fetc", 404),
        ("GET", "/messages/%E2%82%AC", 400),
    ],
)
def test_an_address_that_is_none_is_answered_with_a_problem(border, method, path, status):
    answer = border.zm.ask(method, path, WINDOW)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert ("Allow" in answer.headers) is (status == 405)


def test_a_serial_number_may_hold_a_slash(border):
    border.zm.submit(certificate())
    with border.zm.desk.store.begin() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
        certificates.change(
            conn, row, at=border.corridor.clock(), serial_number="487/18", serial_key="487/18"
        )
    answer = border.zm.get("/certificates/ZM/487%2F18")
    assert answer.json["serial_number"] == "487/18"
    link = answer.json["links"]["timeline"]
    assert "487%2F18" in link
    assert border.zm.get(link.removeprefix("/api/v1")).status_code == 200


def test_an_unchanged_certificate_is_not_sent_again(border):
    border.zm.submit(certificate())
    first = border.zm.get(ADDRESS)
    known = {"headers": {"If-None-Match": first.headers["ETag"]}}
    again = border.zm.get(ADDRESS, **known)
    assert (again.status_code, again.data) == (304, b"")
    border.deliver()
    changed = border.zm.get(ADDRESS + "/timeline", **known)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_the_day_of_issue_guards_against_a_serial_number_read_wrongly(traded):
    assert traded.zm.get(f"{ADDRESS}?issued_on=2026-03-09").status_code == 200
    assert traded.zm.get(f"{ADDRESS}?issued_on=2026-03-10").status_code == 404


def test_every_answer_is_hardened(traded):
    for path in ("/me", "/nothing", "/docs", "/openapi.json"):
        headers = traded.zm.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "max-age=31536000" in headers["Strict-Transport-Security"]
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Server" not in headers


def test_an_error_of_a_library_is_told_without_particulars(border, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("the trader's secret")

    monkeypatch.setattr("gateway.services.reference.known_peers", broken)
    answer = border.zm.get("/peers")
    assert (answer.status_code, answer.json["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text


# --- the description ----------------------------------------------------------------------------


def test_the_description_is_valid_and_names_every_address_of_the_app(traded):
    described = describe(ROUTES)
    validate(described)
    assert traded.zm.get("/openapi.json", "").json == described
    listed = {
        (method.upper(), path) for path, methods in described["paths"].items() for method in methods
    }
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in traded.zm.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD"}
        if rule.endpoint not in ("docs", "openapi", "live", "soap", "wsdl")
    }
    assert listed == served
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


def test_the_page_shows_every_operation_and_fetches_nothing_from_elsewhere(traded):
    answer = traded.zm.get("/docs", "")
    assert answer.content_type.startswith("text/html")
    for route in ROUTES:
        assert f'id="{route.name}"' in answer.text
    assert not re.findall(r"(?:src|href)=.?(?:https?:)?//", answer.text)
    assert "<script" not in answer.text
    anchors = set(re.findall(r'href="#([^"]+)"', answer.text))
    assert anchors <= set(re.findall(r'id="([^"]+)"', answer.text))


def test_the_description_can_be_kept_from_strangers(border):
    closed = make_closed(border)
    assert closed.get("/api/v1/docs").status_code == 404
    assert closed.get("/api/v1/openapi.json").status_code == 404


def make_closed(border):
    return create_api_app(border.zm.counter, ApiSettings(show_page=False)).test_client()


# --- reference ------------------------------------------------------------------------------------


def test_code_lists_have_names_in_three_languages_and_validity(traded):
    lists = traded.zm.get("/code-lists").json["code_lists"]
    for each in lists:
        got = traded.zm.get(f"/code-lists/{each['id']}").json
        assert len(got["codes"]) == each["values"]
        assert all(set(code["names"]) == {"en", "fr", "ar"} for code in got["codes"])
    countries = traded.zm.get("/code-lists/countries").json["codes"]
    zambia = next(each for each in countries if each["code"] == "ZM")
    assert zambia["names"]["fr"] == "Zambie"
    assert traded.zm.get("/code-lists/unknown").status_code == 404


def test_values_of_a_code_list_can_be_asked_for_as_of_a_day(traded, monkeypatch, tmp_path):
    file = tmp_path / "posts.csv"
    file.write_text(
        "# id: posts\n# title: Posts\n# edition: 1\n# agency: us\n# source: us\n"
        "# unknown: ERROR\ncode,name_en,valid_from,valid_to\n"
        "OLD,Old post,,2020-12-31\nNEW,New post,2021-01-01,\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(reference, "code_list_ids", lambda: ("posts",))
    monkeypatch.setattr(reference, "code_list", lambda _id: load_code_list(file))
    for query, expected in (
        ("", ["OLD", "NEW"]),
        ("?on=2020-12-31", ["OLD"]),
        ("?on=2021-01-01", ["NEW"]),
    ):
        got = traded.zm.get(f"/code-lists/posts{query}").json["codes"]
        assert [each["code"] for each in got] == expected
    assert got[0]["valid_from"] == "2021-01-01"


def test_agreements_peers_and_the_caller_are_described(traded):
    agreement = traded.zm.get("/agreements/COMESA").json
    assert {"ZM", "KE"} <= {each["country"] for each in agreement["members"]}
    assert traded.zm.get("/agreements/NAFTA").status_code == 404
    (peer,) = traded.zm.get("/peers").json["peers"]
    assert peer["identifier"] == "KE-SW"
    assert "CertificateOfOrigin" in peer["document_types"]
    assert "pem" not in json.dumps(peer)
    me = traded.zm.get("/me", AUTHORITY).json
    assert (me["organisation"], me["authority_code"]) == ("ZM-ISSUING_AUTHORITY", "ZM-ZRA")
