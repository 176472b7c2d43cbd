"""trace and explain --session, while nothing runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.terminal import Terminal
from gatepost.admin.generation import Generations
from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.place import Place
from gatepost.store.tracking import Tracking

ID = "000000000000ABC"


@pytest.fixture(autouse=True)
def _history(house: Path) -> None:
    """ann sent a message, bob was refused."""
    notes = Tracking(Place(house / "state").tracking)
    ann, bob, x = Address("ann", "example.org"), Address("bob", "example.org"), Address("x", "else.example")
    now = time.time()
    said = f"550 5.7.1 Unable to relay for {x} [relay-denied BBBBBB]"
    notes.note_accepted(ID, "AAAAAA", "submission", "192.0.2.7", "ann@example.org", ann, [x], 512, now - 7200)
    outcome = Outcome(0, Disposition.FAILED, 550, "5.1.1", "no \x1b]0;such user", "mx.else.example")
    notes.note_outcome(ID, x, outcome, now - 7190, None)
    notes.note_refused(
        "BBBBBB", "submission", "192.0.2.8", "bob@example.org", "rcpt", "relay-denied", bob, x, said, now
    )
    notes.start()
    notes.close()


def test_everything_is_shown_newest_last(terminal: Terminal) -> None:
    said = terminal("trace")
    assert said.code == 0
    assert said.out.index(ID) < said.out.index("BBBBBB")
    assert "x@else.example: failed by mx.else.example: 550 5.1.1 no ?]0;such user" in said.out
    assert [row["kind"] for row in terminal("trace", "--json").json] == ["message", "refusal"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("AAAAAA",), ["message"]),
        (("bbbbbb",), ["refusal"]),
        ((ID,), ["message"]),
        (("--user", "ann"), ["message"]),
        (("--user", "bob@example.org"), ["refusal"]),
        (("--peer", "192.0.2.8"), ["refusal"]),
        (("--sender", "<ann@example.org>"), ["message"]),
        (("--rcpt", "X@else.example"), ["message", "refusal"]),
        (("--reason", "relay-denied"), ["refusal"]),
        (("--since", "1h"), ["refusal"]),
        (("--since", "3h", "--limit", "1"), ["refusal"]),
        (("--since", "3h", "--user", "ann"), ["message"]),
    ],
    ids=lambda one: " ".join(one),
)
def test_what_is_asked_for_is_found(terminal: Terminal, arguments: tuple[str, ...], found: list[str]) -> None:
    assert [row["kind"] for row in terminal("trace", *arguments, "--json").json] == found


def test_nothing_found_is_3_and_an_empty_array(terminal: Terminal) -> None:
    said = terminal("trace", "--user", "nobody", "--json")
    assert said.code == 3
    assert said.json == []


def test_a_session_is_explained(terminal: Terminal) -> None:
    said = terminal("explain", "--session", "BBBBBB")
    assert said.code == 0
    assert "user bob@example.org" in said.out
    assert "[relay-denied BBBBBB]" in said.out
    assert "to change it: Log in, or join the group that may relay, or add an entry." in said.out
    assert "As the file and the accounts are now (which file was in force then is not known):" in said.out
    assert "bob@example.org\n      in no group\n" in said.out
    assert "Whoever is logged in may hand in mail. (holds; this one decided)" in said.out
    assert 'One of: `gatepost group join "POP3 Relay" bob@example.org`' in said.out
    row = terminal("explain", "--session", "AAAAAA", "--json").json
    assert (row["session"], row["events"][0]["queue_id"]) == ("AAAAAA", ID)
    now = row["events"][0]["now"]
    assert [stage["stage"] for stage in now["stages"]][:3] == ["connect", "tls", "login"]


def _taken_over(house: Path, texts: list[str], ago: list[int]) -> None:
    kept = Generations(Place(house / "state").generations)
    for text, seconds in zip(texts, ago, strict=True):
        kept.keep(text, by="reload", now=datetime.now(UTC) - timedelta(seconds=seconds))


_OPEN = '"group:POP3 Relay"', '"authenticated"'


def test_a_session_is_explained_by_the_generation_of_then(terminal: Terminal, house: Path) -> None:
    """Bob was refused by the first; since then everybody who logs in may relay."""
    old = terminal.file.read_text()
    terminal.file.write_text(old.replace(*_OPEN))
    _taken_over(house, [old, old.replace(*_OPEN)], [9_000, -60])
    said = terminal("explain", "--session", "BBBBBB")
    assert "By generation 1, in force from " in said.out
    assert "The file has changed since. As the file and the accounts are now:" in said.out
    then, now = said.out.split("The file has changed since.")
    assert "NO      relay " in then
    assert "yes     relay " in now
    (event,) = terminal("explain", "--session", "BBBBBB", "--json").json["events"]
    assert (event["then"]["generation"], event["then"]["agrees"]) == (1, True)
    assert (event["then"]["answer"]["reason"], event["now"]["allowed"]) == ("relay-denied", True)


def test_a_session_that_had_begun_before_a_reload_has_the_older_one(terminal: Terminal, house: Path) -> None:
    """When Bob was refused, a generation that would not have was a minute old."""
    old = terminal.file.read_text()
    _taken_over(house, [old, old.replace(*_OPEN)], [9_000, 60])
    (event,) = terminal("explain", "--session", "BBBBBB", "--json").json["events"]
    assert (event["then"]["generation"], event["then"]["replaced_meanwhile"]) == (1, True)
    said = terminal("explain", "--session", "BBBBBB").out
    assert "By generation 1 (the session had begun with it, the file still is it)" in said


def test_other_accounts_than_then_and_a_useless_generation_are_told(terminal: Terminal, house: Path) -> None:
    _taken_over(house, [terminal.file.read_text()], [9_000])
    assert terminal("group", "join", "POP3 Relay", "bob").code == 0
    assert "That is not what happened: accounts, groups" in terminal("explain", "--session", "BBBBBB").out
    Generations(Place(house / "state").generations).path(1).write_text("hostname = 7")
    assert "that file is of use no more" in terminal("explain", "--session", "BBBBBB").out
