"""Aliases: where mail for an address goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from directory.directories import open_accounts
from gatepost.store.account_error import BadName, NameTaken, NotFound, OutsideTarget
from gatepost.store.accounts import Accounts
from gatepost.store.aliases import Alias

DOMAINS = ("example.org",)


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = open_accounts(tmp_path)
    yield accounts
    accounts.close()


def test_an_alias_has_several_targets_each_once(accounts: Accounts) -> None:
    added = accounts.aliases.add(
        "Sales@example.org",
        ["bob@example.org", "ann@example.org", "bob@Example.org"],
        domains=DOMAINS,
        by="x",
    )
    assert added.targets == ("bob@example.org", "ann@example.org")
    found = accounts.aliases.find("SALES@example.org")
    assert found == Alias("sales@example.org", ("ann@example.org", "bob@example.org"), outside=False)


def test_a_target_outside_must_be_meant(accounts: Accounts) -> None:
    with pytest.raises(OutsideTarget, match=r"bob@else\.example is outside the local domains; say --outside"):
        accounts.aliases.add("sales@example.org", ["bob@else.example"], domains=DOMAINS, by="x")
    alias = accounts.aliases.add(
        "sales@example.org", ["Bob@Else.example"], domains=DOMAINS, by="x", outside=True
    )
    assert alias.targets == ("Bob@else.example",)


def test_a_catch_all_is_one_a_domain(accounts: Accounts) -> None:
    assert (
        accounts.aliases.add("@Example.org", ["bob@example.org"], domains=DOMAINS, by="x").address
        == "@example.org"
    )
    with pytest.raises(NameTaken):
        accounts.aliases.add("@example.org", ["ann@example.org"], domains=DOMAINS, by="x")
    with pytest.raises(BadName):
        accounts.aliases.add("@else.example", ["ann@example.org"], domains=DOMAINS, by="x")


@pytest.mark.parametrize(
    "target", ["", "bob", "@example.org", "a b@example.org", "bob@", "bob@-", "x\r\n@example.org"]
)
def test_a_target_that_is_no_address_is_refused(accounts: Accounts, target: str) -> None:
    with pytest.raises(BadName):
        accounts.aliases.add("sales@example.org", [target], domains=DOMAINS, by="x", outside=True)


def test_an_alias_without_targets_is_refused(accounts: Accounts) -> None:
    with pytest.raises(BadName, match="goes nowhere"):
        accounts.aliases.add("sales@example.org", [], domains=DOMAINS, by="x")


def test_a_deleted_alias_is_gone_with_its_targets(accounts: Accounts) -> None:
    for targets in (["bob@example.org"], ["ann@example.org"]):
        accounts.aliases.add("sales@example.org", targets, domains=DOMAINS, by="x")
        found = accounts.aliases.find("sales@example.org")
        assert found is not None
        assert list(found.targets) == targets
        accounts.aliases.delete("sales@example.org", by="x")
    with pytest.raises(NotFound):
        accounts.aliases.delete("sales@example.org", by="x")
    assert accounts.aliases.page() == []
    assert [change.what for change in accounts.audit.changes()] == ["alias-delete", "alias-add"] * 2


def test_pages_follow_each_other(accounts: Accounts) -> None:
    names = [f"a{number}@example.org" for number in range(5)]
    for name in names:
        accounts.aliases.add(name, ["bob@example.org"], domains=DOMAINS, by="x")
    first = accounts.aliases.page(limit=3)
    second = accounts.aliases.page(after=first[-1].address, limit=3)
    assert [alias.address for alias in first + second] == names
