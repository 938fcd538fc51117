"""The command ``eco`` itself: options shared by all commands, and how errors end a command."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

import gateway
from gateway.cli.output import Output, stop
from gateway.errors import GatewayError

Command = TypeVar("Command", bound=Callable[..., Any])

_COMMANDS = {
    "init": ("gateway.cli.home", "init", "Make a new gateway home: settings, keys, database."),
    "serve": ("gateway.cli.running", "serve", "Serve peers over SOAP and REST with mutual TLS."),
    "work": ("gateway.cli.running", "work", "Deliver queued messages until stopped."),
    "submit": ("gateway.cli.sending", "submit", "Submit certificates of origin for delivery."),
    "respond": ("gateway.cli.sending", "respond", "Record what customs did and tell the issuer."),
    "status": ("gateway.cli.books", "status", "Show one certificate and all that became of it."),
    "messages": ("gateway.cli.books", "messages", "List messages sent and received."),
    "resend": ("gateway.cli.books", "resend", "Queue a failed or held message again."),
    "peer": ("gateway.cli.peers", "peer", "Register, show, suspend and reach peers."),
    "validate": ("gateway.cli.papers", "validate", "Check a document without sending it."),
    "verify": ("gateway.cli.papers", "verify", "Say what is signed, by whom, and if trusted."),
    "render": ("gateway.cli.papers", "render", "Turn a JSON document into message XML."),
    "read": ("gateway.cli.papers", "read", "Turn message XML or a national format into JSON."),
    "pki": ("gateway.cli.home", "pki", "Make demonstration keys and certificates."),
    "demo": ("gateway.cli.show", "demo", "Let two member states exchange real consignments."),
}


@dataclass(frozen=True)
class Invocation:
    """Holds what every command was called with.

    Attributes:
        home: directory of the gateway home.
    """

    home: Path
    output: Output


class LazyGroup(click.Group):
    """Loads a command's module only when it runs, so that ``eco --help`` is instant."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of all commands in the order of a first day's work."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called ``cmd_name``."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(gateway.__version__, prog_name="eco")
def main() -> None:
    """Exchange electronic certificates of origin between member states."""


def common(command: Command) -> Command:
    """Give a command the shared options, an ``Invocation``, and the one way errors end it."""

    @click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        envvar="ECO_HOME",
        show_envvar=True,
        help="Gateway home; the current directory unless given.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON value for programs.")
    @click.option(
        "--language",
        type=click.Choice(["en", "fr", "ar"]),
        default="en",
        envvar="ECO_LANGUAGE",
        help="Language of findings.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, home: Path, as_json: bool, language: str, **kwargs: Any) -> Any:
        output = Output(as_json=as_json, language=language)
        try:
            return command(Invocation(home=home, output=output), *args, **kwargs)
        except GatewayError as exc:
            return stop(output.error(exc))

    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the call's shape
