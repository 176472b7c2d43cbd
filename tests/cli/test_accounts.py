"""user, group and alias."""

from __future__ import annotations

from pathlib import Path

from cli.terminal import PASSWORD, Terminal


def test_a_user_is_added_shown_and_deleted(terminal: Terminal, house: Path) -> None:
    added = terminal(
        "user", "add", "dora", "--address", "d@example.org", "--full-name", "Dora D", "--password-stdin",
        given=f"{PASSWORD}\n",
    )  # fmt: skip
    assert (added.code, added.out) == (0, "dora@example.org is there\n")
    shown = terminal("user", "show", "dora", "--json").json
    assert shown["name"] == "dora@example.org"
    assert shown["addresses"] == ["d@example.org"]
    assert shown["mailbox"] == {"messages": 0, "size_bytes": 0}
    assert (house / "state" / "mail").exists()
    assert terminal("user", "delete", "dora").code == 0
    assert terminal("user", "show", "dora").code == 3


def test_a_password_that_attackers_try_is_refused(terminal: Terminal) -> None:
    said = terminal("user", "add", "dora", "--password-stdin", given="password\n")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert terminal("user", "show", "dora").code == 3


def test_a_guessable_name_is_told(terminal: Terminal) -> None:
    said = terminal("user", "add", "scanner", "--password-stdin", given=f"{PASSWORD}\n")
    assert said.err == ""
    said = terminal("user", "add", "admin", "--password-stdin", given=f"{PASSWORD}\n")
    assert "a name that attackers try" in said.err


def test_lists_are_arrays_and_tabbed_lines(terminal: Terminal) -> None:
    rows = terminal("user", "list", "--json").json
    assert [row["name"].partition("@")[0] for row in rows] == ["ann", "bob", "carl", "root"]
    lines = terminal("user", "list").out.splitlines()
    assert lines[2].split("\t") == ["carl@example.org", "-", "-", "no", "yes"]
    assert [row["name"] for row in terminal("user", "list", "an", "--json").json] == ["ann@example.org"]


def test_a_disabled_user_is_shown_so(terminal: Terminal) -> None:
    assert terminal("user", "disable", "ann").code == 0
    assert terminal("user", "show", "ann", "--json").json["disabled"] is True
    assert terminal("user", "enable", "ann").code == 0
    assert terminal("user", "show", "ann", "--json").json["disabled"] is False


def test_a_protected_member_is_refused_unless_even_so(terminal: Terminal) -> None:
    terminal("group", "leave", "POP3 Relay", "root")
    said = terminal("group", "join", "POP3 Relay", "root")
    assert said.code == 3
    assert "attackers try" in said.err
    assert terminal("group", "join", "POP3 Relay", "root", "--even-so").code == 0


def test_a_group_shows_members_and_nested_members(terminal: Terminal) -> None:
    shown = terminal("group", "show", "pop3 relay", "--json").json
    assert shown["groups"] == ["Sales"]
    assert shown["members"] == ["carl@example.org", "root@example.org"]
    assert shown["members_nested"] == ["ann@example.org", "carl@example.org", "root@example.org"]


def test_an_alias_comes_and_goes(terminal: Terminal) -> None:
    assert terminal("alias", "add", "info@example.org", "ann@example.org").code == 0
    assert terminal("alias", "add", "out@example.org", "x@else.example").code == 1
    assert terminal("alias", "add", "out@example.org", "x@else.example", "--outside").code == 0
    assert terminal("alias", "list", "--json").json == [
        {"address": "info@example.org", "targets": ["ann@example.org"], "outside": False},
        {"address": "out@example.org", "targets": ["x@else.example"], "outside": True},
    ]
    assert terminal("alias", "delete", "info@example.org").code == 0


def test_a_certificate_is_made_and_shown(terminal: Terminal, tmp_path: Path) -> None:
    said = terminal("cert", "self-signed", str(tmp_path / "c"), "--hostname", "a.example", "--name", "n")
    assert said.code == 0
    assert (tmp_path / "c" / "n.pem").exists()
    assert (
        terminal("cert", "self-signed", str(tmp_path / "c"), "--hostname", "a.example", "--name", "n").code
        == 1
    )
    shown = terminal("cert", "show", "--json").json
    assert shown[0]["names"] == ["mail.example.org", "localhost"]
