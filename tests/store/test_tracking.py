"""What was noted can be found."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store import trackdb
from gatepost.store.tracking import Question, Tracking
from store.spools import Faults

ANN = Address("ann", "example.org")
BOB = Address("Bob", "example.net")
EVE = Address("eve", "example.net")


def _relayed(recipient: int = 0) -> Outcome:
    return Outcome(recipient, Disposition.RELAYED, 250, "2.0.0", "2.0.0 ok | a,b", "mx.example.net")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database that knows two messages and a refusal."""
    path = tmp_path / "tracking.sqlite3"
    tracking = Tracking(path)
    tracking.start()
    now = time.time()
    tracking.note_accepted("Q1", "S1", "submission", "192.0.2.1", "ann", ANN, (BOB, EVE), 4200, now)
    tracking.note_outcome("Q1", BOB, _relayed(), now + 1, "mx.example.net")
    tracking.note_accepted("Q2", "S2", "internet", "192.0.2.2", None, None, (EVE,), 10, now)
    tracking.note_refused(
        "S3", "internet", "192.0.2.3", None, "rcpt", "relay-denied", ANN, EVE, "550 5.7.1 no", now
    )
    tracking.close()
    return path


@pytest.mark.parametrize(
    ("question", "messages", "refusals"),
    [
        (Question(), ["Q2", "Q1"], ["S3"]),
        (Question(session="S1"), ["Q1"], []),
        (Question(session="S3"), [], ["S3"]),
        (Question(queue_id="Q2"), ["Q2"], []),
        (Question(sender="ANN@example.org"), ["Q1"], ["S3"]),
        (Question(sender=""), ["Q2"], []),
        (Question(recipient="bob@EXAMPLE.net"), ["Q1"], []),
        (Question(recipient="eve@example.net"), ["Q2", "Q1"], ["S3"]),
        (Question(recipient="ve@example.net"), [], []),
        (Question(user="ann"), ["Q1"], []),
        (Question(peer="192.0.2.2"), ["Q2"], []),
        (Question(reason="relay-denied"), [], ["S3"]),
        (Question(since=4e9), [], []),
        (Question(limit=1), ["Q2"], ["S3"]),
        (Question(user="' OR 1=1 --"), [], []),
    ],
)
def test_a_question_finds_what_it_asks_for(
    path: Path, question: Question, messages: list[str], refusals: list[str]
) -> None:
    found = Tracking(path).search(question)
    assert [message.queue_id for message in found.messages] == messages
    assert [refusal.session for refusal in found.refusals] == refusals


def test_a_message_is_found_with_all_its_outcomes(path: Path) -> None:
    later = Tracking(path)
    later.start()
    later.note_outcome("Q1", EVE, Outcome(1, Disposition.DEFERRED, 451, "4.3.0", "later"), time.time(), None)
    later.close()
    (message,) = later.search(Question(queue_id="Q1")).messages
    assert (message.sender, message.recipients) == (str(ANN), (str(BOB), str(EVE)))
    assert (message.user, message.size_bytes) == ("ann", 4200)
    first, second = message.outcomes
    assert (first.recipient, first.disposition, first.text) == (str(BOB), "relayed", "2.0.0 ok | a,b")
    assert (second.recipient, second.code, second.next_hop) == (str(EVE), 451, None)


def test_a_message_and_its_outcomes_of_one_batch_are_one_row(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM outcome").fetchone() == (0,)
    connection.close()


def test_a_next_hop_cannot_forge_a_second_outcome(tmp_path: Path) -> None:
    tracking = Tracking(tmp_path / "t")
    tracking.start()
    tracking.note_accepted("Q", "S", "v", "p", None, ANN, (BOB,), 1, time.time())
    said = "bad\x1eeve@x\x1frelayed\x1f250"
    tracking.note_outcome("Q", BOB, Outcome(0, Disposition.FAILED, 550, "5.0.0", said), time.time(), None)
    tracking.close()
    ((outcome,),) = [message.outcomes for message in tracking.search(Question()).messages]
    assert (outcome.disposition, outcome.text) == ("failed", "bad eve@x relayed 250")


def test_what_is_older_than_the_days_kept_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "t"
    day = 86_400
    tracking = Tracking(path, days=3)
    tracking.start()
    for age in (9, 4, 2, 0):
        tracking.note_accepted(f"Q{age}", "S", "v", "p", None, ANN, (BOB,), 1, time.time() - age * day)
    tracking.close()
    found = tracking.search(Question())
    assert [message.queue_id for message in found.messages] == ["Q0", "Q2"]


def test_notes_beyond_the_bound_are_dropped_and_reported(tmp_path: Path) -> None:
    faults = Faults()
    tracking = Tracking(tmp_path / "t", notes_at_most=10, report=faults)
    for number in range(25):
        tracking.note_accepted(f"Q{number}", "S", "v", "p", None, ANN, (BOB,), 1, time.time())
    assert tracking.dropped == 15
    tracking.start()
    tracking.close()
    assert len(tracking.search(Question()).messages) == 10
    assert faults.events == ["tracking-notes-dropped"]


def test_a_database_that_cannot_be_written_does_not_disturb(tmp_path: Path) -> None:
    faults = Faults()
    tracking = Tracking(tmp_path / "missing" / "t", report=faults)
    tracking.start()
    tracking.note_outcome("Q", BOB, _relayed(), 1.0, None)
    tracking.close()
    assert "tracking-failed" in faults.events


def test_two_processes_may_write_one_database(tmp_path: Path) -> None:
    both = [Tracking(tmp_path / "t") for _ in range(2)]
    for number, tracking in enumerate(both):
        tracking.start()
        for count in range(600):
            queue_id = f"{number}-{count}"
            tracking.note_accepted(queue_id, "S", "v", "p", None, ANN, (BOB,), 1, time.time())
    for tracking in both:
        tracking.close()
    assert len(both[0].search(Question(limit=2000)).messages) == 1200


def test_nothing_is_found_where_nothing_was_written(tmp_path: Path) -> None:
    found = Tracking(tmp_path / "t").search(Question())
    assert (found.messages, found.refusals) == ([], [])


FULL = Outcome(0, Disposition.DEFERRED, 452, "4.2.2", "The mailbox is full.", "mx7.example.net")


@pytest.mark.parametrize("is_later", [False, True])
@pytest.mark.parametrize(
    ("said", "finds"),
    [
        ("full", True),
        ("MAILBOX full.", True),
        ("mx7.example.net", True),
        ("overfull", False),
        ('"full" OR', False),
        ("mailbox empty", False),
    ],
)
def test_the_words_of_the_next_hop_are_found(tmp_path: Path, said: str, finds: bool, is_later: bool) -> None:
    """Also when it said them at a later attempt."""
    tracking = Tracking(tmp_path / "t")
    tracking.start()
    for number in range(3):
        tracking.note_accepted(f"Q{number}", "S", "v", "192.0.2.1", None, ANN, (BOB,), 1, time.time())
    if is_later:
        tracking.close()
        tracking = Tracking(tmp_path / "t")
        tracking.start()
    tracking.note_outcome("Q1", BOB, FULL, time.time(), "mx7.example.net")
    tracking.close()
    found = [message.queue_id for message in tracking.search(Question(said=said)).messages]
    assert found == (["Q1"] if finds else [])
    assert tracking.search(Question(said=said, sender=str(BOB))).messages == []


def test_rows_are_found_before_and_after_they_are_indexed(path: Path) -> None:
    connection = trackdb.connect(path)
    assert trackdb.behind(connection) == 0
    connection.execute("UPDATE tail SET number = 0")
    for table in ("message", "outcome", "refusal"):
        connection.execute(f"INSERT INTO {table}_words ({table}_words) VALUES ('delete-all')")
    assert trackdb.behind(connection) == 2
    for turn in range(3):
        found = Tracking(path).search(Question(recipient="eve@example.net"))
        assert [message.queue_id for message in found.messages] == ["Q2", "Q1"], turn
        assert len(found.refusals) == 1
        trackdb.index(connection, 1)
    connection.close()


def test_what_is_too_much_goes_the_oldest_first(tmp_path: Path) -> None:
    path, count = tmp_path / "t", 3_000
    tracking = Tracking(path)
    tracking.start()
    for number in range(count):
        sender = Address(f"s{number}", "example.org")
        tracking.note_accepted(f"Q{number}", "S", "v", "p", None, sender, (BOB,), 1, time.time())
    tracking.close()
    size_bytes = path.stat().st_size // 2
    smaller = Tracking(path, size_bytes=size_bytes)
    smaller.start()
    smaller.close()
    connection = trackdb.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rest = connection.execute("SELECT count(*), max(number) FROM message").fetchone()
    connection.close()
    assert 0 < rest[0] < count
    assert rest[1] == count
    assert path.stat().st_size <= size_bytes * 1.1
    assert smaller.search(Question(sender="s0@example.org")).messages == []
    assert len(smaller.search(Question(sender=f"s{count - 1}@example.org")).messages) == 1


def test_numbers_that_begin_anew_are_indexed_anew(tmp_path: Path) -> None:
    path = tmp_path / "t"
    for at in (1.0, time.time()):  # the first is older than what is kept
        tracking = Tracking(path)
        tracking.start()
        tracking.note_accepted(f"Q{at:.0f}", "S", "v", "p", None, ANN, (BOB,), 1, at)
        tracking.close()
    connection = trackdb.connect(path)
    trackdb.delete_before(connection, time.time() + 1)
    assert trackdb.tail(connection, "message") == 0
    connection.close()
    last = Tracking(path)
    last.start()
    last.note_accepted("Q9", "S9", "v", "p", None, ANN, (BOB,), 1, time.time())
    last.close()
    assert [m.queue_id for m in last.search(Question(session="S9")).messages] == ["Q9"]


def test_what_became_of_it_is_found_by_the_side_that_is_rarer(tmp_path: Path) -> None:
    """One sender has many messages, and many messages were put off: neither hides the one that is both."""
    tracking, now = Tracking(tmp_path / "t"), time.time()
    tracking.start()
    for number in range(60):
        sender = ANN if number in (3, 40) else Address(f"s{number}", "example.org")
        tracking.note_accepted(f"Q{number:02}", "S", "v", "p", None, sender, (BOB,), 1, now + number)
    tracking.close()
    tracking.start()
    for number in range(59):
        tracking.note_outcome(f"Q{number:02}", BOB, FULL, now + 100 + number, None)
    tracking.close()

    def found(question: Question) -> list[str]:
        return [message.queue_id for message in tracking.search(question).messages]

    assert found(Question(sender=str(ANN), outcome="deferred", limit=5)) == ["Q40", "Q03"]
    assert found(Question(sender=str(ANN), said="full", limit=1)) == ["Q40"]
    assert found(Question(recipient=str(BOB), outcome="deferred", limit=2)) == ["Q58", "Q57"]
    assert found(Question(queue_id="Q03", outcome="deferred")) == ["Q03"]
    assert found(Question(queue_id="Q59", outcome="deferred")) == []
    assert found(Question(outcome="deferred", before=now + 4, limit=2)) == ["Q03", "Q02"]


@pytest.mark.parametrize("how", ["at once", "later"])
def test_a_message_is_found_by_what_became_of_it(tmp_path: Path, how: str) -> None:
    tracking, now = Tracking(tmp_path / "t"), time.time()
    what = {
        "Q1": [Outcome(0, Disposition.RELAYED, 250, "2.0.0", "ok", "mx.example.net")],
        "Q2": [Outcome(0, Disposition.DEFERRED, 451, "4.3.0", "busy"), _relayed()],
        "Q3": [Outcome(0, Disposition.FAILED, 550, "5.1.1", "gone", "mx.example.net")],
        "Q4": [],
    }
    tracking.start()
    for queue_id in what:
        tracking.note_accepted(queue_id, "S", "v", "p", None, ANN, (BOB,), 1, now, "Hello")
    if how == "later":
        tracking.close()
        tracking.start()
    for queue_id, outcomes in what.items():
        for outcome in outcomes:
            tracking.note_outcome(queue_id, BOB, outcome, now, outcome.host)
    tracking.note_event("Q3", "bounced", "report R1 to ann@example.org", now)
    tracking.note_event("Q4", "held", "by the operator", now)
    tracking.close()
    for outcome_word, found in {
        "relayed": ["Q2", "Q1"], "deferred": ["Q2"], "failed": ["Q3"], "bounced": ["Q3"], "held": ["Q4"],
        "released": [],
    }.items():  # fmt: skip
        messages = tracking.search(Question(outcome=outcome_word)).messages
        assert [message.queue_id for message in messages] == found, outcome_word
        assert tracking.search(Question(outcome=outcome_word)).refusals == []
    assert [m.queue_id for m in tracking.search(Question(outcome="failed", said="gone")).messages] == ["Q3"]
    assert tracking.search(Question(outcome="failed", said="busy")).messages == []
    (third,) = tracking.search(Question(queue_id="Q3")).messages
    assert [(o.recipient, o.disposition, o.code, o.text, o.next_hop) for o in third.outcomes] == [
        (str(BOB), "failed", 550, "gone", "mx.example.net"),
        ("", "bounced", 0, "report R1 to ann@example.org", None),
    ]
    assert third.subject == "Hello"


def test_the_device_stands_with_what_it_did(path: Path) -> None:
    later, now = Tracking(path), time.time()
    later.start()
    later.note_accepted("Q3", "S3", "submission", "p", "ann", ANN, (BOB,), 1, now, device="NAS 2")
    later.note_refused("S3", "submission", "p", "ann", "mail", "rate-limited", ANN, None, "450", now, "NAS 2")
    later.close()
    found = later.search(Question(user="ann", device="NAS 2"))
    assert [(m.queue_id, m.device) for m in found.messages] == [("Q3", "NAS 2")]
    assert [(r.session, r.device) for r in found.refusals] == [("S3", "NAS 2")]
    assert later.search(Question(device="other")).messages == []


def test_what_was_done_with_a_message_stands_among_its_outcomes(path: Path) -> None:
    later = Tracking(path)
    later.start()
    later.note_event("Q2", "held", "by the operator", time.time())
    later.close()
    (message,) = later.search(Question(queue_id="Q2")).messages
    (event,) = message.outcomes
    assert (event.recipient, event.disposition, event.code, event.text) == ("", "held", 0, "by the operator")


def test_a_page_goes_on_before_the_last_row_of_the_one_before(tmp_path: Path) -> None:
    tracking = Tracking(tmp_path / "t")
    tracking.start()
    now = time.time()
    for number in range(6):
        tracking.note_refused(
            "S1", "internet", "192.0.2.7", None, "rcpt", "relay-denied", "a@b.example", None, "550 no",
            now + number,
        )  # fmt: skip
    tracking.close()
    first = tracking.search(Question(limit=2)).refusals
    assert [one.at for one in first] == [now + 5, now + 4]
    second = tracking.search(Question(limit=2, before=first[-1].at, sender="a@b.example")).refusals
    assert [one.at for one in second] == [now + 3, now + 2]
