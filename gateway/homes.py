"""Making a gateway home: directory, settings file, keys or certificate requests.

Layout (also in certs/README.md)::

    gateway.toml            settings
    keys/<name>.key.pem     private keys, mode 0600: gateway, authority, customs, tls
    keys/<name>.cert.pem    signing certificate first, then its issuers
    keys/<name>.csr.pem     request to send to the CA, until the certificate is there
    crls/*.pem              revocation lists of our own CAs; they stand on the peer card
    gateway.db              the books, unless PostgreSQL keeps them
    run/                    what the listener writes for itself
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.config import CONFIG_FILE, settings_from
from gateway.config_api import FormatsSection
from gateway.errors import ConfigError, ConflictError
from gateway.trust import KeyKind, generate_key, make_csr, write_private

CRL_FOLDER = "crls"
_PRIVATE_FOLDERS = ("keys", "run")


class KeyName(StrEnum):
    """Names the credentials of a home."""

    GATEWAY = "gateway"
    AUTHORITY = "authority"
    CUSTOMS = "customs"
    TLS = "tls"


@dataclass(frozen=True, kw_only=True)
class HomePlan:
    """Says what kind of home to make.

    Attributes:
        names: credentials to provide; ``gateway`` and ``tls`` always.
        public_url: address under which peers reach the listener, as ``https://host:8443``.
        authority_code: code of the authority whose keys the home holds, as ``ZM-ZRA``.
        sections: text of further sections, for the demonstration and the benchmarks.
    """

    identifier: str
    name: str
    country: str
    public_url: str
    host: str = "127.0.0.1"
    port: int = 8443
    test: bool = False
    agreements: Sequence[str] = ("COMESA",)
    names: Sequence[KeyName] = tuple(KeyName)
    store_url: str = "sqlite:///gateway.db"
    authority_code: str | None = None
    sections: str = ""


def furnish_home(directory: Path, plan: HomePlan, furnish: Callable[[Path], object]) -> None:
    """Make a whole home in ``directory``, or nothing.

    Args:
        furnish: called with a home under construction, to put keys and database into it.

    Raises:
        ConflictError: the directory is a home already, or holds anything else.
        ConfigError: the plan makes no valid settings, or the directory cannot be written.
    """
    if (directory / CONFIG_FILE).exists():
        raise ConflictError(f"{directory} is a gateway home already")
    if directory.is_dir() and any(directory.iterdir()):
        raise ConflictError(f"{directory} is not empty; name a new directory")
    settings_from(settings_text(plan), directory, source="the new home")
    with _construction_site(directory) as site:
        make_home(site, plan)
        furnish(site)
        for path in site.iterdir():
            path.rename(directory / path.name)


def make_home(directory: Path, plan: HomePlan) -> Path:
    """Make the directory and settings file of a new home; return the settings file.

    Raises:
        ConflictError: there is a home already.
    """
    file = directory / CONFIG_FILE
    if file.exists():
        raise ConflictError(f"{directory} is a gateway home already")
    for folder in _PRIVATE_FOLDERS:
        (directory / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    (directory / CRL_FOLDER).mkdir(exist_ok=True)
    (directory / FormatsSection().folder).mkdir(exist_ok=True)
    file.write_text(settings_text(plan), encoding="utf-8")
    return file


def request_certificates(directory: Path, plan: HomePlan) -> list[Path]:
    """Make a key and a certificate request for each credential; return the requests.

    Raises:
        ConfigError: a name in the plan cannot stand in a request.
        ConflictError: a key is there already; it is never replaced.
    """
    requests = []
    for name in plan.names:
        key_file = directory / "keys" / f"{name}.key.pem"
        if key_file.exists():
            raise ConflictError(f"{key_file} is there already")
        key = generate_key(KeyKind.EC_P256 if name is KeyName.TLS else KeyKind.RSA_3072)
        write_private(key_file, key)
        request = directory / "keys" / f"{name}.csr.pem"
        request.write_bytes(
            make_csr(
                key,
                common_name=f"{plan.identifier} {name}" if name is not KeyName.TLS else _host(plan),
                organisation=plan.name[:64],  # more X.509 does not take
                country=plan.country,
                host=_host(plan) if name is KeyName.TLS else None,
            )
        )
        requests.append(request)
    return requests


def place_credential(directory: Path, name: KeyName, *, key: Path, certificate: Path) -> None:
    """Copy a credential made elsewhere into the home, the key readable by its owner only.

    Raises:
        ConfigError: a file cannot be read or written.
    """
    target = directory / "keys" / f"{name}.key.pem"
    try:
        content = key.read_bytes()
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        shutil.copyfile(certificate, directory / "keys" / f"{name}.cert.pem")
    except OSError as exc:
        raise ConfigError(f"the credential {name}: {exc.filename}: {exc.strerror}") from exc


def place_revocation_list(directory: Path, crl: Path) -> None:
    """Copy a revocation list of our own CA into the home, so that it stands on the peer card."""
    shutil.copyfile(crl, directory / CRL_FOLDER / crl.name)


def revocation_lists(home: Path) -> list[Path]:
    """Return the files of our own CAs' revocation lists, by name."""
    return sorted((home / CRL_FOLDER).glob("*.pem"))


def _authority_line(plan: HomePlan, name: KeyName) -> str:
    if plan.authority_code is None or name is KeyName.GATEWAY:
        return ""
    return f"authority_code = {_quoted(plan.authority_code)}\n"


def settings_text(plan: HomePlan) -> str:
    """Return the settings file for ``plan``, commented for its reader."""
    keys = "\n".join(
        f'[keys.{name}]\nkey = "keys/{name}.key.pem"\ncertificate = "keys/{name}.cert.pem"\n'
        + _authority_line(plan, name)
        for name in plan.names
        if name is not KeyName.TLS
    )
    agreements = ", ".join(_quoted(name) for name in plan.agreements)
    return f"""# Settings of one eCO gateway; every key is described in docs/settings.md.

[gateway]
identifier = {_quoted(plan.identifier)}
name = {_quoted(plan.name)}
country = {_quoted(plan.country)}
test = {str(plan.test).lower()}  # test gateways exchange with test gateways only
agreements = [{agreements}]

[store]
url = {_quoted(plan.store_url)}  # or postgresql://user@host/name; ECO_STORE_URL overrides

{keys}
[tls]
key = "keys/tls.key.pem"
certificate = "keys/tls.cert.pem"

[listen]
host = {_quoted(plan.host)}
port = {plan.port}
public_url = {_quoted(plan.public_url)}
{plan.sections}"""


@contextmanager
def _construction_site(directory: Path) -> Iterator[Path]:
    """Give a folder inside ``directory`` to build in; nothing is left behind on failure."""
    made = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        site = Path(tempfile.mkdtemp(prefix=".making-", dir=directory))
    except OSError as exc:
        raise ConfigError(f"{directory} cannot be written: {exc.strerror}") from exc
    try:
        yield site
        site.rmdir()
    except ConfigError as exc:
        raise ConfigError(exc.detail.replace(f"/{site.name}", "")) from exc
    finally:
        if site.exists():
            shutil.rmtree(directory if made else site, ignore_errors=True)


def _host(plan: HomePlan) -> str:
    host = plan.public_url.split("://", 1)[-1].split("/", 1)[0]
    return host[1:].split("]", 1)[0] if host.startswith("[") else host.split(":", 1)[0]


def _quoted(text: str) -> str:
    """Return ``text`` as a TOML basic string, which escapes as JSON does."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
