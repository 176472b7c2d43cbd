"""Users: added, changed, found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from directory.directories import open_accounts
from gatepost.store import tables
from gatepost.store.account_error import AccountError, Ambiguous, BadName, NameTaken, NotFound
from gatepost.store.accounts import Accounts
from gatepost.store.user import Credential, ScramKeys

DOMAINS = ("example.org", "example.net")
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CREDENTIAL = Credential("$argon2id$...", ScramKeys(b"salt", 4096, b"stored", b"server"))


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = open_accounts(tmp_path, clock=lambda: NOW)
    yield accounts
    accounts.close()


def test_a_user_is_found_by_any_writing_of_its_name(accounts: Accounts) -> None:
    added = accounts.users.add("Bob@Example.ORG", domains=DOMAINS, by="ann", full_name="Bob Brown")
    assert added.name == "bob@example.org"
    assert added.created == NOW
    for name in ("bob", "BOB", " bob@example.org ", "Bob@EXAMPLE.org"):
        assert accounts.users.find(name, DOMAINS) == added


def test_a_bare_name_that_two_domains_have_is_nobody(accounts: Accounts) -> None:
    for domain in DOMAINS:
        accounts.users.add(f"bob@{domain}", domains=DOMAINS, by="ann")
    assert accounts.users.find("bob", DOMAINS) is None
    with pytest.raises(Ambiguous, match="2 domains; give the whole address"):
        accounts.users.get("bob", DOMAINS)
    assert accounts.users.get("bob", DOMAINS[:1]).name == "bob@example.org"


def test_an_international_domain_is_found_in_both_writings(accounts: Accounts) -> None:
    added = accounts.users.add("jörg@münchen.example", domains=["xn--mnchen-3ya.example"], by="ann")
    assert added.name == "jörg@xn--mnchen-3ya.example"
    assert accounts.users.find("JO\u0308RG@MÜNCHEN.example") == added


@pytest.mark.parametrize(
    "name",
    [
        *("", "@example.org", "bob", "bob@elsewhere.example", "a b@example.org", "a/b@example.org"),
        *("../x@example.org", "a%b@example.org", "a!b@example.org", '"a"@example.org', "a@b@example.org"),
        *(
            ".a@example.org",
            "a..b@example.org",
            "a\nb@example.org",
            "a\0@example.org",
            "a\u200bb@example.org",
        ),
        "a" * 65 + "@example.org",
    ],
)
def test_a_name_that_cannot_be_one_is_refused_in_one_line(accounts: Accounts, name: str) -> None:
    with pytest.raises(BadName) as refusal:
        accounts.users.add(name, domains=DOMAINS, by="ann")
    assert str(refusal.value).isprintable()
    assert refusal.value.remedy
    assert accounts.users.count() == 0


def test_an_address_belongs_to_one_account(accounts: Accounts) -> None:
    users = accounts.users
    users.add(
        "bob@example.org", domains=DOMAINS, by="ann", addresses=["robert@example.org", "BOB@example.org"]
    )
    accounts.aliases.add("sales@example.org", ["bob@example.org"], domains=DOMAINS, by="ann")
    assert users.get("bob", DOMAINS).addresses == ("robert@example.org",)
    for taken in ("bob@example.org", "Robert@example.org", "sales@example.org"):
        with pytest.raises(NameTaken):
            users.add(taken, domains=DOMAINS, by="ann")
        with pytest.raises(NameTaken):
            users.add("zoe@example.org", domains=DOMAINS, by="ann", addresses=[taken])
        with pytest.raises(NameTaken):
            accounts.aliases.add(taken, ["bob@example.org"], domains=DOMAINS, by="ann")
    assert users.count() == 1


def test_further_addresses_are_replaced_as_a_whole(accounts: Accounts) -> None:
    users = accounts.users
    users.add("bob@example.org", domains=DOMAINS, by="ann", addresses=["b@example.org", "c@example.org"])
    changed = users.set_addresses(
        "bob@example.org", ["c@example.org", "d@example.org"], domains=DOMAINS, by="ann"
    )
    assert changed.addresses == ("c@example.org", "d@example.org")
    assert users.get("bob@example.org") == changed


def test_a_password_replaces_the_one_before(accounts: Accounts) -> None:
    users = accounts.users
    bob = users.add("bob@example.org", domains=DOMAINS, by="ann")
    assert users.credential("bob@example.org") is None
    users.set_password("bob@example.org", CREDENTIAL, by="ann")
    assert users.credential("Bob@example.org") == CREDENTIAL
    newer = replace(CREDENTIAL, password_hash="$argon2id$newer", scram=None)
    users.renew_credential(bob.id, "$argon2id$another", newer)
    assert users.credential("bob@example.org") == CREDENTIAL
    users.renew_credential(bob.id, CREDENTIAL.password_hash, newer)
    assert users.credential("bob@example.org") == newer


def test_no_credential_is_printed(accounts: Accounts) -> None:
    shown = f"{CREDENTIAL} {CREDENTIAL!r} {CREDENTIAL.scram}"
    assert "argon2id" not in shown
    assert "stored" not in shown


def test_each_change_is_audited_without_secrets(accounts: Accounts) -> None:
    users = accounts.users
    users.add("bob@example.org", domains=DOMAINS, by="ann", credential=CREDENTIAL)
    users.set_password("bob@example.org", CREDENTIAL, by="ann")
    users.set_disabled("bob@example.org", disabled=True, by="zoe")
    users.set_disabled("bob@example.org", disabled=True, by="zoe")  # changes nothing
    users.set_administrator("bob@example.org", administrator=True, by="zoe")
    users.set_full_name("bob@example.org", "Bob", by="zoe")
    users.set_quota("bob@example.org", 10_000, by="zoe")
    users.delete("bob@example.org", by="zoe")
    changes = list(reversed(accounts.audit.changes(subject="bob@example.org")))
    assert [change.what for change in changes] == [
        *("user-add", "user-passwd", "user-disable", "user-administrator", "user-full-name"),
        *("user-quota", "user-delete"),
    ]
    assert changes[2].who == "zoe"
    assert changes[2].at == NOW
    assert (changes[2].before, changes[2].after) == ({"disabled": False}, {"disabled": True})
    assert "argon2" not in str(changes)


def test_a_deleted_user_takes_memberships_and_addresses_along(accounts: Accounts) -> None:
    users = accounts.users
    old = users.add("bob@example.org", domains=DOMAINS, by="ann", addresses=["b@example.org"])
    accounts.groups.add("Staff", by="ann")
    accounts.groups.join("Staff", "bob", by="ann", domains=DOMAINS, guessable=())
    users.delete("bob@example.org", by="ann")
    assert accounts.groups.members("Staff") == []
    new = users.add("bob@example.org", domains=DOMAINS, by="ann", addresses=["b@example.org"])
    assert new.id != old.id
    assert accounts.groups.of_user(new.id) == frozenset()


def test_changes_to_nobody_are_refused(accounts: Accounts) -> None:
    users = accounts.users
    changes: list[Callable[[], object]] = [
        lambda: users.get("zoe@example.org"),
        lambda: users.set_password("zoe@example.org", CREDENTIAL, by="ann"),
        lambda: users.set_disabled("zoe@example.org", disabled=True, by="ann"),
        lambda: users.delete("zoe@example.org", by="ann"),
    ]
    for change in changes:
        with pytest.raises(NotFound, match=r"no user 'zoe@example\.org'; gatepost user list"):
            change()
    assert accounts.audit.changes() == []


def test_every_account_error_is_a_problem_and_a_remedy() -> None:
    for kind in AccountError.__subclasses__():
        error = kind("no", "do")
        assert str(error) == "no; do"


def test_a_page_goes_on_where_the_last_ended(accounts: Accounts) -> None:
    users = accounts.users
    names = [f"u{number:03d}@example.org" for number in range(25)]
    for name in names:
        users.add(name, domains=DOMAINS, by="ann", full_name=f"Number {name[1:4]}")
    first = users.page(limit=10)
    second = users.page(after=first[-1].name, limit=10)
    assert [user.name for user in first + second] == names[:20]
    assert [user.name for user in users.page(containing="NUMBER 01")] == names[10:20]
    assert [user.name for user in users.page(containing="u02")] == names[20:25]
    assert users.page(containing="%") == []
    assert [user.name for user in users.all()] == names


def test_a_hundred_thousand_users_are_no_burden(accounts: Accounts) -> None:
    rows = [
        {
            "id": number,
            "name": f"user{number}@example.org",
            "local": f"user{number}",
            "full_name": "",
            "disabled": False,
            "administrator": number == 77_777,
            "created": NOW.isoformat(),
        }
        for number in range(1, 100_001)
    ]
    with accounts.database.writing() as connection:
        connection.execute(insert(tables.users), rows)
        connection.execute(
            insert(tables.groups), [{"id": n, "key": f"g{n}", "name": f"G{n}"} for n in range(1, 51)]
        )
        members = [{"group_id": 1 + n % 50, "user_id": n} for n in range(1, 100_001)]
        connection.execute(insert(tables.group_users), members)
        chain = [{"group_id": n, "member_id": n + 1} for n in range(1, 50)]
        connection.execute(insert(tables.group_groups), chain)
    began = time.process_time()
    for _ in range(20):
        assert accounts.users.get("user99999", DOMAINS).id == 99_999
        assert len(accounts.users.page(after="user5", limit=100)) == 100
        assert [user.id for user in accounts.users.administrators()] == [77_777]
        assert len(accounts.groups.of_user(50)) == 1
        assert len(accounts.groups.of_user(49)) == 50
        assert len(accounts.groups.members("g1", limit=100)) == 100
    assert (time.process_time() - began) / 20 < 1
