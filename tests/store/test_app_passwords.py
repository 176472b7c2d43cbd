"""Secrets of devices: drawn, kept as a hash, found, ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.directories import open_accounts
from gatepost.mail.address import Address
from gatepost.policy.allotment import Allotment
from gatepost.secret import Secret
from gatepost.store.account_error import BadName, NameTaken, NotFound
from gatepost.store.accounts import Accounts
from gatepost.store.app_password import (
    ALPHABET,
    AppPasswordChange,
    NewAppPassword,
    bare,
    drawn,
    grouped,
    networks_of,
    senders_of,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SCANNER = "scanner@example.org"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    accounts = open_accounts(tmp_path, clock=lambda: NOW)
    accounts.users.add(SCANNER, domains=["example.org"], by="test")
    yield accounts
    accounts.close()


def test_what_was_asked_for_is_kept(accounts: Accounts) -> None:
    new = NewAppPassword(
        "  Ricoh  2nd floor ",
        networks_of(["10.0.5.0/24", "2001:db8::7"]),
        senders_of(["Scan+a@example.org"]),
        Allotment(messages_per_minute=3, recipients_per_day=50),
        collects=True,
        expires=NOW + timedelta(days=9),
    )
    made, secret = accounts.app_passwords.add("Scanner@Example.org", new, by="ann", directory="ad")
    assert (made.account, made.directory, made.label, made.made_by) == (
        SCANNER,
        "ad",
        "Ricoh 2nd floor",
        "ann",
    )
    assert (made.networks, made.senders, made.limits) == (new.networks, new.senders, new.limits)
    assert (made.collects, made.created, made.expires) == (True, NOW, NOW + timedelta(days=9))
    assert made.own_senders == {Address("scan+a", "example.org")}
    text = bare(secret)
    assert text is not None
    assert accounts.app_passwords.of_secret(text) == made
    assert accounts.app_passwords.find(SCANNER, "RICOH 2ND FLOOR") == made
    assert accounts.app_passwords.all(SCANNER) == accounts.app_passwords.all() == [made]


def test_the_secret_itself_is_nowhere(accounts: Accounts, tmp_path: Path) -> None:
    made, secret = accounts.app_passwords.add(SCANNER, NewAppPassword("x"), by="ann")
    accounts.close()
    found = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.reveal().encode() not in found
    assert grouped(secret).encode() not in found
    assert secret.reveal() not in repr(made) + repr(secret)


def test_each_database_has_a_key_of_its_own(accounts: Accounts, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    Accounts.open(tmp_path / "other" / "accounts.sqlite3").close()
    keys = [
        sqlite3.connect(path).execute("SELECT value FROM secrets WHERE name = 'app-passwords'").fetchone()
        for path in (tmp_path / "accounts.sqlite3", tmp_path / "other" / "accounts.sqlite3")
    ]
    assert keys[0] != keys[1]


def test_one_that_is_revoked_is_known_and_its_label_is_free(accounts: Accounts) -> None:
    _, secret = accounts.app_passwords.add(SCANNER, NewAppPassword("NAS"), by="ann")
    with pytest.raises(NameTaken):
        accounts.app_passwords.add(SCANNER, NewAppPassword("nas"), by="ann")
    accounts.app_passwords.revoke(SCANNER, "nas", by="ann")
    assert accounts.app_passwords.all() == []
    found = accounts.app_passwords.of_secret(secret.reveal())
    assert found is not None
    assert found.revoked == NOW
    again, _ = accounts.app_passwords.add(SCANNER, NewAppPassword("NAS"), by="ann")
    assert again.number != found.number
    with pytest.raises(NotFound):
        accounts.app_passwords.revoke(SCANNER, "other", by="ann")
    assert [one.label for one in accounts.app_passwords.all(revoked=True)] == ["NAS", "NAS"]


def test_whoever_has_a_deleted_users_name_next_has_none_of_his_devices(accounts: Accounts) -> None:
    _, secret = accounts.app_passwords.add(SCANNER, NewAppPassword("NAS"), by="ann")
    accounts.users.delete(SCANNER, by="ann")
    accounts.users.add(SCANNER, domains=["example.org"], by="ann")
    assert accounts.app_passwords.all(SCANNER) == []
    found = accounts.app_passwords.of_secret(secret.reveal())
    assert found is not None
    assert found.revoked is not None


def test_both_ends_stand_in_the_audit(accounts: Accounts) -> None:
    accounts.app_passwords.add(SCANNER, NewAppPassword("NAS"), by="ann")
    accounts.app_passwords.revoke(SCANNER, "NAS", by="bob")
    found = [(change.who, change.what, change.subject) for change in accounts.audit.changes()][:2]
    assert sorted(found) == [("ann", "app-password-add", SCANNER), ("bob", "app-password-revoke", SCANNER)]


@pytest.mark.parametrize("label", ["", "   ", "x" * 65, "a\0b", "a\x1b[2J"])
def test_a_label_is_something_to_read(accounts: Accounts, label: str) -> None:
    with pytest.raises(BadName):
        accounts.app_passwords.add(SCANNER, NewAppPassword(label), by="ann")


@pytest.mark.parametrize("length", [0, 11, 65])
def test_a_secret_is_neither_too_short_nor_too_long(accounts: Accounts, length: int) -> None:
    with pytest.raises(BadName):
        accounts.app_passwords.add(SCANNER, NewAppPassword("x"), by="ann", length=length)


def test_what_has_ended_is_not_made(accounts: Accounts) -> None:
    with pytest.raises(BadName):
        accounts.app_passwords.add(SCANNER, NewAppPassword("x", expires=NOW), by="ann")


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "host", "::ffff:10.0.0.1", "10.0.5.0/33"])
def test_networks_are_networks(text: str) -> None:
    with pytest.raises(BadName):
        networks_of([text])


@given(
    st.integers(12, 64), st.lists(st.tuples(st.integers(0, 70), st.sampled_from("- ")), max_size=8), st.data()
)
def test_dashes_blanks_and_capitals_do_not_matter(
    length: int, between: list[tuple[int, str]], data: st.DataObject
) -> None:
    secret = drawn(length)
    text = secret.reveal()
    assert len(text) == length
    assert set(text) <= set(ALPHABET)
    assert bare(Secret(grouped(secret))) == text
    for at, what in between:
        text = text[:at] + what + text[at:]
    assert bare(Secret(data.draw(st.sampled_from([text, text.upper()])))) == secret.reveal()


@given(st.text(max_size=200))
def test_any_text_may_be_asked_about(text: str) -> None:
    found = bare(Secret(text))
    assert found is None or (12 <= len(found) <= 64 and set(found) <= set(ALPHABET))


def test_what_is_changed_is_changed_and_the_rest_stays(accounts: Accounts) -> None:
    kept = accounts.app_passwords
    new = NewAppPassword("NAS", networks_of(["10.0.5.0/24"]), limits=Allotment(3, None, 50))
    made, secret = kept.add(SCANNER, new, by="ann")
    moved = kept.change(SCANNER, "nas", AppPasswordChange(networks_of(["10.0.9.0/24"])), by="ann")
    assert moved == replace(made, networks=networks_of(["10.0.9.0/24"]))
    change = AppPasswordChange(
        (), senders_of(["a@example.org"]), Allotment(0, 7), collects=True, expires=NOW + timedelta(1)
    )
    changed = kept.change(SCANNER, "nas", change, by="ann")
    assert changed.limits == Allotment(None, 7, 50)
    assert (changed.networks, changed.collects, changed.expires) == ((), True, NOW + timedelta(1))
    assert kept.of_secret(secret.reveal()) == changed
    with pytest.raises(BadName):
        kept.change(SCANNER, "nas", AppPasswordChange(expires=NOW), by="ann")
    assert kept.change(SCANNER, "nas", AppPasswordChange(unending=True), by="ann").expires is None
    [last] = accounts.audit.changes(limit=1)
    assert (last.what, last.after) == ("app-password-change", {"expires": None})
    with pytest.raises(NotFound):
        kept.change(SCANNER, "other", AppPasswordChange(), by="ann")
