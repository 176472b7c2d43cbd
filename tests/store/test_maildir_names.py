"""Accounts to folders, files to identifiers: never out of the folder, never two alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.store.mailboxname import account_name, folder_name
from gatepost.store.uidl import UniqueNames, flags, key, mark, uidl, virtual_size

NAMES = st.text(min_size=1, max_size=300) | st.sampled_from(
    [
        "..",
        ".",
        "/",
        "../../etc/passwd",
        "a/b",
        "a\0b",
        "Bob",
        "CORP\\bob",
        "bob@example.org",
        "%2e%2e",
        "ß",
        "ss",
    ]
)


@given(NAMES)
def test_a_folder_is_a_plain_name(account: str) -> None:
    folder = folder_name(account)
    assert re.fullmatch(r"[a-z0-9@_+=%~-][a-z0-9@._+=%~-]{0,199}", folder)


@given(NAMES, NAMES)
def test_two_accounts_never_share_a_folder(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) == (one.lower() == other.lower())


@given(NAMES)
def test_the_account_comes_back(account: str) -> None:
    folder = folder_name(account)
    if "%~" not in folder:
        assert account_name(folder) == account.lower()


@pytest.mark.parametrize(
    ("account", "folder"),
    [
        ("bob", "bob"),
        ("Bob@Example.org", "bob@example.org"),
        ("..", "%2e."),
        ("../x", "%2e.%2fx"),
        ("CORP\\bob", "corp%5cbob"),
        ("müller", "m%c3%bcller"),
        (".hidden", "%2ehidden"),
    ],
)
def test_folders_of_some_accounts(account: str, folder: str) -> None:
    assert folder_name(account) == folder


@pytest.mark.parametrize("folder", ["", "..", "lost+found/", "Bob", "~1-2", "%zz", "a%2E"])
def test_a_folder_of_others_is_no_account(folder: str) -> None:
    assert account_name(folder) is None


def test_nobody_has_no_mailbox() -> None:
    with pytest.raises(ValueError):
        folder_name("")


@given(st.binary(min_size=1, max_size=120).filter(lambda name: b"/" not in name))
def test_every_file_has_an_identifier_that_may_be_shown(name: bytes) -> None:
    assert re.fullmatch(r"[\x21-\x7e]{1,70}", uidl(key(name)))


@given(st.lists(st.binary(min_size=1, max_size=90), unique=True, max_size=20))
def test_two_keys_have_two_identifiers(keys: list[bytes]) -> None:
    assert len({uidl(one) for one in keys}) == len(keys)


@pytest.mark.parametrize(
    ("name", "of_key", "size", "letters"),
    [
        (b"1.M2P3Q4.h,S=10,W=12:2,FS", b"1.M2P3Q4.h", 12, "FS"),
        (b"1.M2P3Q4.h,S=10,W=12", b"1.M2P3Q4.h", 12, ""),
        (b"1.M2P3Q4.h:2,", b"1.M2P3Q4.h", None, ""),
        (b"1.M2P3Q4.h,W=x:2,S", b"1.M2P3Q4.h", None, "S"),
        (b"a,b:2,S", b"a,b", None, "S"),
        (b"1.h,S=5:2,Sab", b"1.h", None, "Sab"),
        (b"1.h,W=5,S=4:2,T", b"1.h", 5, "T"),
        (b",S=5", b"", None, ""),
    ],
)
def test_parts_of_names(name: bytes, of_key: bytes, size: int | None, letters: str) -> None:
    assert (key(name), virtual_size(name), flags(name)) == (of_key, size, letters)


def test_made_names_differ_sort_and_fit() -> None:
    names = UniqueNames("a-rather-long-host-name.mail.corp.example.org", b"\xff\xff\xff\xff")
    # The clock stands still, then goes back.
    made = [names.make(now) for now in [1_700_000_000.5] * 50 + [1_600_000_000.0] * 50]
    assert made == sorted(set(made))
    assert all(uidl(one) == one.decode() for one in made)
    assert mark(names.make(1.0, "0A12bN3")) == b"0A12bN3"
    assert mark(made[0]) is None


def test_a_strange_host_name_stays_a_name() -> None:
    made = UniqueNames("../x:2,S y").make(1.0)
    assert b"/" not in made
    assert b":" not in made
    assert key(made + b",S=1,W=1:2,S") == made
