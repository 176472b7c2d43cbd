"""The tracking database: its tables, and the questions asked of it.

Plain `sqlite3` rather than SQLAlchemy: five hundred rows go in with one statement, during which the
interpreter is free for the event loop; through an ORM's or Core's `executemany` each row would
take and give up the interpreter, and cost several microseconds more. The file is a record, not
state: deleting it loses history and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_VERSION = 1
_TABLES = """
CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL,
    session TEXT NOT NULL,
    virtual_server TEXT NOT NULL,
    peer TEXT NOT NULL,
    user TEXT,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    at REAL NOT NULL,
    outcomes TEXT
);
CREATE INDEX message_queue_id ON message (queue_id);
CREATE INDEX message_session ON message (session);
CREATE TABLE outcome (
    number INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    disposition TEXT NOT NULL,
    code INTEGER NOT NULL,
    enhanced TEXT NOT NULL,
    text TEXT NOT NULL,
    next_hop TEXT,
    at REAL NOT NULL
);
CREATE INDEX outcome_queue_id ON outcome (queue_id);
CREATE TABLE refusal (
    number INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    virtual_server TEXT NOT NULL,
    peer TEXT NOT NULL,
    user TEXT,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT,
    reply TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX refusal_session ON refusal (session);
"""
_ROWS_AT_ONCE = 500  # SQLite binds at most 32,766 values in a statement
_FIELD = "\x1f"
_ROW = "\x1e"

MESSAGE_COLUMNS = "queue_id,session,virtual_server,peer,user,sender,recipients,size_bytes,at,outcomes"
OUTCOME_COLUMNS = "queue_id,recipient,disposition,code,enhanced,text,next_hop,at"
REFUSAL_COLUMNS = "session,virtual_server,peer,user,stage,reason,sender,recipient,reply,at"

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class TrackedOutcome:
    """What became of one recipient at one attempt. `at` is Unix seconds."""

    recipient: str
    disposition: str
    code: int
    enhanced: str
    text: str
    next_hop: str | None
    at: float


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """A message that was taken in. The null sender is an empty text. `at` is Unix seconds."""

    queue_id: str
    session: str
    virtual_server: str
    peer: str
    user: str | None
    sender: str
    recipients: tuple[str, ...]
    size_bytes: int
    at: float
    outcomes: tuple[TrackedOutcome, ...]


@dataclass(frozen=True, slots=True)
class TrackedRefusal:
    """Something that was refused, with the stage, the reason and the reply sent."""

    session: str
    virtual_server: str
    peer: str
    user: str | None
    stage: str
    reason: str
    sender: str
    recipient: str | None
    reply: str
    at: float


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for; None does not narrow. Addresses compare without regard to case.

    `limit` is on messages and on refusals each, the newest of them.
    """

    session: str | None = None
    queue_id: str | None = None
    sender: str | None = None
    recipient: str | None = None
    user: str | None = None
    peer: str | None = None
    reason: str | None = None
    since: float | None = None
    limit: int = 100


def connect(path: Path) -> sqlite3.Connection:
    """An open database with its tables. Several processes may have it open. Raises: sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    # A power cut may lose the last second of history; nothing promised rests on it.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")
    return connection


def insert(connection: sqlite3.Connection, table: str, columns: str, rows: Sequence[Sequence[Value]]) -> None:
    """The rows are in the table. Raises: sqlite3.Error."""
    row_marks = "(" + ",".join("?" * (columns.count(",") + 1)) + ")"
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        group = rows[start : start + _ROWS_AT_ONCE]
        marks = ",".join([row_marks] * len(group))
        values = [value for row in group for value in row]
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES {marks}", values)  # noqa: S608 - own names


def delete_before(connection: sqlite3.Connection, at: float) -> None:
    """Nothing older than `at` is left. Raises: sqlite3.Error."""
    for table in ("message", "outcome", "refusal"):
        # Rows come in the order of time: the first that is younger ends the search.
        row = connection.execute(
            f"SELECT number FROM {table} WHERE at >= ? ORDER BY number LIMIT 1",  # noqa: S608
            (at,),
        ).fetchone()
        bound = row[0] if row is not None else 1 << 62
        connection.execute(f"DELETE FROM {table} WHERE number < ?", (bound,))  # noqa: S608


def join_outcomes(rows: Iterable[Sequence[Value]]) -> str:
    """Outcome columns after the queue id, as one text."""
    return _ROW.join([_FIELD.join([_field(value) for value in row]) for row in rows])


def _field(value: Value) -> str:
    text = "" if value is None else str(value)
    # A next hop may say anything, our separators too.
    return text if text.isprintable() else text.replace(_ROW, " ").replace(_FIELD, " ")


def _split_outcomes(text: str | None) -> list[TrackedOutcome]:
    if not text:
        return []
    rows = [row.split(_FIELD) for row in text.split(_ROW)]
    return [TrackedOutcome(r[0], r[1], int(r[2]), r[3], r[4], r[5] or None, float(r[6])) for r in rows]


def messages(connection: sqlite3.Connection, question: Question) -> list[TrackedMessage]:
    """The messages asked for, newest first. Raises: sqlite3.Error."""
    if question.reason is not None:
        return []
    conditions, values = _conditions(question, ("session", "queue_id", "user", "peer"))
    if question.recipient is not None:
        conditions.append("instr(lower(char(10) || recipients || char(10)), lower(?)) > 0")
        values.append(f"\n{question.recipient}\n")
    rows = connection.execute(
        f"SELECT {MESSAGE_COLUMNS} FROM message{_where(conditions)} ORDER BY number DESC LIMIT ?",  # noqa: S608
        (*values, question.limit),
    )
    return [_message(connection, row) for row in rows.fetchall()]


def refusals(connection: sqlite3.Connection, question: Question) -> list[TrackedRefusal]:
    """The refusals asked for, newest first. Raises: sqlite3.Error."""
    if question.queue_id is not None:
        return []
    conditions, values = _conditions(question, ("session", "user", "peer", "reason"))
    if question.recipient is not None:
        conditions.append("recipient = ? COLLATE NOCASE")
        values.append(question.recipient)
    rows = connection.execute(
        f"SELECT {REFUSAL_COLUMNS} FROM refusal{_where(conditions)} ORDER BY number DESC LIMIT ?",  # noqa: S608
        (*values, question.limit),
    )
    return [TrackedRefusal(*row) for row in rows]


def _conditions(question: Question, names: Iterable[str]) -> tuple[list[str], list[Value]]:
    conditions: list[str] = []
    values: list[Value] = []
    for name in names:
        value = getattr(question, name)
        if value is not None:
            conditions.append(f"{name} = ?")
            values.append(value)
    if question.sender is not None:
        conditions.append("sender = ? COLLATE NOCASE")
        values.append(question.sender)
    if question.since is not None:
        conditions.append("at >= ?")
        values.append(question.since)
    return conditions, values


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _message(connection: sqlite3.Connection, row: Sequence[str]) -> TrackedMessage:
    queue_id, session, server, peer, user, sender, recipients, size, at, outcomes = row
    later = connection.execute(
        f"SELECT {OUTCOME_COLUMNS} FROM outcome WHERE queue_id = ? ORDER BY number",  # noqa: S608
        (queue_id,),
    )
    tracked = _split_outcomes(outcomes) + [TrackedOutcome(*columns[1:]) for columns in later]
    return TrackedMessage(
        queue_id,
        session,
        server,
        peer,
        user or None,
        sender,
        tuple(recipients.split("\n")),
        int(size),
        float(at),
        tuple(tracked),
    )
