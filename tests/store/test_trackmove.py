"""A tracking database of an earlier version is taken over."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from gatepost.mail.address import Address
from gatepost.store import trackdb, trackmove
from gatepost.store.tracking import Question, Trace, Tracking
from gatepost.store.tracktables import MOVING, VERSION

# As version 1 made them; the others added columns at the end.
FIRST = """
CREATE TABLE message (number INTEGER PRIMARY KEY, queue_id TEXT NOT NULL, session TEXT NOT NULL,
    virtual_server TEXT NOT NULL, peer TEXT NOT NULL, user TEXT, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, size_bytes INTEGER NOT NULL, at REAL NOT NULL, outcomes TEXT);
CREATE INDEX message_queue_id ON message (queue_id);
CREATE TABLE outcome (number INTEGER PRIMARY KEY, queue_id TEXT NOT NULL, recipient TEXT NOT NULL,
    disposition TEXT NOT NULL, code INTEGER NOT NULL, enhanced TEXT NOT NULL, text TEXT NOT NULL,
    next_hop TEXT, at REAL NOT NULL);
CREATE INDEX outcome_queue_id ON outcome (queue_id);
CREATE TABLE refusal (number INTEGER PRIMARY KEY, session TEXT NOT NULL, virtual_server TEXT NOT NULL,
    peer TEXT NOT NULL, user TEXT, stage TEXT NOT NULL, reason TEXT NOT NULL, sender TEXT NOT NULL,
    recipient TEXT, reply TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX refusal_session ON refusal (session);
"""
FOURTH = """
ALTER TABLE message ADD COLUMN subject TEXT; ALTER TABLE message ADD COLUMN device TEXT;
ALTER TABLE refusal ADD COLUMN device TEXT; ALTER TABLE message ADD COLUMN said TEXT;
CREATE VIEW message_text AS SELECT number, sender || ' ' || recipients AS words FROM message;
CREATE VIRTUAL TABLE message_words USING fts5(words, content_rowid=number, content=message_text);
CREATE VIRTUAL TABLE outcome_words USING fts5(words, content='');
CREATE VIRTUAL TABLE refusal_words USING fts5(words, content='');
CREATE TABLE tail (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
INSERT INTO tail VALUES ('message', 3), ('outcome', 0), ('refusal', 0);
UPDATE message SET device = 'NAS 2', subject = 'Hello', said = 'ok taken\x1fmx.example.net\x1eno room\x1f\x1f=deferred',
    outcomes = 'bob@x.example\x1frelayed\x1f250\x1f2.0.0\x1f1700000000500\x1e\x1fdeferred\x1f452\x1f4.2.2\x1f1700000001000'
    WHERE queue_id = 'Q1';
UPDATE refusal SET device = 'NAS 2';
PRAGMA user_version = 4;
"""  # noqa: E501 - as they lie there
BIG = 1_200


def _old(path: Path, version: int) -> float:
    """A database as an earlier version left it; when its rows are from."""
    now = time.time()
    connection = sqlite3.connect(path)
    connection.executescript(FIRST)
    became = "bob@x.example\x1frelayed\x1f250\x1f2.0.0\x1fok taken\x1fmx.example.net\x1f1700000000.5"
    connection.executemany(
        "INSERT INTO message VALUES (NULL,?,?,'submission','192.0.2.1',?,?,?,4200,?,?)",
        [
            ("Q1", "S1", "ann", "ann@example.org", "bob@x.example\neve@x.example", now, became),
            *[(f"B{n}", f"T{n}", None, "", f"r{n}@x.example", now, None) for n in range(BIG)],
        ],
    )
    connection.execute(
        "INSERT INTO outcome VALUES (NULL,'B7','r7@x.example','failed',550,'5.1.1','gone','mx.x',?)", (now,)
    )
    connection.execute(
        "INSERT INTO refusal VALUES"
        " (NULL,'S3','internet','192.0.2.3',NULL,'rcpt','relay-denied','a@b.example',NULL,'550 no',?)",
        (now,),
    )
    connection.execute("PRAGMA user_version = 1")
    if version == 4:
        connection.executescript(FOURTH)
    connection.commit()
    connection.close()
    return now


def _moved(path: Path) -> Tracking:
    """All has moved, and something new was noted meanwhile."""
    tracking = Tracking(path)
    tracking.start()
    tracking.note_accepted(
        "NEW", "S9", "v", "192.0.2.9", None, Address("n", "x.example"), (Address("r", "x.example"),), 1, 5e9
    )
    tracking.close()
    connection = trackdb.connect(path)
    while trackmove.move(connection, 500):
        pass
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'old%'")]
    connection.close()
    assert tables == []
    return tracking


def _found(trace: Trace) -> list[str]:
    return [one.queue_id for one in trace.messages] + [one.session for one in trace.refusals]


@pytest.mark.parametrize("version", [1, 4])
def test_every_row_is_found_as_before(tmp_path: Path, version: int) -> None:
    at = _old(tmp_path / "t", version)
    tracking = _moved(tmp_path / "t")
    for question, found in {
        Question(recipient="eve@x.example"): ["Q1"],
        Question(said="mx.example.net taken"): ["Q1"],
        Question(outcome="relayed"): ["Q1"],
        Question(outcome="failed", recipient="R7@x.example"): ["B7"],
        Question(user="ann"): ["Q1"],
        Question(session="T9"): ["B9"],
        Question(sender="n@x.example"): ["NEW"],
        Question(reason="relay-denied"): ["S3"],
        Question(sender="", limit=1): [f"B{BIG - 1}"],
        Question(queue_id="B0"): ["B0"],
    }.items():
        assert _found(tracking.search(question)) == found, question
    assert len(tracking.search(Question(limit=5_000)).messages) == BIG + 2
    (refused,) = tracking.search(Question()).refusals
    assert (refused.sender, refused.recipient, refused.user) == ("a@b.example", None, None)
    assert (refused.stage, refused.reply, refused.at) == ("rcpt", "550 no", at)
    (first,) = tracking.search(Question(queue_id="Q1")).messages
    assert (first.session, first.size_bytes, first.at) == ("S1", 4200, at)
    assert first.recipients == ("bob@x.example", "eve@x.example")
    assert (first.outcomes[0].text, first.outcomes[0].at) == ("ok taken", 1_700_000_000.5)
    if version == 4:
        assert (first.subject, first.device, refused.device) == ("Hello", "NAS 2", "NAS 2")
        assert [one.disposition for one in first.outcomes] == ["relayed", "deferred"]
        assert _found(tracking.search(Question(device="NAS 2"))) == ["Q1", "S3"]


def test_nothing_is_lost_when_the_move_is_broken_off(tmp_path: Path) -> None:
    _old(tmp_path / "t", 4)
    connection = trackdb.connect(tmp_path / "t")
    assert connection.execute("PRAGMA user_version").fetchone() == (MOVING,)
    assert trackmove.move(connection, 100)
    connection.close()
    both = [trackdb.connect(tmp_path / "t") for _ in range(2)]
    while trackmove.move(both[0], 100) and trackmove.move(both[1], 100):
        pass
    for one in both:
        one.close()
    assert len(Tracking(tmp_path / "t").search(Question(limit=5_000)).messages) == BIG + 1


def test_the_next_start_finds_its_numbers_above_the_old_ones(tmp_path: Path) -> None:
    _old(tmp_path / "t", 4)
    _moved(tmp_path / "t")
    connection = trackdb.connect(tmp_path / "t")
    assert connection.execute("SELECT number FROM message WHERE key = 'NEW'").fetchone() == (BIG + 2,)
    assert trackdb.behind(connection) == 0
    connection.close()
