"""Whom the commands of ``eco api`` ask, and with which key: options, environment, a small file.

A key never stands on the command line, where every user of the host could read it.
"""

from __future__ import annotations

import functools
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.cli.main import Invocation, without_home
from gateway.cli.output import (
    MARKS,
    ExitStatus,
    Output,
    as_json_text,
    exit_status_of_kind,
    stop,
)
from gateway.client import ClientCredentials, Credential, Gateway, Problem
from gateway.client.api.shared import FindingView
from gateway.client.credentials import ApiKey
from gateway.documents import Language
from gateway.errors import AccessError, ConfigError, error_for_code

KEY_VARIABLE: Final = "ECO_API_KEY"
_FILE = click.Path(dir_okay=False, path_type=Path)
_BUSY_STATUSES: Final = frozenset({429, 503})
Command = TypeVar("Command", bound=Callable[..., Any])


class OAuthLogin(BaseModel):
    """Is how tokens of an identity provider are fetched."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None
    ca_file: Path | None = None


class Address(BaseModel):
    """Is what the file of ``eco api`` may say; paths start at the file.

    Attributes:
        key: an API key; or ``oauth`` instead.
        ca_file: anchors that the gateway's server must chain to.
        client_certificate, client_key: shown to a server that asks who calls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str | None = None
    key: str | None = None
    oauth: OAuthLogin | None = None
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = None


def asking(command: Command) -> Command:
    """Give a command an ``Invocation`` and the gateway it asks, and the options that say which."""

    @click.option(
        "--url",
        envvar="ECO_API_URL",
        show_envvar=True,
        help="Address of the gateway, as https://eco.example:8445.",
    )
    @click.option(
        "--ca-file",
        type=_FILE,
        envvar="ECO_API_CA_FILE",
        show_envvar=True,
        help="Anchors (PEM) of its server; those of this host unless given.",
    )
    @click.option(
        "--config",
        type=_FILE,
        envvar="ECO_API_CONFIG",
        show_envvar=True,
        help="File with address and key; ~/.config/eco/api.toml unless given.",
    )
    @without_home
    @functools.wraps(command)
    def wrapped(
        call: Invocation,
        *args: Any,
        url: str | None,
        ca_file: Path | None,
        config: Path | None,
        **kwargs: Any,
    ) -> None:
        known = address_in(config)
        with _gateway(known, url=url, ca_file=ca_file, language=call.output.language) as gateway:
            try:
                command(call, gateway, *args, **kwargs)
            except Problem as problem:
                stop(told(call.output, problem))

    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the call's shape


def address_in(file: Path | None) -> Address:
    """Return what the file says; nothing where none is named and the usual one is not there.

    Raises:
        ConfigError: it cannot be read, is wrong, or others may read it.
    """
    path = file or usual_file()
    if file is None and not path.exists():
        return Address()
    try:
        found = path.stat()
        raw = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"{path} holds a key and others may read it: chmod 600 {path}")
    try:
        said = Address.model_validate(tomllib.loads(raw.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} is no TOML in UTF-8") from exc
    except ValidationError as exc:
        wrong = exc.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise ConfigError(f"{path}, {place}: {wrong['msg']}") from exc
    return _resolved(said, path.parent)


def usual_file() -> Path:
    """Return where the file lies unless another is named."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "eco" / "api.toml"


def told(output: Output, problem: Problem) -> ExitStatus:
    """Print what the gateway says, and return the exit status for it."""
    answer = problem.answer
    if output.as_json:
        click.echo(as_json_text(answer.model_dump(mode="json", exclude_none=True)), err=True)
    else:
        click.echo(f"error [{answer.code}]: {answer.detail}", err=True)
        for line in finding_lines(answer.findings):
            click.echo(line, err=True)
        click.echo(f"what to do: {answer.remedy}", err=True)
        click.echo(f"in the gateway's log: {answer.correlation_id}", err=True)
    return exit_status_of_problem(problem)


def exit_status_of_problem(problem: Problem) -> ExitStatus:
    """Return the exit status that a command ends with after a problem."""
    if problem.http_status in _BUSY_STATUSES:
        return ExitStatus.BUSY
    kind = error_for_code(problem.code)
    if kind is None:
        return ExitStatus.REFUSED if problem.http_status < 500 else ExitStatus.FAILED
    return ExitStatus.CONFIGURATION if issubclass(kind, AccessError) else exit_status_of_kind(kind)


def finding_lines(findings: Iterable[FindingView]) -> Iterator[str]:
    """Yield two lines for each finding: what is wrong and where, then how to mend it."""
    for each in findings:
        place = f" {each.path}" if each.path else ""
        box = f" (box {each.box})" if each.box else ""
        article = f" [Art. {each.article}]" if each.article else ""
        mark = MARKS.get(each.severity, "?")
        yield f"  {mark} {each.rule}{place}{box}: {each.message}{article}"
        yield f"      → {each.remedy}"


def _gateway(known: Address, *, url: str | None, ca_file: Path | None, language: str) -> Gateway:
    address = url or known.url
    if address is None:
        raise ConfigError(f"no gateway is named: --url, ECO_API_URL, or `url` in {usual_file()}")
    return Gateway(
        address,
        _credential(known),
        ca_file=ca_file or known.ca_file,
        client_certificate=known.client_certificate,
        client_key=known.client_key,
        proxy=known.proxy,
        language=Language(language),
    )


def _credential(known: Address) -> Credential:
    if key := os.environ.get(KEY_VARIABLE) or known.key:
        return ApiKey(key.strip())
    if known.oauth is not None:
        login = known.oauth
        return ClientCredentials(
            login.token_url,
            login.client_id,
            login.client_secret,
            scope=login.scope,
            ca_file=login.ca_file,
        )
    raise ConfigError(f"no key is given: {KEY_VARIABLE}, or `key` in {usual_file()}")


def _resolved(said: Address, folder: Path) -> Address:
    def placed(path: Path | None) -> Path | None:
        return None if path is None else folder / path.expanduser()

    oauth = said.oauth
    return said.model_copy(
        update={
            "ca_file": placed(said.ca_file),
            "client_certificate": placed(said.client_certificate),
            "client_key": placed(said.client_key),
            "oauth": oauth and oauth.model_copy(update={"ca_file": placed(oauth.ca_file)}),
        }
    )
