"""Every attempt to log in, for `gatepost attacks`.

As the tracking: a note costs an append, a thread writes about once a second, and a disk that fails
costs records, never the service. Neither passwords nor anything made from them is here.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from gatepost.store.failure import Report, log_report
from gatepost.store.smallfile import transaction

_FLUSH_SECONDS: Final = 1.0
_FORGET_SECONDS: Final = 3_600.0
_DAY_SECONDS: Final = 86_400.0
_VERSION: Final = 4
_HOUR_SECONDS: Final = 3_600
_TABLES: Final = """
CREATE TABLE attempt (
    at REAL NOT NULL, peer TEXT NOT NULL, network TEXT NOT NULL, virtual_server TEXT NOT NULL,
    session TEXT NOT NULL, mechanism TEXT NOT NULL, tls INTEGER NOT NULL, name TEXT NOT NULL,
    account TEXT, reason TEXT, treatment TEXT NOT NULL
);
CREATE INDEX attempt_at ON attempt (at)
"""
_INDEX: Final = "CREATE INDEX attempt_account ON attempt (account, at) WHERE account IS NOT NULL"
_OFFENCES: Final = """
CREATE TABLE offence (
    hour INTEGER NOT NULL, peer TEXT NOT NULL, what TEXT NOT NULL, number INTEGER NOT NULL,
    last REAL NOT NULL, PRIMARY KEY (hour, peer, what)
) WITHOUT ROWID
"""
_LATER: Final = (_INDEX, "ALTER TABLE attempt ADD COLUMN device TEXT", _OFFENCES)
_COLUMNS: Final = (
    "at, peer, network, virtual_server, session, mechanism, tls, name, account, reason, treatment, device"
)


_ADD: Final = (
    "INSERT INTO offence VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
    "SET number = number + excluded.number, last = MAX(last, excluded.last)"
)


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """`at` is Unix seconds. `account` is set when it succeeded, `reason` when not.

    `network` is the peer's /24 or /48. `device` is whose app password it was.
    """

    at: float
    peer: str
    network: str
    virtual_server: str
    session: str
    mechanism: str
    tls: bool
    name: str
    account: str | None
    reason: str | None
    treatment: str
    device: str | None = None


Note = LoginAttempt | Callable[[], LoginAttempt]
_row: Final = attrgetter(*_COLUMNS.split(", "))


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something was in the attempts, and from how many peers with how many names."""

    what: str
    count: int
    peers: int
    names: int
    refused: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Offences:
    """How often a peer did something else that is wrong."""

    what: str
    peer: str
    count: int
    last: float


@dataclass(frozen=True, slots=True)
class Span:
    """What happened from `begins` on."""

    begins: float
    failed: int
    succeeded: int


class Attempts:
    """One database file, which several processes may share. `start` before notes are to be written."""

    def __init__(
        self, path: Path, *, days: int = 90, notes_at_most: int = 100_000, report: Report = log_report
    ) -> None:
        self._path = path
        self._days = days
        self._notes: deque[Note] = deque()
        self._offences: deque[tuple[float, str, str]] = deque()
        self._notes_at_most = notes_at_most
        self._report = report
        self._stop = Event()
        self._thread: Thread | None = None
        self._reported = 0
        self.dropped = 0

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="attempts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Every note taken is written, or reported as lost."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def note(self, attempt: Note) -> None:
        """Who gives a function leaves the making of the row to the thread: a login is over sooner."""
        if len(self._notes) < self._notes_at_most:
            self._notes.append(attempt)
        else:
            self.dropped += 1

    def offended(self, at: float, peer: str, what: str) -> None:
        """The peer did what is no login and wrong all the same; it is counted by the hour."""
        if len(self._offences) < self._notes_at_most:
            self._offences.append((at, peer, what))
        else:
            self.dropped += 1

    # what is asked; notes of the last second may not be in it. Raises: sqlite3.Error

    def latest(self, since: float, limit: int) -> list[LoginAttempt]:
        """The newest first."""
        query = f"SELECT {_COLUMNS} FROM attempt WHERE at >= ? ORDER BY at DESC LIMIT ?"  # noqa: S608
        with self.reading() as database:
            rows = database.execute(query, (since, limit)).fetchall()
        return [replace(LoginAttempt(*row), tls=bool(row[6])) for row in rows]

    def by_name(self, since: float, limit: int, skip: int = 0) -> list[Tally]:
        """The names tried without success, the most tried first."""
        return self._tallies("lower(name)", since, limit, skip)

    def by_peer(self, since: float, limit: int, skip: int = 0) -> list[Tally]:
        return self._tallies("peer", since, limit, skip)

    def by_network(self, since: float, limit: int, skip: int = 0) -> list[Tally]:
        return self._tallies("network", since, limit, skip)

    def offences(self, since: float, limit: int, skip: int = 0) -> list[Offences]:
        """The most frequent first, from the hour of `since` on."""
        query = (
            "SELECT what, peer, SUM(number) AS number, MAX(last) FROM offence WHERE hour >= ? "
            "GROUP BY what, peer ORDER BY number DESC, peer, what LIMIT ? OFFSET ?"
        )
        with self.reading() as database:
            rows = database.execute(query, (since // _HOUR_SECONDS, limit, skip))
            return [Offences(*row) for row in rows]

    def last_logins(self) -> dict[str, float]:
        """When each account logged in last, Unix seconds."""
        query = "SELECT account, MAX(at) FROM attempt WHERE account IS NOT NULL GROUP BY account"
        with self._open() as database:
            return dict(database.execute(query).fetchall())

    def begins(self) -> float | None:
        """When the oldest attempt on record was; None without any."""
        with self._open() as database:
            oldest: tuple[float | None] = database.execute("SELECT MIN(at) FROM attempt").fetchone()
        return oldest[0]

    def timeline(self, since: float, until: float, steps: int) -> list[Span]:
        """`steps` spans from `since` to `until`."""
        width = max((until - since) / steps, 1e-6)
        query = (
            "SELECT CAST((at - :since) / :width AS INTEGER) AS step, SUM(account IS NULL), "
            "SUM(account IS NOT NULL) FROM attempt WHERE at >= :since AND at < :until GROUP BY step"
        )
        with self.reading() as database:
            rows = database.execute(query, {"since": since, "until": until, "width": width}).fetchall()
        counts = {step: (failed, good) for step, failed, good in rows}
        return [Span(since + n * width, *counts.get(n, (0, 0))) for n in range(steps)]

    def _tallies(self, what: str, since: float, limit: int, skip: int) -> list[Tally]:
        query = (
            f"SELECT {what} AS what, COUNT(*) AS number, COUNT(DISTINCT peer), COUNT(DISTINCT lower(name)), "  # noqa: S608
            "SUM(treatment = 'refused'), MIN(at), MAX(at) FROM attempt WHERE account IS NULL AND at >= ? "
            "GROUP BY what ORDER BY number DESC, what LIMIT ? OFFSET ?"
        )
        with self.reading() as database:
            return [Tally(*row) for row in database.execute(query, (since, limit, skip))]

    # the thread

    def _run(self) -> None:
        forget_at, is_last = 0.0, False
        while not is_last:
            is_last = self._stop.wait(_FLUSH_SECONDS)
            try:
                self._write()
                if time.monotonic() >= forget_at:
                    self._forget(time.time() - self._days * _DAY_SECONDS)
                    forget_at = time.monotonic() + _FORGET_SECONDS
            except Exception as error:  # top of the thread
                self._report("attempts-failed", error=error)
            if self.dropped > self._reported:
                self._report("attempts-dropped", count=self.dropped - self._reported)
                self._reported = self.dropped

    def _write(self) -> None:
        notes = [self._notes.popleft() for _ in range(len(self._notes))]
        offences = _by_hour([self._offences.popleft() for _ in range(len(self._offences))])
        if not notes and not offences:
            return
        marks = ",".join("?" * len(_COLUMNS.split(",")))
        try:
            with self._open() as database:
                database.executemany(f"INSERT INTO attempt VALUES ({marks})", _rows(notes))  # noqa: S608
                database.executemany(_ADD, offences)
        except BaseException:
            self.dropped += len(notes) + sum(number for _, _, _, number, _ in offences)
            raise

    def _forget(self, at: float) -> None:
        with self._open() as database:
            database.execute("DELETE FROM attempt WHERE at < ?", (at,))
            database.execute("DELETE FROM offence WHERE hour < ?", (at // _HOUR_SECONDS,))

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for questions: who writes meanwhile does not wait for it."""
        with self._open():
            pass  # the tables are there
        with closing(sqlite3.connect(self._path, timeout=10.0, isolation_level=None)) as database:
            yield database

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._path, _TABLES, _VERSION, synchronous="NORMAL", later=_LATER)


def _rows(notes: Sequence[Note]) -> list[tuple[Any, ...]]:
    return [_row(note if isinstance(note, LoginAttempt) else note()) for note in notes]


def _by_hour(offences: Iterable[tuple[float, str, str]]) -> list[tuple[int, str, str, int, float]]:
    """One row for what a peer did often within an hour."""
    numbers: dict[tuple[int, str, str], tuple[int, float]] = {}
    for at, peer, what in offences:
        key = int(at // _HOUR_SECONDS), peer, what
        number, last = numbers.get(key, (0, at))
        numbers[key] = number + 1, max(last, at)
    return [(*key, number, last) for key, (number, last) in numbers.items()]
