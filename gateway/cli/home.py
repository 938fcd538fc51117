"""The commands that make things to start from: a gateway home, a demonstration PKI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gateway.app import system_clock
from gateway.cli.main import Invocation, common
from gateway.config import load_settings
from gateway.homes import HomePlan, KeyName, make_home, place_credential, request_certificates
from gateway.store import Store
from gateway.trust.demo_pki import make_demo_pki


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--identifier", required=True, help="Name among the peers, as ZM-SW.")
@click.option("--name", required=True, help="Full name of the operator.")
@click.option("--country", required=True, help="ISO 3166-1 code, as ZM.")
@click.option("--public-url", required=True, help="Address for peers, as https://host:8443.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8443, show_default=True)
@click.option("--test", is_flag=True, help="Exchange test messages only.")
@click.option("--agreement", "agreements", multiple=True, default=("COMESA",), show_default=True)
@click.option("--store-url", default="sqlite:///gateway.db", show_default=True)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["authority", "customs"]),
    help="Hold no key for this authority: its documents arrive signed.",
)
@click.option(
    "--pki",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the keys of this country from a demonstration PKI (`eco pki demo`).",
)
@common
def init(
    call: Invocation,
    directory: Path,
    without: Sequence[str],
    pki: Path | None,
    **values: object,
) -> None:
    """Make a gateway home in DIRECTORY: settings, keys and certificate requests, database.

    Without --pki a private key and a request (CSR) is made for each credential; the
    certificates that your CA returns belong beside them as keys/NAME.cert.pem.
    """
    names = [name for name in KeyName if name.value not in without]
    plan = HomePlan(names=names, **values)  # type: ignore[arg-type]  # click checked each
    make_home(directory, plan)
    requests = [] if pki else request_certificates(directory, plan)
    if pki is not None:
        for name in names:
            folder = pki / plan.country
            place_credential(
                directory,
                name,
                key=folder / f"{name}.key",
                certificate=folder / f"{name}.pem",
            )
    store = Store.open(load_settings(directory).store_url)
    store.migrate()
    store.close()
    lines = [f"gateway home of {plan.identifier} made in {directory}"]
    lines += [f"  send to your CA: {path}" for path in requests]
    lines += ["next: `eco peer card` introduces you; `eco peer add` registers a peer; `eco serve`"]
    call.output.result({"home": directory, "requests": requests}, lines)


@click.group()
def pki() -> None:
    """Make demonstration keys and certificates."""


@pki.command("demo")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--country", "countries", multiple=True, default=("ZM", "KE"), show_default=True)
@common
def demo_pki(call: Invocation, directory: Path, countries: Sequence[str]) -> None:
    """Make a whole PKI for tests and demonstrations in DIRECTORY; never for live use."""
    made = make_demo_pki(directory, countries, now=system_clock())
    call.output.result(
        {"directory": directory, "countries": list(countries)},
        [
            f"demonstration PKI for {', '.join(countries)} made in {directory}",
            *(f"  {code}: {part.directory}" for code, part in made.countries.items()),
        ],
    )
