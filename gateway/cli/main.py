"""The command ``eco`` itself: options shared by all commands, and how errors end a command."""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

import gateway
from gateway.cli.output import ExitStatus, Output, stop
from gateway.errors import ConfigError, GatewayError

Command = TypeVar("Command", bound=Callable[..., Any])

PROGRAM = "eco"

_COMMANDS = {
    "init": ("gateway.cli.home", "init", "Make a new gateway home: settings, keys, database."),
    "migrate": ("gateway.cli.home", "migrate", "Bring the database up to this version."),
    "serve": ("gateway.cli.running", "serve", "Serve peers, or the national side (REST)."),
    "work": ("gateway.cli.running", "work", "Deliver queued messages until stopped."),
    "submit": ("gateway.cli.sending", "submit", "Submit certificates of origin for delivery."),
    "respond": ("gateway.cli.sending", "respond", "Record what customs did and tell the issuer."),
    "status": ("gateway.cli.books", "status", "Show one certificate and all that became of it."),
    "messages": ("gateway.cli.books", "messages", "List messages sent and received."),
    "paper": ("gateway.cli.printing", "paper", "Print a certificate as a PDF form."),
    "qr": ("gateway.cli.printing", "qr", "Check the code of a printed certificate offline."),
    "dead": ("gateway.cli.dead_letters", "dead", "List messages that wait for a person."),
    "resend": ("gateway.cli.dead_letters", "resend", "Queue failed or held messages again."),
    "hold": ("gateway.cli.dead_letters", "hold", "Keep a message back."),
    "collect": ("gateway.cli.bundles", "collect", "Fetch what waits for us at a peer."),
    "bundle": ("gateway.cli.bundles", "bundle", "Carry messages by file while a line is down."),
    "reconcile": ("gateway.cli.reconcile", "reconcile", "Compare our books with a peer's."),
    "peer": ("gateway.cli.peers", "peer", "Introduce, register, show, suspend and reach peers."),
    "organisation": (
        "gateway.cli.clients",
        "organisation",
        "Enter organisations of the national side.",
    ),
    "api-key": ("gateway.cli.clients", "api_key", "Make, list, exchange and revoke API keys."),
    "webhook": ("gateway.cli.webhooks", "webhook", "Tell organisations of events by webhook."),
    "api": ("gateway.cli.api", "api", "Ask a gateway by its REST interface; needs no home."),
    "user": ("gateway.cli.users", "user", "Enter people at the console, invite and suspend them."),
    "specimen": (
        "gateway.cli.specimens",
        "specimen",
        "Keep the directory of authorities, stamps and signatures.",
    ),
    "doctor": (
        "gateway.cli.operating",
        "doctor",
        "Look at this home and every peer; say what to do.",
    ),
    "health": ("gateway.cli.operating", "health", "Say whether this gateway is ready."),
    "watch": ("gateway.cli.operating", "watch", "Serve health and metrics for supervisors."),
    "alerts": ("gateway.cli.operating", "alerts_group", "List alerts and take them on."),
    "maintenance": (
        "gateway.cli.maintenance",
        "maintenance_group",
        "Announce that this gateway may not answer for a while.",
    ),
    "outages": ("gateway.cli.operating", "list_outages", "List when peers could not be reached."),
    "support": ("gateway.cli.operating", "support", "Write a redacted bundle for whoever helps."),
    "validate": ("gateway.cli.papers", "validate", "Check a document without sending it."),
    "verify": ("gateway.cli.papers", "verify", "Say what is signed, by whom, and if trusted."),
    "render": ("gateway.cli.papers", "render", "Turn a JSON document into message XML."),
    "read": ("gateway.cli.papers", "read", "Turn message XML or a national format into JSON."),
    "mapping": (
        "gateway.cli.mapping",
        "mapping",
        "Check, try and compare mapping files of national formats.",
    ),
    "pki": ("gateway.cli.home", "pki", "Make demonstration keys and certificates."),
    "backup": ("gateway.cli.keeping", "backup", "Write a signed backup while all goes on."),
    "restore": ("gateway.cli.keeping", "restore", "Make a home from a backup, or prove one."),
    "recount": ("gateway.cli.reports", "recount", "Count anew what the reports tell."),
    "retention": ("gateway.cli.retention", "retention", "Show and erase what the law lets go."),
    "guide": ("gateway.cli.guide", "guide", "Write the message implementation guide."),
    "demo": ("gateway.cli.show", "demo", "Let two member states exchange real consignments."),
}


@dataclass(frozen=True)
class Invocation:
    """Holds what every command was called with.

    Attributes:
        home: directory of the gateway home.
        debug: a fault of our own may show its traceback.
    """

    home: Path
    output: Output
    debug: bool = False


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

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit statuses, which are the same for every command."""
        with formatter.section("Exit statuses"):
            formatter.write_dl([(str(int(status)), status.meaning) for status in ExitStatus])

    def main(  # type: ignore[override]  # the overloads differ in `standalone_mode` only
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Run the command line and leave with its exit status; misuse ends as JSON on request."""
        arguments = list(sys.argv[1:] if args is None else args)
        prog_name = prog_name or PROGRAM
        extra["standalone_mode"] = False
        try:
            super().main(arguments, prog_name, **extra)
        except click.Abort:
            sys.exit(int(ExitStatus.INTERRUPTED))
        except click.ClickException as exc:
            sys.exit(int(Output(as_json="--json" in arguments).misuse(exc)))
        sys.exit(int(ExitStatus.OK))


class OrderedGroup(click.Group):
    """Lists its commands in the order in which they were added: that of their use."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands as added."""
        return list(self.commands)


@click.command(PROGRAM, cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(gateway.__version__, prog_name=PROGRAM)
def main() -> None:
    """Exchange electronic certificates of origin between member states.

    Every command takes --json, --language and --debug; all but `api` and `guide` take --home.
    """


def limit_option(default: int, said: str) -> Callable[[Command], Command]:
    """Return the option that says how long a list may get.

    Args:
        said: its line in the help.
    """
    return click.option(
        "--limit",
        type=click.IntRange(1, 1000),
        default=default,
        show_default=True,
        help=said,
    )


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
    @without_home
    @functools.wraps(command)
    def wrapped(call: Invocation, *args: Any, home: Path, **kwargs: Any) -> None:
        command(replace(call, home=home), *args, **kwargs)

    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the call's shape


def without_home(command: Command) -> Command:
    """Give a command what ``common`` gives, but no gateway home."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON value for programs.")
    @click.option(
        "--language",
        type=click.Choice(["en", "fr", "ar"]),
        default="en",
        envvar="ECO_LANGUAGE",
        show_envvar=True,
        show_default=True,
        help="Language of findings.",
    )
    @click.option("--debug", is_flag=True, help="Show the traceback of a fault in eco itself.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, language: str, **kwargs: Any) -> None:
        output = Output(as_json=as_json, language=language)
        call = Invocation(home=Path(), output=output, debug=kwargs.pop("debug"))
        _ended(call, functools.partial(command, call, *args, **kwargs))

    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the call's shape


def _ended(call: Invocation, command: Callable[[], Any]) -> None:
    try:
        command()
        sys.stdout.flush()
    except GatewayError as exc:
        stop(call.output.error(exc))
    except BrokenPipeError:
        # What is still buffered has no reader; without this the interpreter complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        stop(ExitStatus.READER_GONE)
    except click.ClickException:
        raise
    except Exception as exc:
        if call.debug:
            raise
        if isinstance(exc, OSError) and exc.filename is not None:
            stop(call.output.error(ConfigError(f"{exc.filename}: {exc.strerror}")))
        stop(call.output.unexpected(exc))
