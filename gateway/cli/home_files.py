"""Which files of a gateway home belong into a backup, and which of them are secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.config import CONFIG_FILE, Settings
from gateway.errors import ConfigError
from gateway.keeping.backup import HomeFiles
from gateway.keeping.settings_text import store_url_of, with_store_url, without_password

_FOLDERS = ("keys", "crls")
_CONTAINERS = frozenset({".p12", ".pfx", ".jks"})
_KEY_MARK = b"PRIVATE KEY"


def home_files(settings: Settings) -> HomeFiles:
    """Return the files of a home as they stand; a database password is left out of them.

    Files that the settings name outside the home go under ``outside/``.

    Raises:
        ConfigError: one of them cannot be read.
    """
    found = {_name(settings.home, path): _content(path) for path in _paths(settings)}
    private = {path for path, content in found.items() if _is_private(path, content)}
    private |= {_name(settings.home, path) for path in _named_keys(settings)}
    text = found[CONFIG_FILE].decode("utf-8")
    url = store_url_of(text)
    if url is not None and without_password(url) != url:
        found[CONFIG_FILE] = with_store_url(text, without_password(url)).encode("utf-8")
    return HomeFiles(
        public={path: content for path, content in found.items() if path not in private},
        private={path: content for path, content in found.items() if path in private},
    )


def _paths(settings: Settings) -> Iterator[Path]:
    yield settings.home / CONFIG_FILE
    for folder in _FOLDERS:
        yield from sorted(path for path in (settings.home / folder).glob("*") if path.is_file())
    yield from _named_keys(settings)
    keys = settings.keys
    for section in (keys.gateway, keys.authority, keys.customs):
        if section is not None and section.certificate is not None:
            yield settings.resolve(section.certificate)
    yield settings.resolve(settings.tls.certificate)
    yield from (settings.resolve(path) for path in settings.code_lists.hs)
    yield from sorted(settings.resolve(settings.formats.folder).glob("*.yaml"))


def _named_keys(settings: Settings) -> Iterator[Path]:
    keys = settings.keys
    for section in (keys.gateway, keys.authority, keys.customs):
        for path in () if section is None else (section.key, section.pkcs12):
            if path is not None:
                yield settings.resolve(path)
    yield settings.resolve(settings.tls.key)
    oidc = settings.console.oidc
    own_secrets = (settings.webhooks.key, settings.console.secret)
    for own in own_secrets if oidc is None else (*own_secrets, oidc.client_secret):
        path = settings.resolve(own)  # no PEM: nothing in it says that it is secret
        if path.is_file():
            yield path


def _name(home: Path, path: Path) -> str:
    plain = path.resolve()
    if plain.is_relative_to(home):
        return plain.relative_to(home).as_posix()
    return f"outside{plain.as_posix()}"


def _is_private(path: str, content: bytes) -> bool:
    return _KEY_MARK in content or Path(path).suffix.lower() in _CONTAINERS


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc
