"""gatepost admin, gatepost token."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.terminal import Terminal
from gatepost.cli.context import FAILED, NO, USAGE
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place


@pytest.fixture
def terminal(terminal: Terminal, house: Path) -> Terminal:
    """With a console."""
    file = house / "gatepost.toml"
    file.write_text(file.read_text() + '\n[console]\nlisten = "127.0.0.1:8025"\n')
    return terminal


def secret_of(link: str) -> str:
    before, _, secret = link.strip().rpartition("/invitation/")
    assert before == "http://127.0.0.1:8025"
    return secret


def test_the_first_link_is_printed_until_there_is_somebody(terminal: Terminal, house: Path) -> None:
    link = terminal("admin", "first").out
    accounts = Accounts.open(Place(house / "state").accounts)
    accounts.administrators.accept(secret_of(link), "ann", "hash", by="ann")
    accounts.close()
    again = terminal("admin", "first")
    assert (again.code, again.out) == (NO, "")


def test_administrators_come_change_and_go(terminal: Terminal) -> None:
    assert secret_of(terminal("admin", "add", "ann", "--role", "administrator").out)
    assert secret_of(terminal("admin", "add", "bob").out)
    assert terminal("admin", "add", "bob").code == FAILED
    assert terminal("admin", "role", "bob", "operator").out == "bob is operator\n"
    assert terminal("admin", "role", "bob", "king").code == USAGE
    roles = {row["name"]: row["role"] for row in terminal("admin", "list", "--json").json}
    assert roles == {"ann": "administrator", "bob": "operator"}
    assert secret_of(terminal("admin", "reset", "bob").out)
    assert terminal("admin", "reset", "nobody").code == NO
    assert terminal("admin", "remove", "ann").code == FAILED
    assert terminal("admin", "remove", "bob").code == 0


def test_without_a_console_there_is_no_link(house: Path, terminal: Terminal) -> None:
    file = house / "gatepost.toml"
    file.write_text(file.read_text().partition("[console]")[0])
    said = terminal("admin", "add", "ann")
    assert said.code == FAILED
    assert "[console]" in said.err
    assert terminal("admin", "list", "--json").json == []


def test_a_token_is_shown_once(terminal: Terminal) -> None:
    made = terminal("token", "add", "backup", "--scope", "queue", "--for", "12h", "--json").json
    assert made["token"].startswith(f"gp_{made['id']}_")
    [row] = terminal("token", "list", "--json").json
    assert (row["label"], row["role"], row["scope"]) == ("backup", "viewer", ["queue"])
    assert made["token"] not in str(row)
    assert terminal("token", "revoke", made["id"]).code == 0
    assert terminal("token", "revoke", made["id"]).code == NO


@pytest.mark.parametrize("bad", [("--scope", "everything"), ("--for", "soon"), ("--role", "king")])
def test_a_token_is_for_what_there_is(terminal: Terminal, bad: tuple[str, str]) -> None:
    assert terminal("token", "add", "x", *bad).code == USAGE
