"""The questions asked of the tracking database.

What the words of a question find is looked at row by row, newest first: words narrow, conditions decide.
"""

from __future__ import annotations

import heapq
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gatepost.store import trackrows
from gatepost.store.trackdb import ENDS, tail
from gatepost.store.tracked import Question, TrackedMessage, TrackedRefusal
from gatepost.store.trackrows import (
    DEVICE,
    NOBODY,
    PEER,
    REASON,
    RECIPIENTS,
    SAID,
    SAME,
    SENDER,
    SESSION,
    USER,
)

_WORD = re.compile(r"[0-9A-Za-z@.\-_+=\x80-\U0010ffff]+")  # as the tables' tokenizer has it
_SLACK_SECONDS = 300.0  # rows of several workers are not quite in the order of time
_COUNTED_AT_MOST = 100_000
_RARE = 2_000
_LATER = "SELECT 1 FROM outcome WHERE outcome.key = message.key"


@dataclass(slots=True)
class _Wanted:
    """Conditions on a row of `table`, and words that it must have."""

    table: str
    conditions: list[str] = field(default_factory=list)
    values: list[str | float] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    is_keyed: bool = False
    since: float | None = None
    before: float | None = None

    def demand(self, condition: str, *values: str | float) -> None:
        """The condition holds; `{}` in it is the table."""
        self.conditions.append(condition.format(self.table))
        self.values += values

    def demand_key(self, key: str) -> None:
        self.demand("{}.key = ?", key)
        self.is_keyed = True

    def demand_field(self, start: str, value: str) -> None:
        """The field that begins so has this value."""
        self.demand("instr({}.words, ?) > 0", f"{start}{trackrows.plain(value)}{chr(ord(start) + 1)}")
        self.narrow(value)

    def demand_sender(self, sender: str) -> None:
        known = f"{SENDER}{trackrows.plain(sender) or NOBODY}{RECIPIENTS}"
        self.demand("instr(lower({}.words), lower(?)) > 0", known)
        self.narrow(sender or NOBODY)

    def demand_recipient(self, recipient: str) -> None:
        """It is one of them."""
        known = f"{RECIPIENTS}{trackrows.plain(recipient)}"
        self.demand(
            "(instr(lower({0}.words), lower(?)) OR instr(lower({0}.words), lower(?)))",
            known + RECIPIENTS,
            known + DEVICE,
        )
        self.narrow(recipient)

    def demand_user(self, user: str) -> None:
        known = f"{USER}{trackrows.plain(user)}{SENDER}"
        same = f"{USER}{SAME}{SENDER}{trackrows.plain(user)}{RECIPIENTS}"
        self.demand("(instr({0}.words, ?) OR instr({0}.words, ?))", known, same)
        self.narrow(user)

    def demand_said(self, said: str) -> None:
        """All words of `said` were said; a full stop behind one does not matter."""
        for word in _WORD.findall(said):
            bare = word.rstrip(".")
            self.demand(
                f"instr(lower(substr({{0}}.words, instr({{0}}.words, '{SAID}'))), lower(?)) > 0", bare
            )
            if bare:
                self.words.append(f'("{bare}" OR "{bare}.")')

    def demand_outcome(self, outcome: str) -> None:
        """That became of it, or was done with it."""
        word = f"{trackrows.FIELD}={trackrows.plain(outcome)}{SAID}"
        self.demand(f"instr({{}}.words || '{SAID}', ?) > 0", word)
        self.narrow(f"={outcome}")

    def demand_times(self, since: float | None, before: float | None) -> None:
        self.since, self.before = since, before
        if since is not None:
            self.demand("{}.at >= ?", since)
        if before is not None:
            self.demand("{}.at < ?", before)

    def narrow(self, text: str) -> None:
        self.words += [f'"{word}"' for word in _WORD.findall(text)]

    def rows(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        """Number and columns, newest first. First what is not indexed yet."""
        table = self.table
        low = 0 if self.since is None else _first_since(connection, table, self.since - _SLACK_SECONDS)
        by_words = self.words and not self.is_keyed
        indexed = tail(connection, table) if by_words else low - 1
        sql = f"SELECT {table}.number,{table}.key,{table}.at,{table}.words,{table}.facts FROM"
        where = "".join(f" AND {condition}" for condition in self.conditions)
        if self.before is not None:
            where += f" AND {table}.number < {_first_since(connection, table, self.before + _SLACK_SECONDS)}"
        yield from connection.execute(
            f"{sql} {table} WHERE number > ?{where} ORDER BY number DESC", (indexed, *self.values)
        )
        if by_words:
            yield from connection.execute(
                f"{sql} {table}_words CROSS JOIN {table} ON {table}.number = {table}_words.rowid"
                f" WHERE {table}_words MATCH ? AND {table}_words.rowid >= ?{where}"
                f" ORDER BY {table}_words.rowid DESC",
                (self._match(connection), low, *self.values),
            )

    def _match(self, connection: sqlite3.Connection) -> str:
        """A rare word alone: the rows of a common one beside it would have to be gone through too."""
        for word in self.words:
            if self._count(connection, word, _RARE) < _RARE:
                return word
        return " AND ".join(self.words)

    def count(self, connection: sqlite3.Connection) -> int:
        """About how many rows have the words; many where there are none to have."""
        if self.is_keyed:
            return 1
        if not self.words:
            return _COUNTED_AT_MOST
        return min(self._count(connection, word, _COUNTED_AT_MOST) for word in self.words)

    def _count(self, connection: sqlite3.Connection, word: str, at_most: int) -> int:
        words = f"{self.table}_words"
        found: int = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {words} WHERE {words} MATCH ? LIMIT ?)",  # noqa: S608
            (word, at_most),
        ).fetchone()[0]
        return found


def messages(connection: sqlite3.Connection, question: Question) -> list[TrackedMessage]:
    """The messages asked for, newest first. Raises: sqlite3.Error."""
    if question.reason is not None:
        return []
    wanted = _Wanted("message")
    if question.queue_id is not None:
        wanted.demand_key(question.queue_id)
    if question.session is not None:
        wanted.demand_field(SESSION, question.session)
    _demand(wanted, question)
    limit = question.limit
    later: list[tuple[Any, ...]] = []
    if not (question.said is question.outcome is None):
        later = _by_later_outcomes(connection, wanted, question)
        _demand_became(wanted, question)
    by_number = {row[0]: row for row in [*islice(wanted.rows(connection), limit), *later]}
    newest = sorted(by_number, reverse=True)[:limit]
    return [_message(connection, by_number[number]) for number in newest]


def _demand_became(wanted: _Wanted, question: Question) -> None:
    if question.said is not None:
        wanted.demand_said(question.said)
    if question.outcome is not None:
        wanted.demand_outcome(question.outcome)


def _by_later_outcomes(
    connection: sqlite3.Connection, wanted: _Wanted, question: Question
) -> list[tuple[Any, ...]]:
    """Messages of which a next hop said that, or to which that happened, at a later attempt."""
    outcomes = _Wanted("outcome")
    _demand_became(outcomes, question)
    if wanted.count(connection) < outcomes.count(connection):
        known = "".join(f" AND {condition}" for condition in outcomes.conditions)
        both = _Wanted(
            "message",
            [*wanted.conditions, f"EXISTS ({_LATER}{known})"],
            [*wanted.values, *outcomes.values],
            wanted.words,
            wanted.is_keyed,
            wanted.since,
            wanted.before,
        )
        return list(islice(both.rows(connection), question.limit))
    outcomes.demand_times(question.since, None)
    return _of_outcomes(connection, wanted, outcomes, question.limit)


def _of_outcomes(
    connection: sqlite3.Connection, wanted: _Wanted, outcomes: _Wanted, limit: int
) -> list[tuple[Any, ...]]:
    """The newest messages of these outcomes: those come newest first, and none is older than its message."""
    where = "".join(f" AND {condition}" for condition in wanted.conditions)
    sql = f"SELECT number,key,at,words,facts FROM message WHERE key = ?{where}"  # noqa: S608 - own names
    rows, newest, seen = list[tuple[Any, ...]](), list[float](), set[str]()
    for outcome in outcomes.rows(connection):
        if len(newest) == limit and outcome[2] < newest[0] - _SLACK_SECONDS:
            break
        if outcome[1] in seen:
            continue
        seen.add(outcome[1])
        for row in connection.execute(sql, (outcome[1], *wanted.values)):
            rows.append(row)
            heapq.heappush(newest, row[2])
            if len(newest) > limit:
                heapq.heappop(newest)
    return rows


def refusals(connection: sqlite3.Connection, question: Question) -> list[TrackedRefusal]:
    """The refusals asked for, newest first. Raises: sqlite3.Error."""
    if not (question.queue_id is question.said is question.outcome is None):
        return []
    wanted = _Wanted("refusal")
    if question.session is not None:
        wanted.demand_key(question.session)
    _demand(wanted, question)
    if question.reason is not None:
        wanted.demand("substr({0}.words, instr({0}.words, '" + REASON + "') + 1) = ?", question.reason)
        wanted.narrow(question.reason)
    return [trackrows.refusal(row[1:]) for row in islice(wanted.rows(connection), question.limit)]


def _demand(wanted: _Wanted, question: Question) -> None:
    """What messages and refusals have alike."""
    if question.user is not None:
        wanted.demand_user(question.user)
    if question.peer is not None:
        wanted.demand_field(PEER, question.peer)
    if question.device is not None:
        wanted.demand_field(DEVICE, question.device)
    if question.sender is not None:
        wanted.demand_sender(question.sender)
    if question.recipient is not None:
        wanted.demand_recipient(question.recipient)
    wanted.demand_times(question.since, question.before)


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


def _message(connection: sqlite3.Connection, row: tuple[Any, ...]) -> TrackedMessage:
    later = connection.execute(
        "SELECT key,at,words,facts FROM outcome WHERE key = ? ORDER BY number", (row[1],)
    )
    return trackrows.message(row[1:], [trackrows.outcome(columns) for columns in later])
