"""The local directory: who someone is, and how soon a change is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from directory.directories import CHEAP, DOMAINS, House, open_house
from gatepost.directory.directory import Refusal, Unavailable, UnknownRecipient
from gatepost.directory.password import Cost
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as house:
        house.add("bob@example.org", "tangerine")
        yield house


def identity(house: House, name: str) -> Identity | None:
    return asyncio.run(house.directory.identity(name))


def verify(house: House, name: str, password: str) -> str | Reason:
    answer = asyncio.run(house.directory.verify(name, Secret(password)))
    return answer.reason if isinstance(answer, Refusal) else answer.name


def test_an_identity_has_names_addresses_and_all_groups(house: House) -> None:
    accounts = house.accounts
    accounts.users.set_addresses("bob@example.org", ["Robert@example.net"], domains=DOMAINS, by="x")
    for name in ("POP3 Relay", "Office"):
        accounts.groups.add(name, by="x")
    for group, member in (("POP3 Relay", "Office"), ("Office", "bob@example.org"), ("Office", "POP3 Relay")):
        accounts.groups.join(group, member, by="x", domains=DOMAINS, guessable=())
    house.directory.refresh()
    assert identity(house, "BOB") == Identity(
        name="bob@example.org",
        names=frozenset({"bob", "bob@example.org"}),
        addresses=frozenset({Address("bob", "example.org"), Address("robert", "example.net")}),
        groups=frozenset({"pop3 relay", "office"}),
        privileged=False,
        guessable=False,
        directory="local",
    )


def test_an_administrator_is_privileged(house: House) -> None:
    house.add("ann@example.org", administrator=True)
    house.directory.refresh()
    found = identity(house, "ann")
    assert found is not None
    assert found.privileged


@pytest.mark.parametrize(
    ("name", "guessable"),
    [
        *(("root@example.org", True), ("test@example.net", True), ("scan@example.org", True)),
        *(("scan@example.net", False), ("rooted@example.org", False)),
    ],
)
def test_a_name_attackers_try_is_guessable(house: House, name: str, guessable: bool) -> None:
    house.add(name)
    house.directory.refresh()
    found = identity(house, name)
    assert found is not None
    assert found.guessable is guessable


def test_an_international_address_is_ones_own_in_both_writings(house: House) -> None:
    house.accounts.users.add("zoë@münchen.example", domains=["münchen.example"], by="x")
    house.directory.refresh()
    found = identity(house, "ZOË@xn--mnchen-3ya.example")
    assert found is not None
    assert found.addresses == {
        Address("zoë", "münchen.example"),
        Address("zoë", "xn--mnchen-3ya.example"),
    }


def test_a_bare_name_in_two_domains_is_nobodys(house: House) -> None:
    house.add("bob@forward.example", "mandarin")
    house.directory.refresh()
    assert identity(house, "bob") is None
    assert verify(house, "bob", "tangerine") is Reason.UNKNOWN_USER
    found = identity(house, "bob@example.org")
    assert found is not None
    assert found.names == {"bob@example.org"}


def test_a_further_address_is_a_name_too(house: House) -> None:
    house.accounts.users.set_addresses(
        "bob@example.org", ["robert@example.org", "bücher@example.net"], domains=DOMAINS, by="x"
    )
    house.directory.refresh()
    for name in ("robert@example.org", " Robert@EXAMPLE.org", "bücher@example.net", "bob"):
        assert verify(house, name, "tangerine") == "bob@example.org"
        assert verify(house, name, "mandarin") is Reason.WRONG_PASSWORD
        assert asyncio.run(house.directory.scram_keys(name)) is not None
    for name in ("robert", "b\u00fccher", "rob@example.org"):
        assert verify(house, name, "tangerine") is Reason.UNKNOWN_USER
    house.accounts.users.set_addresses("bob@example.org", [], domains=DOMAINS, by="x")
    assert verify(house, "robert@example.org", "tangerine") is Reason.UNKNOWN_USER


def test_a_bare_name_is_not_sought_in_other_domains(house: House) -> None:
    house.add("zoe@example.net", "mandarin")
    assert identity(house, "zoe") is None
    assert identity(house, "zoe@example.net") is not None


@pytest.mark.parametrize(
    ("name", "password", "answer"),
    [
        ("bob", "tangerine", "bob@example.org"),
        (" Bob@Example.org ", "tangerine", "bob@example.org"),
        ("bob", "Tangerine", Reason.WRONG_PASSWORD),
        ("bob", "x" * 2_000, Reason.WRONG_PASSWORD),
        ("bob", "\ud800", Reason.WRONG_PASSWORD),
        ("zoe", "tangerine", Reason.UNKNOWN_USER),
        ("", "tangerine", Reason.UNKNOWN_USER),
        ("bo\ud800b\0", "tangerine", Reason.UNKNOWN_USER),
        ("CORP\\bob", "tangerine", Reason.UNKNOWN_USER),
        ("bob", "", Reason.EMPTY_PASSWORD),
        ("zoe", "", Reason.EMPTY_PASSWORD),
        ("keyless", "tangerine", Reason.WRONG_PASSWORD),
        ("closed", "mandarin", Reason.ACCOUNT_DISABLED),
        ("closed", "tangerine", Reason.WRONG_PASSWORD),
    ],
)
def test_a_password_is_judged(house: House, name: str, password: str, answer: str | Reason) -> None:
    house.add("keyless@example.org")
    house.add("closed@example.org", "mandarin")
    house.accounts.users.set_disabled("closed@example.org", disabled=True, by="x")
    assert verify(house, name, password) == answer
    assert verify(house, name, password) == answer  # now perhaps from memory


def test_a_change_counts_at_the_next_login(house: House) -> None:
    """Made by another process, and although the password was proved a moment ago."""
    assert verify(house, "bob", "tangerine") == "bob@example.org"
    other = Accounts.open(house.log_path.with_name("accounts.sqlite3"))
    other.users.set_password("bob@example.org", house.passwords.credential(Secret("mandarin")), by="x")
    assert verify(house, "bob", "tangerine") is Reason.WRONG_PASSWORD
    assert verify(house, "bob", "mandarin") == "bob@example.org"
    other.users.set_disabled("bob@example.org", disabled=True, by="x")
    assert verify(house, "bob", "mandarin") is Reason.ACCOUNT_DISABLED
    other.users.delete("bob@example.org", by="x")
    assert verify(house, "bob", "mandarin") is Reason.UNKNOWN_USER
    other.close()


def test_an_account_made_anew_does_not_inherit_a_proof(house: House) -> None:
    assert verify(house, "bob", "tangerine") == "bob@example.org"
    house.accounts.users.delete("bob@example.org", by="x")
    house.add("bob@example.org", "mandarin")
    assert verify(house, "bob", "tangerine") is Reason.WRONG_PASSWORD


def test_a_password_changed_while_it_is_checked_does_not_let_in(house: House) -> None:
    async def facts() -> None:
        slow = asyncio.create_task(house.directory.verify("bob", Secret("tangerine")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the check is with a thread
        house.accounts.users.set_password(
            "bob@example.org", house.passwords.credential(Secret("mandarin")), by="x"
        )
        assert await slow == Refusal(Reason.WRONG_PASSWORD)

    asyncio.run(facts())


def test_a_password_kept_anew_while_it_is_checked_is_still_right(house: House) -> None:
    """One of fifty sessions has it kept under new parameters while the others are asked about the old."""

    async def facts() -> None:
        slow = asyncio.create_task(house.directory.verify("bob", Secret("tangerine")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the check is with a thread
        again = house.passwords.credential(Secret("tangerine"))
        house.accounts.users.set_password("bob@example.org", again, by="x")
        answer = await slow
        assert isinstance(answer, Identity)

    asyncio.run(facts())


def test_a_proved_password_needs_no_thread(house: House) -> None:
    assert verify(house, "bob", "tangerine") == "bob@example.org"
    house.passwords.close()
    assert verify(house, "bob", "tangerine") == "bob@example.org"
    house.clock.now += 301
    with pytest.raises(RuntimeError, match="shutdown"):
        verify(house, "bob", "tangerine")


def test_refresh_tells_changes_and_moves_the_generation(house: House) -> None:
    house.directory.refresh()
    generation = house.directory.generation
    assert identity(house, "bob") is not None
    assert house.directory.resolve(Address("zoe", "example.org")) == UnknownRecipient()
    assert not house.directory.refresh()
    house.accounts.users.set_disabled("bob@example.org", disabled=True, by="x")
    house.add("zoe@example.org")
    assert house.directory.generation == generation
    assert identity(house, "bob") is not None  # as remembered
    assert house.directory.refresh()
    assert house.directory.generation == generation + 1
    assert identity(house, "bob") is None
    assert house.directory.resolve(Address("zoe", "example.org")) != UnknownRecipient()


def test_a_login_keeps_the_password_under_todays_parameters(tmp_path: Path) -> None:
    with open_house(tmp_path, cost=CHEAP) as house:
        house.add("bob@example.org", "tangerine")
    with open_house(tmp_path, cost=Cost(memory_kib=16, passes=1)) as house:
        before = house.accounts.users.credential("bob@example.org")
        assert verify(house, "bob", "mandarin") is Reason.WRONG_PASSWORD
        assert house.accounts.users.credential("bob@example.org") == before
        assert verify(house, "bob", "tangerine") == "bob@example.org"
        after = house.accounts.users.credential("bob@example.org")
        assert after is not None
        assert "m=16," in after.password_hash
        assert verify(house, "bob", "tangerine") == "bob@example.org"
        assert house.accounts.users.credential("bob@example.org") == after


def test_scram_keys_are_the_users_and_what_they_proved_is_looked_at_again(house: House) -> None:
    async def facts() -> None:
        directory, users = house.directory, house.accounts.users
        keys = await directory.scram_keys("BOB")
        credential = users.credential("bob@example.org")
        assert credential is not None
        assert keys is not None
        assert keys == credential.scram
        assert await directory.scram_keys("zoe") is None
        proven = await directory.proven("bob", keys)
        assert isinstance(proven, Identity)
        users.set_disabled("bob@example.org", disabled=True, by="x")
        assert await directory.proven("bob", keys) == Refusal(Reason.ACCOUNT_DISABLED)
        users.set_disabled("bob@example.org", disabled=False, by="x")
        users.set_password("bob@example.org", house.passwords.credential(Secret("mandarin")), by="x")
        assert await directory.proven("bob", keys) == Refusal(Reason.WRONG_PASSWORD)
        assert await directory.proven("zoe", keys) == Refusal(Reason.UNKNOWN_USER)

    asyncio.run(facts())


def test_a_database_that_fails_is_unavailable_not_a_no(house: House) -> None:
    with house.accounts.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE users RENAME TO elsewhere")
    house.directory.refresh()
    with pytest.raises(Unavailable):
        verify(house, "bob", "tangerine")
    with pytest.raises(Unavailable):
        identity(house, "bob")
    with pytest.raises(Unavailable):
        house.directory.resolve(Address("bob", "example.org"))
