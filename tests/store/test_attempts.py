"""Records of attempts: written in batches, asked by name, source and time, forgotten in time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatepost.store.attempts import Attempts, LoginAttempt, Offences

ONE = LoginAttempt(
    1_000.0, "192.0.2.1", "192.0.2.0/24", "submission", "7F3K2Q", "PLAIN", True, "bob", None,
    "wrong-password", "none",
)  # fmt: skip


def written(path: Path, *notes: LoginAttempt, **more: Any) -> Attempts:
    attempts = Attempts(path, days=100_000, **more)
    attempts.start()
    for note in notes:
        attempts.note(note)
    attempts.close()
    return attempts


def test_what_was_noted_is_found_newest_first(tmp_path: Path) -> None:
    good = replace(ONE, at=2_000.0, account="bob@example.org", reason=None, tls=False)
    attempts = written(tmp_path / "a", ONE, good)
    assert attempts.latest(0.0, 10) == [good, ONE]
    assert attempts.latest(1_500.0, 10) == [good]
    assert attempts.latest(0.0, 1) == [good]


def test_names_tried_are_counted_most_first_whatever_their_case(tmp_path: Path) -> None:
    notes = [replace(ONE, name=name, peer=f"192.0.2.{n}") for n, name in enumerate(["Bob", "bob", "ann"])]
    refused = replace(ONE, name="BOB", treatment="refused", at=5_000.0)
    good = replace(ONE, name="ann", account="ann@example.org")
    attempts = written(tmp_path / "a", *notes, refused, good)
    bob, ann = attempts.by_name(0.0, 10)
    assert (bob.what, bob.count, bob.peers, bob.refused) == ("bob", 3, 2, 1)
    assert (bob.first, bob.last) == (1_000, 5_000)
    assert (ann.what, ann.count, ann.names) == ("ann", 1, 1)
    assert [tally.what for tally in attempts.by_name(0.0, 1)] == ["bob"]
    assert {tally.what: tally.count for tally in attempts.by_network(0.0, 9)} == {"192.0.2.0/24": 4}
    assert attempts.by_peer(0.0, 9)[0].what == "192.0.2.1"


def test_other_offences_are_counted_by_the_hour(tmp_path: Path) -> None:
    for begins in (0.0, 7_200.0):
        attempts = Attempts(tmp_path / "a", days=100_000)
        attempts.start()
        for number in range(3):
            attempts.offended(begins + number, "192.0.2.1", "unknown-recipient")
        attempts.offended(begins, "192.0.2.2", "silent")
        attempts.close()
    assert attempts.offences(0.0, 9) == [
        Offences("unknown-recipient", "192.0.2.1", 6, 7_202.0),
        Offences("silent", "192.0.2.2", 2, 7_200.0),
    ]
    assert [one.count for one in attempts.offences(7_300.0, 9)] == [3, 1]
    attempts._forget(1e9)
    assert attempts.offences(0.0, 9) == []


def test_the_timeline_has_every_span(tmp_path: Path) -> None:
    notes = [replace(ONE, at=at) for at in (0.0, 1.0, 25.0)]
    attempts = written(tmp_path / "a", *notes, replace(ONE, at=26.0, account="x"))
    spans = attempts.timeline(0.0, 40.0, 4)
    assert [(span.begins, span.failed, span.succeeded) for span in spans] == [
        (0, 2, 0), (10, 0, 0), (20, 1, 1), (30, 0, 0),
    ]  # fmt: skip


def test_old_records_are_forgotten(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / "a", days=1)
    attempts.start()
    attempts.note(ONE)
    attempts.close()
    assert attempts.latest(0.0, 10) == []


def test_a_database_that_cannot_be_written_costs_records_only(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "a").mkdir()
    attempts = written(tmp_path / "a", ONE, report=lambda event, **fields: told.append(event))
    assert attempts.dropped == 1
    assert told == ["attempts-failed", "attempts-dropped"]
    with pytest.raises(sqlite3.Error):
        attempts.latest(0.0, 1)


def test_the_memory_for_notes_is_bounded(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / "a", notes_at_most=2)
    for _ in range(5):
        attempts.note(ONE)
    assert attempts.dropped == 3


def test_a_database_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "attempts.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE attempt (at REAL, peer TEXT, network TEXT, virtual_server TEXT, session TEXT, "
            "mechanism TEXT, tls INTEGER, name TEXT, account TEXT, reason TEXT, treatment TEXT)"
        )
        database.execute("PRAGMA user_version = 1")
    attempts = written(path, replace(ONE, device="NAS"))
    assert [one.device for one in attempts.latest(0, 10)] == ["NAS"]
