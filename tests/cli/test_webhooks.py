"""`eco webhook`: an operator registers, watches, exchanges, replays and deletes."""

from __future__ import annotations

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair

URL = "https://receiver.example/told"


def test_webhooks_are_kept_at_the_command_line(pair: Pair):
    home = {"home": pair.zm}
    eco_json("organisation", "add", "ZM-W", "--name", "W", "--kind", "single-window", **home)
    made = eco_json("webhook", "add", "ZM-W", URL, "--label", "t", "--kind", "PEER_BACK", **home)
    name = made["webhook"]
    (row,) = eco_json("webhook", "list", "--organisation", "ZM-W", **home)
    assert (row["webhook"], row["state"], row["kinds"]) == (name, "ACTIVE", ["PEER_BACK"])
    assert made["secret"] not in eco("webhook", "list", **home).out
    changed = eco_json("webhook", "rotate", name, **home)
    assert changed["secret"] != made["secret"]
    for command, state in (("disable", "DISABLED"), ("enable", "ACTIVE")):
        said = eco_json("webhook", command, name, "--reason", "a test", **home)
        assert said["state"] == state
    assert eco_json("webhook", "replay", name, "--after", "0", **home)["after"] == 0
    eco_json("webhook", "remove", name, **home)
    assert eco("webhook", "remove", name, **home).status is ExitStatus.NOT_FOUND
    inside = eco("webhook", "add", "ZM-W", "https://10.0.0.1/", "--label", "t", **home)
    assert inside.status is ExitStatus.REFUSED
    assert "no webhook" in eco("webhook", "list", **home).out
