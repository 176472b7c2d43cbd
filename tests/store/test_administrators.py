"""Administrators, their links, keys and tokens: what is kept, what is refused, what is audited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatepost.store.account_error import BadName, LastAdministrator, NameTaken, NotFound
from gatepost.store.accounts import Accounts
from gatepost.store.administrators import SecurityKey
from gatepost.store.tokens import NewToken

DAY = timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    accounts = Accounts.open(tmp_path / "accounts.sqlite3", clock)
    yield accounts
    accounts.close()


def first(accounts: Accounts, name: str = "ann") -> None:
    secret = accounts.administrators.invite(None, lasts=DAY, by="init")
    assert accounts.administrators.accept(secret, name, "hash", by=name) is not None


def test_the_first_link_makes_an_administrator_once(accounts: Accounts) -> None:
    assert accounts.administrators.is_empty()
    secret = accounts.administrators.invite(None, lasts=DAY, by="init")
    made = accounts.administrators.accept(secret, "Ann", "hash", by="ann")
    assert made is not None
    assert (made.name, made.role) == ("ann", "administrator")
    assert accounts.administrators.accept(secret, "eve", "hash", by="eve") is None
    assert not accounts.administrators.is_empty()
    assert accounts.administrators.protected_names() == {"ann"}


def test_a_link_ends(accounts: Accounts, clock: Clock) -> None:
    secret = accounts.administrators.invite(None, lasts=DAY, by="init")
    clock.now += DAY
    assert accounts.administrators.invitation(secret) is None
    assert accounts.administrators.accept(secret, "ann", "hash", by="ann") is None


def test_a_newer_link_kills_the_older(accounts: Accounts) -> None:
    older = accounts.administrators.invite(None, lasts=DAY, by="init")
    newer = accounts.administrators.invite(None, lasts=DAY, by="init")
    assert accounts.administrators.invitation(older) is None
    assert accounts.administrators.invitation(newer) is not None


def test_a_link_is_for_one_name_and_takes_second_factors_away(accounts: Accounts) -> None:
    first(accounts)
    accounts.administrators.add("bob", "operator", by="ann")
    accounts.administrators.set_totp("bob", "SECRET", by="bob")
    accounts.administrators.add_key("bob", SecurityKey(b"id", b"key", 0, "blue", ""), by="bob")
    secret = accounts.administrators.invite("bob", lasts=DAY, by="ann")
    assert accounts.administrators.accept(secret, "ann", "hash", by="eve") is None
    bob = accounts.administrators.accept(secret, "bob", "hash2", by="bob")
    assert bob is not None
    assert (bob.password_hash, bob.has_second_factor, bob.role) == ("hash2", False, "operator")


def test_the_last_administrator_stays(accounts: Accounts) -> None:
    first(accounts)
    accounts.administrators.add("bob", "operator", by="ann")
    with pytest.raises(LastAdministrator):
        accounts.administrators.remove("ann", by="ann")
    with pytest.raises(LastAdministrator):
        accounts.administrators.set_role("ann", "viewer", by="ann")
    accounts.administrators.set_role("bob", "administrator", by="ann")
    accounts.administrators.remove("ann", by="bob")
    assert [one.name for one in accounts.administrators.all()] == ["bob"]


def test_names_are_taken_once_and_are_names(accounts: Accounts) -> None:
    first(accounts)
    with pytest.raises(NameTaken):
        accounts.administrators.add("ANN", "viewer", by="ann")
    for bad in ("", "a b", "a\x07", "x" * 200):
        with pytest.raises(BadName):
            accounts.administrators.add(bad, "viewer", by="ann")


def test_a_code_is_used_once(accounts: Accounts) -> None:
    first(accounts)
    number = accounts.administrators.get("ann").id
    assert accounts.administrators.use_step(number, 7)
    assert not accounts.administrators.use_step(number, 7)
    assert not accounts.administrators.use_step(number, 6)
    assert accounts.administrators.use_step(number, 8)


def test_somebody_of_a_directory_has_no_role_here(accounts: Accounts) -> None:
    first(accounts)
    accounts.administrators.remember("Carl@corp.example")
    carl = accounts.administrators.get("carl@corp.example")
    assert carl.role is None
    with pytest.raises(NotFound, match="directory"):
        accounts.administrators.invite("carl@corp.example", lasts=DAY, by="ann")
    assert "carl@corp.example" not in accounts.administrators.protected_names()


def test_every_change_is_audited_without_secrets(accounts: Accounts) -> None:
    first(accounts)
    accounts.administrators.set_totp("ann", "TOPSECRET", by="ann")
    _, secret = accounts.tokens.add(NewToken("backup", "viewer"), by="ann")
    changes = accounts.audit.changes()
    assert [one.what for one in changes] == ["token-add", "admin-totp", "admin-passwd", "admin-add"]
    assert "TOPSECRET" not in repr(changes)
    assert secret.reveal() not in repr(changes)


def test_a_token_is_proved_by_its_secret_alone(accounts: Accounts, clock: Clock) -> None:
    token, secret = accounts.tokens.add(
        NewToken("backup", "viewer", ("queue",), clock.now + DAY), by="ann"
    )  # fmt: skip
    assert accounts.tokens.proven(secret.reveal()) == token
    for wrong in (
        "",
        "gp_",
        f"gp_{token.id}_x",
        secret.reveal()[3:],
        "x" + secret.reveal(),
        "gp_\udcff_\udcff",
    ):
        assert accounts.tokens.proven(wrong) is None
    clock.now += DAY
    assert accounts.tokens.proven(secret.reveal()) is None


def test_a_revoked_token_is_worth_nothing(accounts: Accounts) -> None:
    token, secret = accounts.tokens.add(NewToken("backup", "viewer"), by="ann")
    accounts.tokens.revoke(token.id, by="ann")
    assert accounts.tokens.proven(secret.reveal()) is None
    with pytest.raises(NotFound):
        accounts.tokens.revoke(token.id, by="ann")


def test_whoever_goes_takes_the_tokens_along(accounts: Accounts) -> None:
    first(accounts)
    accounts.administrators.add("bob", "administrator", by="ann")
    _, secret = accounts.tokens.add(NewToken("backup", "administrator"), by="bob")
    accounts.administrators.remove("bob", by="ann")
    assert accounts.tokens.proven(secret.reveal()) is None
