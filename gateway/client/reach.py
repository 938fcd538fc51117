"""Where a gateway is, and the connections that reach it: every option of TLS is written out."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3

from gateway.errors import ConfigError

BASE: Final = "/api/v1"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def base_address(stated: str) -> str:
    """Return an address without what every request adds.

    Raises:
        ConfigError: it is no address, or a key would travel over it in the clear.
    """
    parts = urlsplit(stated.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
        raise ConfigError("the address of the gateway is https://host or https://host:port")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigError("over http a key would travel in the clear: the address is https://…")
    if parts.path.rstrip("/") not in ("", BASE) or parts.query or parts.fragment:
        raise ConfigError(f"nothing but {BASE} follows the host in the address of the gateway")
    return f"{parts.scheme}://{parts.netloc}"


def make_pool(
    *,
    ca_file: Path | None,
    client_certificate: Path | None,
    client_key: Path | None,
    proxy: str | None,
) -> urllib3.PoolManager:
    """Return the connections, which believe ``ca_file`` alone or else the host's authorities.

    Raises:
        ConfigError: a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is not None:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a leaf may be the anchor
        if client_certificate is not None:
            context.load_cert_chain(client_certificate, client_key, password=lambda: "")
    except OSError as exc:  # ssl.SSLError is one
        named = ", ".join(str(each) for each in (ca_file, client_certificate, client_key) if each)
        raise ConfigError(f"no TLS can be set up with {named}: {exc.strerror or exc}") from exc
    if proxy is not None:
        return urllib3.ProxyManager(proxy, ssl_context=context, proxy_ssl_context=context)
    return urllib3.PoolManager(ssl_context=context)
