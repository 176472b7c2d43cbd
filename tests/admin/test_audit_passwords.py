"""Trying passwords offline: found within a time, kept by digest, never tried again while unchanged."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gatepost.admin.audit_passwords import PasswordTrials, Subject, fits
from gatepost.directory.guesses import common_guesses, own_guesses
from gatepost.directory.password import Cost, Passwords
from gatepost.directory.password_rules import common_passwords
from gatepost.secret import Secret
from gatepost.store.scram import Salt, scram_keys
from gatepost.store.user import Credential

COMMON = ("123456", "letmein", "qwerty")


def credential(password: str, *, scram: bool = True, salt: bytes = b"salt" * 4) -> Credential:
    passwords = Passwords(slots=1, cost=Cost(memory_kib=8, passes=1))
    try:
        kept = passwords.credential(Secret(password))
    finally:
        passwords.close()
    return Credential(kept.password_hash, scram_keys(Secret(password), Salt(salt, 10)) if scram else None)


def subject(name: str, password: str, *, scram: bool = True) -> Subject:
    return Subject(name, credential(password, scram=scram), "", 2026)


def run(memory: Path, *subjects: Subject, common: tuple[str, ...] = COMMON) -> PasswordTrials:
    trials = PasswordTrials(memory, threads=1)
    list(trials.run(subjects, common_guesses(common), seconds=60))
    return trials


@pytest.mark.parametrize("scram", [True, False])
def test_what_attackers_try_is_found_and_the_rest_is_not(tmp_path: Path, scram: bool) -> None:
    trials = run(
        tmp_path / "memory",
        subject("ann@example.org", "Ann2025!", scram=scram),
        subject("bob@example.org", "qwerty", scram=scram),
        subject("eve@example.org", "correct horse battery", scram=scram),
    )
    assert trials.outcome.weak == ["ann@example.org", "bob@example.org"]
    assert trials.outcome.left == []


@pytest.mark.parametrize("password", ["zoë1", "Zoë2026", "summer2026"])
def test_composed_and_capital_letters(password: str) -> None:
    one = credential(password)
    assert fits(one, password)
    assert not fits(one, password + "x")


def test_an_unchanged_password_is_not_tried_again(tmp_path: Path) -> None:
    good, weak = subject("eve@example.org", "correct horse"), subject("bob@example.org", "letmein")
    first = run(tmp_path / "memory", good, weak)
    again = run(tmp_path / "memory", good, weak)
    assert first.outcome.tried > 0
    assert again.outcome.tried == 0
    assert again.outcome.weak == ["bob@example.org"]


def test_a_changed_password_is_tried_and_a_longer_list_goes_on(tmp_path: Path) -> None:
    first = run(tmp_path / "memory", subject("bob@example.org", "letmein"))
    assert first.outcome.weak
    changed = subject("bob@example.org", "correct horse")
    assert run(tmp_path / "memory", changed).outcome.weak == []
    last = run(tmp_path / "memory", changed, common=(*COMMON, "correct horse"))
    assert last.outcome.weak == ["bob@example.org"]
    assert last.outcome.tried <= 2


def test_the_time_ends_it_and_the_next_run_goes_on(tmp_path: Path) -> None:
    ticks = iter(range(1_000_000))
    one = subject("eve@example.org", "correct horse")
    trials = PasswordTrials(tmp_path / "memory", threads=1, clock=lambda: float(next(ticks)))
    steps = list(trials.run([one], common_guesses(COMMON), seconds=4))
    assert trials.outcome.left == ["eve@example.org"]
    assert 0 < steps[-1].done < steps[-1].total
    rest = run(tmp_path / "memory", one)
    assert rest.outcome.left == []
    assert rest.outcome.tried == len(one.own()) + len(common_guesses(COMMON)) - trials.outcome.tried


def test_nothing_of_the_passwords_is_kept(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    run(memory, subject("bob@example.org", "letmein"))
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    assert "letmein" not in memory.read_text()
    assert "argon2" not in memory.read_text()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"bob@example.org": {"x": 1}}', '{"bob@example.org": 5}'])
def test_a_memory_that_is_none_is_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "memory").write_text(text)
    assert run(tmp_path / "memory", subject("bob@example.org", "letmein")).outcome.weak == ["bob@example.org"]


def test_guesses_are_few_and_each_once() -> None:
    own = own_guesses("ann.miller@example.org", "Ann Miller", 2026)
    assert {"ann123", "Miller2026", "example1", "Example2025!", "rellim", "Summer2026!"} <= set(own)
    common = common_guesses(sorted(common_passwords()))
    assert {"123456", "password", "Password"} <= set(common)
    assert len(own) + len(common) < 2_000
    assert len(own) == len(set(own))


def test_many_accounts_and_a_long_list_need_little_room(tmp_path: Path) -> None:
    kept = credential("correct horse")
    some = [Subject(f"u{number}@example.org", kept, "", 2026) for number in range(500)]
    trials = PasswordTrials(tmp_path / "memory", threads=1, clock=iter([0.0, 0.0, 0.0, 9.0, 9.0]).__next__)
    steps = list(trials.run(some, tuple(map(str, range(100_000))), seconds=5))
    assert steps[0].total > 50_000_000
    assert len(trials.outcome.left) == 500
