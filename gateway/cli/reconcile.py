"""The command that compares our books with a peer's, and shows what is agreed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from gateway.app import Gateway
from gateway.cli.main import Invocation, common
from gateway.cli.opening import the_gateway
from gateway.cli.output import ExitStatus, plain, stop, table
from gateway.errors import NotFoundError
from gateway.exchange.reconcile import partners, reconcile_now
from gateway.exchange.reconcile_guides import guide_of
from gateway.exchange.reconcile_proof import proof_of
from gateway.store import Balance, BalanceState, BooksSide, Peer, balances, peers

_WHOSE = {BooksSide.SENT: "ours", BooksSide.RECEIVED: "theirs"}


@click.command()
@click.argument("peer", required=False)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="UTC day; yesterday unless given.",
)
@click.option("--show", is_flag=True, help="Show balances only, the newest days without --day.")
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write the signed documents of agreed balances into this directory; state nothing.",
)
@common
def reconcile(
    call: Invocation, peer: str | None, day: datetime | None, show: bool, folder: Path | None
) -> None:
    """State what we sent PEER (or every peer) on a day, so that both books become the same.

    The statement is queued; `eco work` delivers it and takes the answer.  Agreed balances are
    verified from their signed bytes each time they are shown.  With --export they are written
    as two files each, the sender's statement and the receiver's answer, which `eco verify`
    checks and `eco read` prints anywhere.  The exit status is 1 when a balance shown asks for a
    person.
    """
    with the_gateway(call) as gateway:
        chosen = _chosen(gateway, peer)
        if show or folder is not None:
            found = _stored(gateway, chosen if peer else (), None if day is None else day.date())
        else:
            wanted = _yesterday(gateway) if day is None else day.date()
            whom = chosen if peer else partners(gateway.desk)
            found = [b for one in whom for b in reconcile_now(gateway.desk, one, wanted)]
        proved = {balance.id: _is_proved(gateway, balance) for balance in found}
        names = {one.id: one.identifier for one in chosen}
        written = {} if folder is None else _export(gateway, found, names, folder)
    call.output.result(
        [
            plain(balance) | {"proved": proved[balance.id], "files": written.get(balance.id, [])}
            for balance in found
        ],
        [
            *_lines(found, names, proved, call.output.language),
            *(f"written: {file}" for files in written.values() for file in files),
        ],
    )
    asks = any(balance.state is BalanceState.ASKS_PERSON for balance in found)
    stop(ExitStatus.REFUSED if asks else ExitStatus.OK)


def _export(
    gateway: Gateway, found: Sequence[Balance], names: dict[int, str], folder: Path
) -> dict[int, list[Path]]:
    """Write the two signed documents of each agreed balance; return the files by balance.

    Raises:
        NotFoundError: none of the balances is agreed.
    """
    agreed = [balance for balance in found if balance.state is BalanceState.AGREED]
    if not agreed:
        raise NotFoundError("no agreed balance of that peer and day is stored")
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[int, list[Path]] = {}
    for balance in agreed:
        with gateway.store.read() as conn:
            proof = proof_of(gateway.desk, conn, balance)
        stem = f"{_safe(names[balance.peer_id])}-{balance.day}-{balance.side.value.lower()}"
        for kind, raw in (("statement", proof.statement_bytes), ("answer", proof.answer_bytes)):
            file = folder / f"{stem}-{balance.part}-{kind}.xml"
            file.write_bytes(raw)
            written.setdefault(balance.id, []).append(file)
    return written


def _safe(identifier: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", identifier)


def _chosen(gateway: Gateway, identifier: str | None) -> tuple[Peer, ...]:
    with gateway.store.read() as conn:
        if identifier is None:
            return peers.every(conn)
        found = peers.by_identifier(conn, identifier)
    if found is None:
        raise NotFoundError(f"no peer is registered as {identifier!r}")
    return (found,)


def _yesterday(gateway: Gateway) -> date:
    return gateway.desk.clock().astimezone(UTC).date() - timedelta(days=1)


def _stored(gateway: Gateway, whom: Sequence[Peer], day: date | None) -> list[Balance]:
    with gateway.store.read() as conn:
        if not whom:
            return list(balances.page(conn, day=day))
        return [b for one in whom for b in balances.page(conn, peer_id=one.id, day=day)]


def _is_proved(gateway: Gateway, balance: Balance) -> bool | None:
    """Whether the signatures of an agreed balance hold; None where nothing is agreed."""
    if balance.state is not BalanceState.AGREED:
        return None
    with gateway.store.read() as conn:
        proof_of(gateway.desk, conn, balance)
    return True


def _lines(
    found: Sequence[Balance],
    names: dict[int, str],
    proved: dict[int, bool | None],
    language: str,
) -> Iterable[str]:
    heads = ("day", "peer", "sent by", "part", "messages", "state", "round", "differences", "due")
    yield from table(heads, [_row(balance, names, proved[balance.id]) for balance in found])
    for key in dict.fromkeys((balance.side, balance.state) for balance in found):
        guide = guide_of(*key)
        if guide is not None:
            yield f"{key[1].value} ({_WHOSE[key[0]]}): {guide.reason.in_language(language)}"
            yield f"    → {guide.next_step.in_language(language)}"


def _row(balance: Balance, names: dict[int, str], proved: bool | None) -> Sequence[object]:
    differences = ", ".join(f"{count} {name}" for name, count in balance.differences.items())
    return (
        balance.day.isoformat(),
        names.get(balance.peer_id),
        "us" if balance.side is BooksSide.SENT else "peer",
        f"{balance.part}/{balance.parts}",
        sum(count["messages"] for count in balance.counts),
        balance.state.value + (", signatures verified" if proved else ""),
        balance.round,
        differences or None,
        None if balance.due_at is None else f"{balance.due_at:%Y-%m-%d %H:%M}",
    )
