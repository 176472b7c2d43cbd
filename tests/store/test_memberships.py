"""The ways through groups are the shortest, and loops end."""

from __future__ import annotations

from pathlib import Path

from directory.directories import open_accounts
from gatepost.store.memberships import Ways, paths_of_user


def test_ways_through_nested_groups(tmp_path: Path) -> None:
    accounts = open_accounts(tmp_path)
    domains = ["example.org"]
    ann = accounts.users.add("ann@example.org", domains=domains, by="t")
    for name in ("Sales", "Staff", "POP3 Relay", "Apart"):
        accounts.groups.add(name, by="t")

    def join(group: str, member: str) -> None:
        accounts.groups.join(group, member, by="t", domains=domains, guessable=())

    assert paths_of_user(accounts.database, ann.id) == {}
    join("Sales", "ann")
    join("Staff", "Sales")
    join("POP3 Relay", "Staff")
    expected = {
        "sales": ("Sales",),
        "staff": ("Sales", "Staff"),
        "pop3 relay": ("Sales", "Staff", "POP3 Relay"),
    }
    assert paths_of_user(accounts.database, ann.id) == expected == Ways(accounts.database).of(ann.id)
    join("Sales", "POP3 Relay")  # a loop
    assert paths_of_user(accounts.database, ann.id) == expected
    join("POP3 Relay", "ann")
    found = paths_of_user(accounts.database, ann.id)
    assert Ways(accounts.database).of(ann.id) == found
    assert found["pop3 relay"] == ("POP3 Relay",)
    assert found.keys() == accounts.groups.of_user(ann.id) == {"sales", "staff", "pop3 relay"}
    accounts.close()
