"""The questions asked of the tracking database.

What the words of a question find is looked at row by row, newest first: words narrow, conditions decide.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gatepost.store.trackdb import (
    ENDS,
    MESSAGE_COLUMNS,
    OUTCOME_COLUMNS,
    REFUSAL_COLUMNS,
    tail,
)
from gatepost.store.tracked import Question, TrackedMessage, TrackedOutcome, TrackedRefusal
from gatepost.store.tracknotes import UNMARKED, Value, outcomes_of

_WORD = re.compile(r"[0-9A-Za-z@.\-_+=\x80-\U0010ffff]+")  # as the tables' tokenizer has it
# These have indexes of their own; devices are not indexed.
_WITHOUT_WORDS = {"message": ("queue_id", "device"), "refusal": ("session", "device")}
_OUTCOME = "instr(coalesce(outcomes, ''), char(31) || ? || char(31)) > 0"
_SLACK_SECONDS = 300.0  # rows of several workers are not quite in the order of time


@dataclass(slots=True)
class _Wanted:
    """Conditions on a row of `table`, and words that it must have."""

    table: str
    columns: str
    conditions: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    before: float | None = None

    def demand(self, condition: str, value: Value, *, words: str | None = None) -> None:
        self.conditions.append(condition)
        self.values.append(value)
        if words is not None:
            self.words += [f'"{word}"' for word in _WORD.findall(words)]

    def demand_said(self, said: str, column: str) -> None:
        """All words of `said` stand in the column; a full stop behind one does not matter."""
        for word in _WORD.findall(said):
            bare = word.rstrip(".")
            self.conditions.append(f"instr(lower({column}), lower(?)) > 0")
            self.values.append(bare)
            if bare:
                self.words.append(f'("{bare}" OR "{bare}.")')

    def found(self, connection: sqlite3.Connection, limit: int, since: float | None) -> list[Sequence[str]]:
        """Number and columns of the rows, newest first."""
        table = self.table
        low = _first_since(connection, table, since - _SLACK_SECONDS) if since is not None else 0
        indexed = tail(connection, table) if self.words else low - 1
        sql = f"SELECT {table}.number,{self.columns} FROM"
        where = "".join(f" AND {condition}" for condition in self.conditions)
        if self.before is not None:
            where += f" AND {table}.number < {_first_since(connection, table, self.before + _SLACK_SECONDS)}"
        rows: list[Sequence[str]] = connection.execute(
            f"{sql} {table} WHERE number > ?{where} ORDER BY number DESC LIMIT ?",
            (indexed, *self.values, limit),
        ).fetchall()
        if self.words and len(rows) < limit:
            rows += connection.execute(
                f"{sql} {table}_words CROSS JOIN {table} ON {table}.number = {table}_words.rowid"
                f" WHERE {table}_words MATCH ? AND {table}_words.rowid >= ?{where}"
                f" ORDER BY {table}_words.rowid DESC LIMIT ?",
                (" AND ".join(self.words), low, *self.values, limit - len(rows)),
            ).fetchall()
        return rows


def messages(connection: sqlite3.Connection, question: Question) -> list[TrackedMessage]:
    """The messages asked for, newest first. Raises: sqlite3.Error."""
    if question.reason is not None:
        return []
    columns = MESSAGE_COLUMNS
    wanted = _Wanted("message", columns)
    _demand(wanted, question, ("session", "queue_id", "user", "device", "peer"))
    if question.recipient is not None:
        bounded = f"\n{question.recipient}\n"
        condition = "instr(lower(char(10) || recipients || char(10)), lower(?)) > 0"
        wanted.demand(condition, bounded, words=question.recipient)
    if question.said is None and question.outcome is None:
        rows = wanted.found(connection, question.limit, question.since)
        return [_message(connection, row[1:]) for row in rows]
    later = _by_later_outcomes(connection, wanted, question)
    if question.said is not None:
        wanted.demand_said(question.said, "coalesce(said, outcomes, '')")
    if question.outcome is not None:
        wanted.demand(_OUTCOME, question.outcome, words=_mark(question.outcome))
    rows = wanted.found(connection, question.limit, question.since)
    by_number = {row[0]: row for row in [*rows, *later]}
    newest = sorted(by_number, key=int, reverse=True)[: question.limit]
    return [_message(connection, by_number[number][1:]) for number in newest]


def _by_later_outcomes(
    connection: sqlite3.Connection, wanted: _Wanted, question: Question
) -> list[Sequence[str]]:
    """Messages of which a next hop said that, or to which that happened, at a later attempt."""
    outcomes = _Wanted("outcome", "queue_id")
    if question.said is not None:
        outcomes.demand_said(question.said, "text || ' ' || coalesce(next_hop, '')")
    if question.outcome is not None:
        outcomes.demand("disposition = ?", question.outcome, words=f"={question.outcome}")
    ids = [row[1] for row in outcomes.found(connection, question.limit * 10, question.since)]
    rows: list[Sequence[str]] = []
    where = "".join(f" AND {condition}" for condition in wanted.conditions)
    for queue_id in dict.fromkeys(ids):
        rows += connection.execute(
            f"SELECT number,{MESSAGE_COLUMNS} FROM message WHERE queue_id = ?{where}",  # noqa: S608
            (queue_id, *wanted.values),
        ).fetchall()
    return rows


def refusals(connection: sqlite3.Connection, question: Question) -> list[TrackedRefusal]:
    """The refusals asked for, newest first. Raises: sqlite3.Error."""
    if not (question.queue_id is question.said is question.outcome is None):
        return []
    wanted = _Wanted("refusal", REFUSAL_COLUMNS)
    _demand(wanted, question, ("session", "user", "device", "peer", "reason"))
    if question.recipient is not None:
        wanted.demand("recipient = ? COLLATE NOCASE", question.recipient, words=question.recipient)
    rows = wanted.found(connection, question.limit, question.since)
    return [TrackedRefusal(*row[1:]) for row in rows]  # type: ignore[arg-type]


def _demand(wanted: _Wanted, question: Question, names: Iterable[str]) -> None:
    for name in names:
        value = getattr(question, name)
        if value is not None:
            wanted.demand(f"{name} = ?", value, words=None if name in _WITHOUT_WORDS[wanted.table] else value)
    if question.sender is not None:
        wanted.demand("sender = ? COLLATE NOCASE", question.sender, words=question.sender)
    if question.since is not None:
        wanted.demand("at >= ?", question.since)
    if question.before is not None:
        wanted.demand("at < ?", question.before)
        wanted.before = question.before


def _mark(outcome: str) -> str | None:
    return None if outcome in UNMARKED else f"={outcome}"


def _first_since(connection: sqlite3.Connection, table: str, at: float) -> int:
    """The number from which on rows may be as young as `at`."""
    low, high = connection.execute(ENDS.format(table)).fetchone()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            f"SELECT number, at FROM {table} WHERE number >= ? ORDER BY number LIMIT 1",  # noqa: S608
            (middle,),
        ).fetchone()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0] + 1
    return int(low)


def _message(connection: sqlite3.Connection, row: Sequence[str]) -> TrackedMessage:
    queue_id, session, server, peer, user, sender, recipients, size, at, *rest = row
    outcomes, said, subject, device = rest
    later = connection.execute(
        f"SELECT {OUTCOME_COLUMNS} FROM outcome WHERE queue_id = ? ORDER BY number",  # noqa: S608
        (queue_id,),
    )
    tracked = [*outcomes_of(outcomes, said, recipients)] + [TrackedOutcome(*columns[1:]) for columns in later]
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
        subject,
        device,
    )
