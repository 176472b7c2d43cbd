"""Tracking as an operator asks it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatepost.admin.trace import NoTime, session_row, since, trace
from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.tracking import Question, Tracking

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT = NOW.timestamp()
ID = "000000000000ABC"


@pytest.fixture
def tracking(tmp_path: Path) -> Tracking:
    """One message and two refusals of two sessions."""
    notes = Tracking(tmp_path / "tracking.sqlite3", days=36_500)
    ann, x = Address("ann", "example.org"), Address("x", "else.example")
    notes.note_accepted(ID, "AAAAAA", "submission", "192.0.2.7", "ann@example.org", ann, [x], 512, AT)
    notes.note_outcome(ID, x, Outcome(0, Disposition.RELAYED, 250, "2.0.0", "OK", "mx"), AT + 2, "mx")
    for at, session in ((AT + 1, "AAAAAA"), (AT + 3, "BBBBBB")):
        notes.note_refused(
            session, "submission", "192.0.2.7", None, "rcpt", "relay-denied", None, x, "550 no", at
        )
    notes.start()
    notes.close()
    return notes


def test_rows_come_newest_last(tracking: Tracking) -> None:
    rows = trace(tracking, Question())
    assert [(row["kind"], row["session"]) for row in rows] == [
        ("message", "AAAAAA"),
        ("refusal", "AAAAAA"),
        ("refusal", "BBBBBB"),
    ]
    assert rows[0]["at"] == "2026-03-01T12:00:00.000+00:00"
    assert rows[0]["outcomes"][0]["disposition"] == "relayed"


def test_the_limit_keeps_the_newest(tracking: Tracking) -> None:
    assert [row["session"] for row in trace(tracking, Question(limit=1))] == ["BBBBBB"]


@pytest.mark.parametrize(
    ("either", "count"), [("AAAAAA", 2), ("aaaaaa", 2), (ID, 1), (ID.lower(), 1), ("CCCCCC", 0)]
)
def test_either_id_is_found(tracking: Tracking, either: str, count: int) -> None:
    assert len(trace(tracking, Question(), either=either)) == count


def test_a_session_is_told_with_what_refusals_mean(tracking: Tracking) -> None:
    row = session_row(tracking, "[AAAAAA]")
    assert row is not None
    message, refusal = row["events"]
    assert message["queue_id"] == ID
    assert refusal["means"] == "No entry gives the client the right `relay`."
    assert refusal["remedy"]
    assert session_row(tracking, "CCCCCC") is None


def test_no_file_is_no_history(tmp_path: Path) -> None:
    assert trace(Tracking(tmp_path / "none"), Question()) == []


@pytest.mark.parametrize(
    ("text", "ago_seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7_200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("2026-03-01T11:00:00Z", 3_600),
        ("2026-03-01T13:00:00+01:00", 0),
    ],
)
def test_since_is_a_span_or_a_time(text: str, ago_seconds: float) -> None:
    assert AT - since(text, NOW) == ago_seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2x", "-3h", "3 d", "2026-13-01", "9999999h"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(NoTime, match="is no time; write"):
        since(text, NOW)
