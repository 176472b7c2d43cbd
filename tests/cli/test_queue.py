"""queue: over a real spool at a real control socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.shard import running
from cli.terminal import Terminal


@pytest.fixture
def ids(house: Path) -> Iterator[list[str]]:
    with running(house / "state") as ids:
        yield ids


def states(terminal: Terminal) -> list[str]:
    return [row["state"] for row in terminal("queue", "list", "--json").json]


def test_the_list_is_an_array_and_tabbed_lines(terminal: Terminal, ids: list[str]) -> None:
    rows = terminal("queue", "list", "--json").json
    assert {row["id"] for row in rows} == set(ids)
    assert rows[0]["received_at"] == "2026-01-01T00:00:00+00:00"
    lines = [line.split("\t") for line in terminal("queue", "list").out.splitlines()]
    assert [line[0] for line in lines] == ids
    assert lines[0][1] == "deferred"
    assert lines[0][-1] == "mx.else.example: 451 4.3.0 not ?[2Jnow"


def test_a_filter_narrows(terminal: Terminal, ids: list[str]) -> None:
    def found(*arguments: str) -> list[str]:
        return [row["id"] for row in terminal("queue", "list", *arguments, "--json").json]

    assert found("--user", "ann") == [ids[0]]
    assert found("--sender", "<>") == [ids[1]]
    assert found("--domain", "two.example", "--from", "192.0.2.0/24") == [ids[1]]
    assert found("--state", "deferred") == [ids[0]]
    assert found(ids[1].lower()) == [ids[1]]
    assert found("--rcpt", "nobody@example.org") == []


def test_show_is_an_object_with_the_header(terminal: Terminal, ids: list[str]) -> None:
    row = terminal("queue", "show", ids[0], "--json").json
    assert row["last_outcomes"][0]["code"] == 451
    assert row["header"] == "Received: by test\nSubject: hello\n"
    said = terminal("queue", "show", ids[0]).out
    assert "x@else.example: deferred, mx.else.example: 451 4.3.0 not ?[2Jnow" in said
    assert said.endswith("Received: by test\nSubject: hello\n")
    assert len(terminal("queue", "show", *ids, "--json").json) == 2


def test_what_is_not_there_is_3(terminal: Terminal, ids: list[str]) -> None:
    for arguments in (("show", "ABC"), ("hold", "ABC"), ("hold", "--user", "bob"), ("release", ids[0])):
        said = terminal("queue", *arguments)
        assert said.code == 3, arguments
        assert said.err.count("\n") == 1


def test_hold_and_release(terminal: Terminal, ids: list[str]) -> None:
    said = terminal("queue", "hold", "--user", "ann")
    assert (said.code, said.out) == (0, f"{ids[0]} is held\n")
    assert sorted(states(terminal)) == ["active", "held"]
    assert terminal("queue", "release", ids[0], "--json").json == [ids[0]]
    assert "held" not in states(terminal)


def test_some_done_and_some_not_is_3_and_says_which(terminal: Terminal, ids: list[str]) -> None:
    said = terminal("queue", "retry", ids[0], "ABC")
    assert said.code == 3
    assert said.out == f"{ids[0]} is tried now\n"
    assert said.err == "gatepost: ABC is not waiting in the queue\n"


def test_delete_needs_to_be_told_what(terminal: Terminal, ids: list[str]) -> None:
    assert terminal("queue", "delete").code == 2
    assert len(states(terminal)) == 2
    assert terminal("queue", "delete", "--all").code == 0
    assert terminal("queue", "list").out == "No message is waiting.\n"
    assert ids
