"""An administrator of Gatepost is privileged, however it is one; relay then needs an entry that names it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from gatepost.directory.protected import Protected
from gatepost.policy.access import Effect, Entry, Right, Table, may
from gatepost.policy.facts import UNKNOWN, Facts, Identity
from gatepost.policy.principal import parse_principal
from gatepost.policy.reasons import Reason
from gatepost.store.accounts import Accounts

GROUP = parse_principal("group:Mail Admins")


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = Accounts.open(tmp_path / "accounts.sqlite3")
    yield accounts
    accounts.close()


def identity(name: str, *groups: str) -> Identity:
    return Identity(name, frozenset({name, name.partition("@")[0]}), frozenset(), frozenset(groups))


def test_a_name_of_gateposts_own_is_marked_from_its_first_moment(accounts: Accounts) -> None:
    protected = Protected(accounts, ())
    assert not protected.marked(identity("ann@example.org")).privileged
    accounts.administrators.add("ann", "administrator", by="test")
    assert protected.marked(identity("ann@example.org")).privileged
    accounts.administrators.add("bob", "administrator", by="test")
    accounts.administrators.remove("ann", by="test")
    assert not protected.marked(identity("ann@example.org")).privileged


def test_an_operator_is_not_marked(accounts: Accounts) -> None:
    accounts.administrators.add("ann", "operator", by="test")
    assert not Protected(accounts, ()).marked(identity("ann@example.org")).privileged


def test_a_group_of_a_directory_is_marked(accounts: Accounts) -> None:
    protected = Protected(accounts, [GROUP, parse_principal("user:carl@example.org")])
    assert protected.marked(identity("ann@example.org", "mail admins", "sales")).privileged
    assert protected.marked(identity("carl@example.org")).privileged
    assert not protected.marked(identity("bob@example.org", "sales")).privileged


def test_unknown_groups_are_not_guessed(accounts: Accounts) -> None:
    unknown = Identity("ann@example.org", frozenset({"ann@example.org"}), frozenset(), UNKNOWN)
    assert Protected(accounts, [GROUP]).marked(unknown) == unknown


def test_no_group_gives_it_relay_but_an_entry_that_names_it_does(accounts: Accounts) -> None:
    accounts.administrators.add("ann", "administrator", by="test")
    ann = Protected(accounts, ()).marked(identity("ann@example.org", "sales"))
    facts = Facts(ip_address("192.0.2.1"), tls=True, identity=ann, hostnames=frozenset())

    def relay(*to: str) -> Reason:
        rights = frozenset({Right.RELAY})
        table = Table(tuple(Entry(Effect.ALLOW, rights, parse_principal(one)) for one in to))
        return may(Right.RELAY, facts, table).reason

    assert relay("group:Sales", "authenticated") is Reason.PROTECTED_ACCOUNT
    assert relay("group:Sales", "user:ann@example.org") is Reason.ALLOWED
