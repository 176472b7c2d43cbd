"""gatepost attacks, ban and pardon while no Gatepost runs."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from cli.terminal import Terminal
from gatepost.config.load import load
from gatepost.store.attempts import Attempts, LoginAttempt
from gatepost.store.place import Place


@pytest.fixture
def tried(house: Path) -> Place:
    """bob four times from three addresses, ann once, root once from IPv6, and one good login."""
    place = Place(load(house / "gatepost.toml").state)
    place.state.mkdir(exist_ok=True)
    one = LoginAttempt(
        time.time() - 600, "192.0.2.1", "192.0.2.0/24", "submission", "7F3K2Q", "PLAIN", True, "bob",
        None, "wrong-password", "none",
    )  # fmt: skip
    attempts = Attempts(place.attempts)
    attempts.start()
    for peer in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.3"):
        attempts.note(replace(one, peer=peer))
    attempts.note(replace(one, name="ann", treatment="refused"))
    attempts.note(replace(one, name="ro\x1b[2Jot", peer="2001:db8::1", network="2001:db8::/48"))
    attempts.note(replace(one, name="ann", account="ann@example.org", reason=None))
    attempts.note(replace(one, name="longago", at=time.time() - 10 * 86_400))
    for _ in range(3):
        attempts.offended(time.time(), "192.0.2.9", "unknown-recipient")
    attempts.close()
    return place


def test_attacks_names_what_was_tried_most_first(terminal: Terminal, tried: Place) -> None:
    said = terminal("attacks", "--json")
    assert said.code == 0
    assert [(row["name"], row["attempts"], row["addresses"]) for row in said.json["names"]][:2] == [
        ("bob", 4, 3), ("ann", 1, 1),
    ]  # fmt: skip
    (offence,) = said.json["offences"]
    assert (offence["offence"], offence["source"], offence["count"]) == ("unknown-recipient", "192.0.2.9", 3)
    assert [row["network"] for row in said.json["networks"]] == ["192.0.2.0/24", "2001:db8::/48"]
    assert sum(span["failed"] for span in said.json["timeline"]) == 6
    assert sum(span["succeeded"] for span in said.json["timeline"]) == 1


def test_attacks_on_a_terminal_cannot_move_the_cursor(terminal: Terminal, tried: Place) -> None:
    said = terminal("attacks", "--since", "30d")
    assert "longago" in said.out
    assert "192.0.2.9" in said.out
    assert "\x1b" not in said.out
    assert "█" in said.out


def test_attacks_exports_names_and_addresses(terminal: Terminal, tried: Place) -> None:
    assert terminal("attacks", "--export", "names").out == "bob\nann\nro?[2jot\n"
    assert terminal("attacks", "--export", "addresses").out.splitlines()[0] == "192.0.2.1"


def test_no_attacks_is_said(terminal: Terminal) -> None:
    assert terminal("attacks").out == "no failed login since 24h\n"
    nothing = {"offences": [], "names": [], "sources": [], "networks": [], "timeline": []}
    assert terminal("attacks", "--json").json == nothing
    assert terminal("attacks", "--since", "yesterday").code == 2


def test_a_ban_stands_in_the_list_until_it_is_pardoned(terminal: Terminal) -> None:
    assert terminal("ban", "--list").out == "nobody is shut out\n"
    assert (
        terminal("ban", "192.0.2.0/24", "--note", "spam").out == "192.0.2.0/24 is shut out until pardoned\n"
    )
    assert terminal("ban", "::ffff:198.51.100.7", "--for", "2h").code == 0
    rows = terminal("ban", "--list", "--json").json
    assert [(row["source"], row["until"] is None) for row in rows] == [
        ("192.0.2.0/24", True), ("198.51.100.7/32", False),
    ]  # fmt: skip
    assert terminal("pardon", "192.0.2.0/24").code == 0
    assert terminal("pardon", "192.0.2.0/24").code == 3
    assert len(terminal("ban", "--list", "--json").json) == 1


def test_an_exported_list_is_imported_again(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_text("# ours\n192.0.2.1  # spam\n\n2001:db8::/32\n")
    assert terminal("ban", "--import", str(file)).code == 0
    exported = terminal("ban", "--export").out
    assert exported == "192.0.2.1/32\n2001:db8::/32\n"
    file.write_text("192.0.2.1\nnonsense\n")
    said = terminal("ban", "--import", str(file))
    assert said.code == 2
    assert f"{file}:2: 'nonsense' is no address" in said.err


def test_the_nftables_export_holds_both_families(terminal: Terminal) -> None:
    terminal("ban", "192.0.2.0/24", "2001:db8::/32")
    text = terminal("attacks", "--export", "nftables").out
    assert "elements = { 192.0.2.0/24 }" in text
    assert "elements = { 2001:db8::/32 }" in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    "arguments", [["ban"], ["ban", "x"], ["ban", "192.0.2.1", "--for", "soon"], ["pardon", "x"]]
)
def test_what_cannot_be_meant_is_a_usage_error(terminal: Terminal, arguments: list[str]) -> None:
    assert terminal(*arguments).code == 2
