"""Nobody's change is lost when two change the same file."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from gatepost.console.merge import merged

BASE = """\
hostname = "mail.example.org" # ours
state = "state"

[limits]
connections = 100

[smtp.submission]
listen = ["127.0.0.1:2587"]
access = [
  { allow = ["connect"], to = "anyone" },
  { allow = ["submit"], to = "authenticated" }, # mail for ourselves
]

[routes."*"]
via = "mx"
"""


def swap(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


GRANT = '"authenticated" }, # mail for ourselves\n'


def test_two_keys_of_two_people() -> None:
    mine = swap(BASE, ("connections = 100", "connections = 200"))
    theirs = swap(BASE, ('via = "mx"', 'via = "smtp://hub.example:25"'), ("# ours", "# ours, really"))
    done = merged(BASE, mine, theirs)
    assert not done.conflicts
    assert done.text == swap(theirs, ("connections = 100", "connections = 200"))


def test_two_rights_in_one_table() -> None:
    mine = swap(BASE, (GRANT, GRANT + '  { allow = ["submit", "relay"], to = "group:Sales" },\n'))
    theirs = swap(BASE, (GRANT, GRANT + '  { allow = ["submit", "relay"], to = "group:Post" },\n'))
    done = merged(BASE, mine, theirs)
    assert not done.conflicts
    names = [row["to"] for row in read(done.text)["smtp"]["submission"]["access"]]
    assert names == ["anyone", "authenticated", "group:Post", "group:Sales"]
    assert "# mail for ourselves" in done.text


def test_what_one_takes_away_stays_away() -> None:
    mine = swap(BASE, ('  { allow = ["submit"], to = "authenticated" }, # mail for ourselves\n', ""))
    theirs = swap(BASE, (GRANT, GRANT + '  { allow = ["relay"], to = "group:Post" },\n'))
    rows = read(merged(BASE, mine, theirs).text)["smtp"]["submission"]["access"]
    assert [row["to"] for row in rows] == ["anyone", "group:Post"]


def test_one_key_set_twice_is_a_conflict_and_theirs_stands() -> None:
    mine = swap(BASE, ("connections = 100", "connections = 200"))
    theirs = swap(BASE, ("connections = 100", "connections = 300"))
    done = merged(BASE, mine, theirs)
    [conflict] = done.conflicts
    assert (conflict.key, conflict.mine, conflict.theirs) == ("limits.connections", 200, 300)
    assert done.text == theirs
    assert read(merged(BASE, mine, theirs, mine_wins=True).text)["limits"]["connections"] == 200


def test_the_same_change_twice_is_none() -> None:
    mine = swap(BASE, ("connections = 100", "connections = 200"))
    assert merged(BASE, mine, mine).text == mine


def test_a_new_server_and_a_deleted_route() -> None:
    server = (
        '\n[smtp.printers]\nlisten = ["10.0.5.1:25"]\naccess = [ { allow = ["connect"], to = "anyone" } ]\n'
    )
    mine = swap(BASE, ('[routes."*"]\nvia = "mx"\n', "")) + server
    theirs = swap(BASE, ("connections = 100", "connections = 300"))
    found = read(merged(BASE, mine, theirs).text)
    assert found["smtp"]["printers"]["access"] == [{"allow": ["connect"], "to": "anyone"}]
    assert found["limits"]["connections"] == 300
    assert "*" not in found.get("routes", {})


def test_what_they_changed_in_what_i_deleted_is_a_conflict() -> None:
    mine = swap(BASE, ('[routes."*"]\nvia = "mx"\n', ""))
    theirs = swap(BASE, ('via = "mx"', 'via = "smtp://hub.example:25"'))
    done = merged(BASE, mine, theirs)
    assert [one.key for one in done.conflicts] == ['routes."*".via']
    assert read(done.text)["routes"]["*"]["via"] == "smtp://hub.example:25"


@pytest.mark.parametrize("wins", [True, False])
def test_who_changed_nothing_gets_theirs(wins: bool) -> None:
    theirs = swap(BASE, ("connections = 100", "connections = 300"))
    assert merged(BASE, BASE, theirs, mine_wins=wins).text == theirs
