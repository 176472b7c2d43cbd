"""Groups: nested, looped, and kept from giving relay to those who must not have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from directory.directories import open_accounts
from gatepost.store import tables
from gatepost.store.account_error import Ambiguous, BadMember, BadName, NameTaken, NotFound, ProtectedMember
from gatepost.store.accounts import Accounts

DOMAINS = ("example.org",)
GUESSABLE = ("administrator", "root", "Test")
RELAY = ("POP3 Relay",)
GROUPS = 6
USERS = 4


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = open_accounts(tmp_path)
    for name in ("ann", "bob", "root", "test"):
        accounts.users.add(f"{name}@example.org", domains=DOMAINS, by="x", administrator=name == "ann")
    for name in ("POP3 Relay", "Office", "Outer"):
        accounts.groups.add(name, by="x")
    yield accounts
    accounts.close()


def join(accounts: Accounts, group: str, member: str, *, even_so: bool = False) -> None:
    accounts.groups.join(
        group, member, by="x", domains=DOMAINS, guessable=GUESSABLE, relay_groups=RELAY, even_so=even_so
    )


def of(accounts: Accounts, name: str) -> frozenset[str]:
    return accounts.groups.of_user(accounts.users.get(name, DOMAINS).id)


def test_a_group_has_one_name_whatever_its_case(accounts: Accounts) -> None:
    with pytest.raises(NameTaken, match="there is a group 'POP3 Relay'"):
        accounts.groups.add("pop3  RELAY ", by="x")
    assert accounts.groups.get("Pop3 Relay").name == "POP3 Relay"


@pytest.mark.parametrize("name", ["", "  ", "a@b", "a:b", "a\x1bb", "a" * 129])
def test_a_name_that_cannot_be_a_groups_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(BadName):
        accounts.groups.add(name, by="x")


def test_members_may_be_users_and_groups(accounts: Accounts) -> None:
    join(accounts, "POP3 Relay", "office")
    join(accounts, "Office", "bob")
    join(accounts, "Office", "bob@example.org")  # again: nothing changes
    assert of(accounts, "bob") == {"office", "pop3 relay"}
    assert accounts.groups.get("POP3 Relay").groups == ("Office",)
    assert accounts.groups.get("Office").user_count == 1
    assert accounts.groups.members("POP3 Relay") == []
    assert accounts.groups.members("POP3 Relay", nested=True) == ["bob@example.org"]
    accounts.groups.leave("pop3 relay", "Office", by="x", domains=DOMAINS)
    assert of(accounts, "bob") == {"office"}
    assert [change.what for change in accounts.audit.changes(limit=4)] == ["group-leave"] + [
        "group-join"
    ] * 2 + ["group-add"]


def test_what_is_no_member_cannot_leave(accounts: Accounts) -> None:
    with pytest.raises(BadMember, match=r"bob@example\.org is not itself a member of 'Office'"):
        accounts.groups.leave("Office", "bob", by="x", domains=DOMAINS)


def test_a_group_cannot_join_itself(accounts: Accounts) -> None:
    with pytest.raises(BadMember, match="own member"):
        join(accounts, "Office", "OFFICE")


def test_unknown_groups_and_members_are_named(accounts: Accounts) -> None:
    with pytest.raises(NotFound, match="no group 'Nobody'"):
        join(accounts, "Nobody", "bob")
    with pytest.raises(NotFound, match="no user or group 'nobody'"):
        join(accounts, "Office", "nobody")


def test_a_name_that_is_both_must_say_which(accounts: Accounts) -> None:
    accounts.groups.add("bob", by="x")
    with pytest.raises(Ambiguous):
        join(accounts, "Office", "bob")
    join(accounts, "Office", "user:bob")
    join(accounts, "Office", "group:bob")
    group = accounts.groups.get("Office")
    assert (group.groups, group.user_count) == (("bob",), 1)


@pytest.mark.parametrize(
    ("member", "why"), [("ann", "administrator"), ("root", "attackers try"), ("test", "attackers try")]
)
def test_who_is_protected_does_not_join_what_gives_relay(accounts: Accounts, member: str, why: str) -> None:
    with pytest.raises(
        ProtectedMember, match=rf"{member}@example\.org .*{why}.*'POP3 Relay' gives relay.*--even-so"
    ):
        join(accounts, "POP3 Relay", member)
    assert of(accounts, member) == frozenset()
    join(accounts, "Office", member)  # gives nothing
    join(accounts, "POP3 Relay", member, even_so=True)
    assert of(accounts, member) == {"office", "pop3 relay"}


def test_nor_through_a_group_that_joins(accounts: Accounts) -> None:
    join(accounts, "Outer", "Office")
    join(accounts, "Office", "ann")
    with pytest.raises(
        ProtectedMember, match=r"ann@example\.org \(through group 'Outer'\) is an administrator"
    ):
        join(accounts, "POP3 Relay", "Outer")


def test_nor_through_a_group_that_is_in_it_already(accounts: Accounts) -> None:
    join(accounts, "POP3 Relay", "Outer")
    join(accounts, "Outer", "Office")
    with pytest.raises(ProtectedMember, match="'Office' gives relay"):
        join(accounts, "Office", "root")


def test_unless_told_otherwise_any_group_may_give_relay(accounts: Accounts) -> None:
    with pytest.raises(ProtectedMember):
        accounts.groups.join("Office", "ann", by="x", domains=DOMAINS, guessable=())


Links = st.frozensets(st.tuples(st.integers(0, GROUPS - 1), st.integers(0, GROUPS - 1)))
Memberships = st.frozensets(st.tuples(st.integers(0, GROUPS - 1), st.integers(0, USERS - 1)))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    accounts = open_accounts(tmp_path_factory.mktemp("groups"))
    for number in range(USERS):
        accounts.users.add(f"u{number}@example.org", domains=DOMAINS, by="x")
    for number in range(GROUPS):
        accounts.groups.add(f"G{number}", by="x")
    yield accounts
    accounts.close()


def reference(links: frozenset[tuple[int, int]], members: frozenset[tuple[int, int]], user: int) -> set[str]:
    """What a user is in, said as simply as can be: add groups until none is added."""
    inside = {group for group, member in members if member == user}
    while True:
        more = {outer for outer, inner in links if inner in inside} - inside
        if not more:
            return {f"g{number}" for number in inside}
        inside |= more


@settings(max_examples=60)
@given(links=Links, members=Memberships)
def test_nested_groups_are_what_the_reference_says(
    many: Accounts, links: frozenset[tuple[int, int]], members: frozenset[tuple[int, int]]
) -> None:
    """Loops too, and even groups in themselves, as another program could have left them."""
    with many.database.writing() as connection:
        connection.execute(delete(tables.group_groups))
        connection.execute(delete(tables.group_users))
        for outer, inner in links:
            connection.execute(insert(tables.group_groups).values(group_id=outer + 1, member_id=inner + 1))
        for group, user in members:
            connection.execute(insert(tables.group_users).values(group_id=group + 1, user_id=user + 1))
    expected = [reference(links, members, user) for user in range(USERS)]
    assert [many.groups.of_user(user + 1) for user in range(USERS)] == expected
    for number in range(GROUPS):
        inside = [f"u{user}@example.org" for user in range(USERS) if f"g{number}" in expected[user]]
        assert many.groups.members(f"G{number}", nested=True) == inside
