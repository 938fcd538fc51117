"""Making a gateway home: directory, settings file, keys or certificate requests, database.

Layout (also in certs/README.md)::

    gateway.toml            settings
    keys/<name>.key.pem     private keys, mode 0600: gateway, authority, customs, tls
    keys/<name>.cert.pem    signing certificate first, then its issuers
    keys/<name>.csr.pem     request to send to the CA, until the certificate is there
    gateway.db              the books, unless PostgreSQL keeps them
    run/                    what the listener writes for itself
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.config import CONFIG_FILE
from gateway.errors import ConfigError, ConflictError
from gateway.trust import KeyKind, generate_key, make_csr, write_private


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
    delivery: str = ""


def make_home(directory: Path, plan: HomePlan) -> Path:
    """Make the directory and settings file of a new home; return the settings file.

    Raises:
        ConflictError: there is a home already.
    """
    file = directory / CONFIG_FILE
    if file.exists():
        raise ConflictError(f"{directory} is a gateway home already")
    for folder in ("keys", "run"):
        (directory / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(settings_text(plan), encoding="utf-8")
    return file


def request_certificates(directory: Path, plan: HomePlan) -> list[Path]:
    """Make a key and a certificate request for each credential; return the requests."""
    requests = []
    for name in plan.names:
        key = generate_key(KeyKind.EC_P256 if name is KeyName.TLS else KeyKind.RSA_3072)
        write_private(directory / "keys" / f"{name}.key.pem", key)
        request = directory / "keys" / f"{name}.csr.pem"
        request.write_bytes(
            make_csr(
                key,
                common_name=f"{plan.name} {name}" if name is not KeyName.TLS else _host(plan),
                country=plan.country,
                host=_host(plan) if name is KeyName.TLS else None,
            )
        )
        requests.append(request)
    return requests


def place_credential(directory: Path, name: KeyName, *, key: Path, certificate: Path) -> None:
    """Copy a credential made elsewhere into the home, the key readable by its owner only."""
    try:
        target = directory / "keys" / f"{name}.key.pem"
        shutil.copyfile(key, target)
        target.chmod(0o600)
        shutil.copyfile(certificate, directory / "keys" / f"{name}.cert.pem")
    except OSError as exc:
        raise ConfigError(f"the credential {name} cannot be copied: {exc}") from exc


def settings_text(plan: HomePlan) -> str:
    """Return the settings file for ``plan``, commented for its reader."""
    keys = "\n".join(
        f'[keys.{name}]\nkey = "keys/{name}.key.pem"\ncertificate = "keys/{name}.cert.pem"\n'
        for name in plan.names
        if name is not KeyName.TLS
    )
    agreements = ", ".join(f'"{name}"' for name in plan.agreements)
    return f"""# Settings of one eCO gateway; every key is described in docs/settings.md.

[gateway]
identifier = "{plan.identifier}"
name = "{_escaped(plan.name)}"
country = "{plan.country}"
test = {str(plan.test).lower()}  # test gateways exchange with test gateways only
agreements = [{agreements}]

[store]
url = "{plan.store_url}"  # or postgresql://user@host/name; ECO_STORE_URL overrides

{keys}
[tls]
key = "keys/tls.key.pem"
certificate = "keys/tls.cert.pem"

[listen]
host = "{plan.host}"
port = {plan.port}
public_url = "{plan.public_url}"
{plan.delivery}"""


def _host(plan: HomePlan) -> str:
    return plan.public_url.split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
