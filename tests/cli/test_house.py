"""init, check and status."""

from __future__ import annotations

import stat
from pathlib import Path

from cli.terminal import PASSWORD, Terminal


def test_what_init_writes_is_valid_and_closed(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert terminal("init", str(folder), "--hostname", "mx.example.net", "--domain", "example.net").code == 0
    terminal.file = folder / "gatepost.toml"
    said = terminal("check")
    assert said.code == 0
    assert said.out.startswith(f"{terminal.file}: valid, and closed: a stranger cannot relay")
    assert terminal("group", "list", "--json").json[0]["relays"] is True
    assert stat.S_IMODE((folder / "certs" / "mail.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "state").stat().st_mode) == 0o700


def test_the_state_may_be_elsewhere(terminal: Terminal, tmp_path: Path) -> None:
    """As in a container: the group is where the file says that the state is."""
    folder, state = tmp_path / "etc", tmp_path / "var"
    named = ("--hostname", "mx.example.net", "--domain", "example.net", "--state", str(state))
    assert terminal("init", str(folder), *named).code == 0
    assert not (folder / "state").exists()
    listed = terminal("-c", str(folder / "gatepost.toml"), "group", "list")
    assert (listed.code, "POP3 Relay" in listed.out) == (0, True)


def test_init_does_not_touch_what_is_there(terminal: Terminal, house: Path) -> None:
    before = terminal.file.read_bytes()
    said = terminal("init", str(house), "--hostname", "mx.example.net", "--domain", "example.net")
    assert said.code == 1
    assert "is there already" in said.err
    assert terminal.file.read_bytes() == before


def test_a_new_relay_group_without_members_is_warned_of(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    terminal("init", str(folder), "--hostname", "mx.example.net", "--domain", "example.net")
    terminal.file = folder / "gatepost.toml"
    assert "nobody is in the group POP3 Relay" in terminal("check").err


def test_members_that_relay_does_not_reach_are_warned_of(terminal: Terminal) -> None:
    said = terminal("check")
    assert said.code == 0
    assert said.out.endswith("2 warnings\n")
    carl, root = said.err.splitlines()
    assert "carl@example.org is in POP3 Relay, and it is an administrator" in carl
    assert "root@example.org is in POP3 Relay, and its name is one that attackers try" in root


def test_the_way_through_groups_is_told(terminal: Terminal) -> None:
    terminal("user", "add", "webmaster", "--password-stdin", given=f"{PASSWORD}\n")
    assert terminal("group", "join", "Sales", "webmaster", "--even-so").code == 0
    assert "webmaster@example.org is in POP3 Relay through Sales, and its name" in terminal("check").err


def test_a_missing_relay_group_is_warned_of(terminal: Terminal) -> None:
    terminal("group", "delete", "POP3 Relay")
    said = terminal("check", "--json")
    assert [one["text"] for one in said.json["findings"]] == ["submission: there is no group:POP3 Relay"]


def test_an_open_relay_is_no(terminal: Terminal) -> None:
    text = terminal.file.read_text()
    terminal.file.write_text(text.replace('["connect", "submit"], to = "anyone"',
                                          '["connect", "submit", "relay"], to = "anyone"'))  # fmt: skip
    said = terminal("check")
    assert said.code == 3
    assert "open relay: on internet" in said.err
    assert "NOT SAFE" in said.out
    assert terminal("check", "--json").json["safe"] is False


def test_every_fault_of_a_bad_file_is_listed(terminal: Terminal) -> None:
    terminal.file.write_text("hostname = 3\nnonsense = true\n")
    said = terminal("check")
    assert said.code == 1
    assert f"{terminal.file}:1: hostname" in said.err
    assert f"{terminal.file}:2: nonsense" in said.err
    assert terminal("check", "--json").json["valid"] is False
