"""The commands that make what one starts from: home, database, demonstration PKI."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from gateway.cli.main import Invocation, common
from gateway.cli.opening import bring_up_to_date, present
from gateway.config import load_settings
from gateway.errors import ConfigError, ConflictError
from gateway.homes import (
    HomePlan,
    KeyName,
    furnish_home,
    place_credential,
    place_revocation_list,
    request_certificates,
)

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("directory", type=FOLDER)
@click.option("--identifier", required=True, help="Name among the peers, as ZM-SW.")
@click.option("--name", required=True, help="Full name of the operator.")
@click.option("--country", required=True, help="ISO 3166-1 code, as ZM.")
@click.option("--public-url", required=True, help="Address for peers, as https://host:8443.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    default=8443,
    show_default=True,
    help="Port to bind.",
)
@click.option("--test", is_flag=True, help="Exchange test messages only.")
@click.option(
    "--agreement",
    "agreements",
    multiple=True,
    default=("COMESA",),
    show_default=True,
    help="Agreement profile in force; may be given again.",
)
@click.option(
    "--store-url",
    default="sqlite:///gateway.db",
    show_default=True,
    help="Database: a SQLite file in the home, or postgresql://user@host/name.",
)
@click.option(
    "--authority-code",
    help="Code of the authority whose keys these are, as ZM-ZRA; stands on the peer card.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice([KeyName.AUTHORITY.value, KeyName.CUSTOMS.value]),
    help="Hold no key for this authority: its documents arrive signed. May be given again.",
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
    certificates that your CA returns belong beside them as keys/NAME.cert.pem.  Either the
    whole home is made, or nothing.
    """
    names = tuple(name for name in KeyName if name.value not in without)
    plan = HomePlan(names=names, **values)  # type: ignore[arg-type]  # click checked each
    _require_known((plan.country,), plan.agreements)
    furnish_home(directory, plan, partial(_furnish, plan=plan, pki=pki))
    requests = [] if pki else [directory / "keys" / f"{name}.csr.pem" for name in names]
    answer = {"home": directory, "identifier": plan.identifier, "requests": requests}
    call.output.result(answer, _made(directory, plan, requests))


def _require_known(countries: Sequence[str], agreements: Sequence[str] = ()) -> None:
    from gateway.agreements import load_agreements
    from gateway.documents.codelists import code_list

    listed = code_list("countries")
    if unknown := [code for code in countries if code not in listed]:
        raise click.BadParameter(f"no country has the code {', '.join(unknown)}")
    profiles = load_agreements()
    if unknown := [name for name in agreements if name not in profiles]:
        known = ", ".join(sorted(profiles))
        raise click.BadParameter(f"no agreement is called {', '.join(unknown)}; known: {known}")


def _furnish(home: Path, *, plan: HomePlan, pki: Path | None) -> None:
    if pki is None:
        request_certificates(home, plan)
    else:
        folder = pki / plan.country
        if not folder.is_dir():
            raise ConfigError(f"{pki} holds no keys of {plan.country}; make it with `eco pki demo`")
        for name in plan.names:
            key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
            place_credential(home, name, key=key, certificate=certificate)
        place_revocation_list(home, folder / "ca.crl.pem")
    bring_up_to_date(load_settings(home))


def _made(directory: Path, plan: HomePlan, requests: Sequence[Path]) -> list[str]:
    lines = [f"gateway home of {plan.identifier} made in {directory}"]
    if requests:
        lines.append("send these requests to your CA:")
        lines += [f"  {path}" for path in requests]
        lines.append("and put each certificate, with its issuers below it, beside its key:")
        lines += [f"  {str(path).replace('.csr.', '.cert.')}" for path in requests]
    lines += [
        "then:",
        f"  eco peer card --home {directory} > {plan.identifier}.json    introduces you to peers",
        f"  eco peer add CARD --home {directory}    registers a peer from its card",
        f"  eco serve --home {directory}    and    eco work --home {directory}",
    ]
    return lines


@click.command()
@common
def migrate(call: Invocation) -> None:
    """Make the database where there is none, and bring its tables up to this version of eco.

    `eco serve` and `eco work` do the same when they start.
    """
    settings = load_settings(call.home)
    bring_up_to_date(settings)
    name = settings.gateway.identifier
    call.output.result({"identifier": name}, [f"the database of {name} is up to date"])


@click.group()
def pki() -> None:
    """Make demonstration keys and certificates."""


@pki.command("demo")
@click.argument("directory", type=FOLDER)
@click.option(
    "--country",
    "countries",
    multiple=True,
    default=("ZM", "KE"),
    show_default=True,
    help="ISO 3166-1 code; may be given again.",
)
@common
def demo_pki(call: Invocation, directory: Path, countries: Sequence[str]) -> None:
    """Make a whole PKI in DIRECTORY, never for live use."""
    from gateway.trust.demo_pki import make_demo_pki

    _require_known(countries)
    if directory.is_dir() and any(directory.iterdir()):
        raise ConflictError(f"{directory} is not empty; keys are never replaced")
    made = make_demo_pki(directory, list(dict.fromkeys(countries)), now=present())
    folders = {code: part.directory for code, part in made.countries.items()}
    lines = [f"demonstration PKI made in {directory}, never for live use"]
    lines += [f"  {code}    {folder}" for code, folder in folders.items()]
    lines.append(f"next: eco init HOME --country {countries[0]} --pki {directory} …")
    call.output.result({"directory": directory, "countries": folders}, lines)
