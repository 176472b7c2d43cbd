"""What is shown before anything is applied: who could relay, what is dangerous, and with which line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from directory.directories import CHEAP
from gatepost.admin import accounts as admin
from gatepost.admin.init import RELAY_GROUP, Ports, make_directory
from gatepost.admin.preview import Preview, in_the_file, new_ones, preview
from gatepost.admin.relay_now import RelayNow, relay_now
from gatepost.config.load import load
from gatepost.directory.password import Passwords
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

GRANT = '{ allow = ["submit", "relay"], to = "group:POP3 Relay" },'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_directory(
        tmp_path / "house", hostname="mail.example.org", domain="example.org",
        ports=Ports("127.0.0.1", 2525, 2587, 2110, 2995), next_hop="capture:outbox", by="test",
    )  # fmt: skip


@pytest.fixture
def accounts(file: Path) -> Iterator[Accounts]:
    """ann and root are in the relay group, bob in none."""
    settings, passwords = load(file), Passwords(slots=1, cost=CHEAP)
    opened = Accounts.open(Place(settings.state).accounts)
    credential = passwords.credential(Secret("correct horse battery"))
    for name in ("ann", "bob", "root"):
        admin.add_user(settings, opened, name, by="test", credential=credential)
    for name in ("ann", "root"):
        admin.join(settings, opened, RELAY_GROUP, name, by="test", even_so=True)
    passwords.close()
    yield opened
    opened.close()


def looked(file: Path, accounts: Accounts, old: str = "", new: str = "") -> Preview:
    text = file.read_text()
    assert old in text
    return preview(text.replace(old, new) if old else text, file, accounts)


def now(seen: Preview, accounts: Accounts) -> RelayNow:
    assert seen.settings is not None
    return relay_now(seen.settings, seen.settings.smtp["submission"], accounts)


def names(now: RelayNow) -> tuple[list[str], list[str]]:
    may = [one.identity.name for one in now.may if one.identity]
    return may, [one.identity.name for one in now.may_not if one.identity]


def test_members_could_relay_and_protected_ones_not(file: Path, accounts: Accounts) -> None:
    seen = looked(file, accounts)
    found = now(seen, accounts)
    assert names(found) == (["ann@example.org"], ["root@example.org"])
    assert found.is_whole
    assert not found.nobody
    assert (found.everybody, found.without_login, found.groups_elsewhere) == (False, (), ())
    assert seen.may_be_applied


def test_nobody_could_without_the_entry(file: Path, accounts: Accounts) -> None:
    assert now(looked(file, accounts, GRANT), accounts).nobody


def test_everybody_could_who_logs_in(file: Path, accounts: Accounts) -> None:
    seen = looked(file, accounts, "group:POP3 Relay", "authenticated")
    found = now(seen, accounts)
    assert found.everybody
    assert names(found)[0] == ["ann@example.org", "bob@example.org"]


def test_a_group_that_is_not_here_is_a_directorys(file: Path, accounts: Accounts) -> None:
    found = now(looked(file, accounts, "group:POP3 Relay", "group:Elsewhere"), accounts)
    assert [str(entry.to) for entry in found.groups_elsewhere] == ["group:Elsewhere"]


def test_an_open_relay_names_its_line(file: Path, accounts: Accounts) -> None:
    seen = looked(file, accounts, '["connect", "submit"], to', '["connect", "submit", "relay"], to')
    [error] = seen.findings.errors
    assert not seen.may_be_applied
    assert '"relay"' in seen.line(error.line)
    assert new_ones(seen.findings, looked(file, accounts).findings)[0] == error


def test_a_fault_names_its_line(file: Path, accounts: Accounts) -> None:
    seen = looked(file, accounts, '"require"', '"perhaps"')
    assert seen.settings is None
    assert all("perhaps" in seen.line(fault.line) for fault in seen.faults)


def test_the_file_is_compared_line_by_line(file: Path, accounts: Accounts) -> None:
    text = file.read_text()
    lines = in_the_file(text, text.replace(GRANT, ""))
    assert [line for line in lines if line[0] in "+-"] == [f"-  {GRANT}", "+  "]
    assert in_the_file(text, text) == []
