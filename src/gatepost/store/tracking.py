"""The history of every message and refusal, for `gatepost trace`.

Notes are taken on the hot path and cost an append; a thread writes them about once a second. The
buffer is bounded: when the disk does not keep up notes are dropped, counted and reported, and mail
goes on.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store import trackdb, trackmove, tracknotes, tracksearch
from gatepost.store.failure import Report, log_report
from gatepost.store.tracked import Question, TrackedMessage, TrackedOutcome, TrackedRefusal
from gatepost.store.tracknotes import Happened, Name

__all__ = ["Question", "Trace", "TrackedMessage", "TrackedOutcome", "TrackedRefusal", "Tracking"]

_FLUSH_SECONDS = 1.0
_FORGET_SECONDS = 3600.0
_DAY_SECONDS = 86_400.0
_PORTION = 500
_QUIET_NOTES = 500
_INDEXED_A_TURN = 5_000
_INDEXED_AT_ONCE = 20_000
_BEHIND_AT_MOST = 100_000  # so many are looked through one by one in a few hundredths of a second
_MOVED_PORTIONS = 20  # of old rows, a second
_PAUSE_SECONDS = 0.0005

_Note = TypeVar("_Note")


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found, newest first."""

    messages: list[TrackedMessage]
    refusals: list[TrackedRefusal]


class Tracking:
    """One database file, which several processes may share.

    `start` before notes are to be written; `search` needs no start. Times are Unix seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        days: int = 30,
        size_bytes: int = 10_737_418_240,
        notes_at_most: int = 200_000,
        report: Report = log_report,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        self._path = path
        self._days = days
        self._size_bytes = size_bytes
        self._notes_at_most = notes_at_most
        self._report = report
        self._failed = failed
        self._accepted: deque[tracknotes.Accepted] = deque()
        self._outcomes: deque[tracknotes.Followed] = deque()
        self._refused: deque[tracknotes.Refused] = deque()
        self._stop = Event()
        self._thread: Thread | None = None
        self._dropped_reported = 0
        self.dropped = 0

    def change(self, *, days: int, size_bytes: int) -> None:
        """So much is kept from now on; what is too much goes within the hour."""
        self._days, self._size_bytes = days, size_bytes

    def start(self) -> None:
        """Notes are written from now on."""
        self._thread = Thread(target=self._run, name="tracking", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Every note taken is written, or reported as lost."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def note_accepted(
        self,
        queue_id: str,
        session: str,
        virtual_server: str,
        peer: str,
        user: str | None,
        sender: Name,
        recipients: Sequence[Address | str],
        size: int,
        at: float,
        subject: str | None = None,
        device: str | None = None,
    ) -> None:
        """A message was taken in: it has had its 250."""
        notes = self._accepted
        if len(notes) < self._notes_at_most:
            notes.append(
                (
                    queue_id,
                    session,
                    virtual_server,
                    peer,
                    user,
                    sender,
                    recipients,
                    size,
                    at,
                    subject,
                    device,
                )
            )
        else:
            self.dropped += 1

    def note_outcome(
        self, queue_id: str, recipient: Address | str, outcome: Outcome, at: float, next_hop: str | None
    ) -> None:
        """Something became of a recipient; `failed` is called with the queue id of what failed for good."""
        if self._failed is not None and outcome.disposition is Disposition.FAILED:
            self._failed(queue_id)
        notes = self._outcomes
        if len(notes) < self._notes_at_most:
            notes.append((queue_id, recipient, outcome, at, next_hop))
        else:
            self.dropped += 1

    def note_event(self, queue_id: str, what: str, text: str, at: float) -> None:
        """Something was done with the whole message: `held`, `released`, `deleted`, `bounced`."""
        notes = self._outcomes
        if len(notes) < self._notes_at_most:
            notes.append((queue_id, "", Happened(what, text), at, None))
        else:
            self.dropped += 1

    def note_refused(
        self,
        session: str,
        virtual_server: str,
        peer: str,
        user: str | None,
        stage: str,
        reason: str,
        sender: Name,
        recipient: Name,
        reply: str,
        at: float,
        device: str | None = None,
    ) -> None:
        """Something was refused. `reason` is the name of it, `reply` what was said."""
        notes = self._refused
        if len(notes) < self._notes_at_most:
            notes.append(
                (
                    session,
                    virtual_server,
                    peer,
                    user,
                    stage,
                    reason,
                    sender,
                    recipient,
                    reply,
                    at,
                    device,
                )
            )
        else:
            self.dropped += 1

    def search(self, question: Question) -> Trace:
        """What the database knows; notes of the last second may not be in it yet.

        Opens the file for itself, so it may be called in any thread. Raises: sqlite3.Error.
        """
        if not self._path.exists():
            return Trace([], [])
        connection = trackdb.connect(self._path)
        try:
            return Trace(
                tracksearch.messages(connection, question), tracksearch.refusals(connection, question)
            )
        finally:
            connection.close()

    def _run(self) -> None:
        """The thread. A database that cannot be written costs history, never the service."""
        forget_at = 0.0
        connection: sqlite3.Connection | None = None
        is_last, is_moving = False, True
        while not is_last:
            is_last = self._stop.wait(_FLUSH_SECONDS)
            try:
                if connection is None:
                    connection = trackdb.connect(self._path)
                written = self.write(connection)
                self._index(connection, written=written)
                is_moving = is_moving and self._move(connection, is_quiet=written < _QUIET_NOTES)
                if time.monotonic() >= forget_at and not is_moving:  # the oldest rows move last
                    trackdb.delete_before(connection, time.time() - self._days * _DAY_SECONDS)
                    trackdb.delete_beyond(connection, self._size_bytes)
                    forget_at = time.monotonic() + _FORGET_SECONDS
            except Exception as error:  # top of the thread
                self._report("tracking-failed", error=error)
            if self.dropped > self._dropped_reported:
                self._report("tracking-notes-dropped", count=self.dropped - self._dropped_reported)
                self._dropped_reported = self.dropped
        if connection is not None:
            connection.close()

    def write(self, connection: sqlite3.Connection) -> int:
        """All notes are in the database; how many there were. Raises: sqlite3.Error."""
        count = len(self._accepted) + len(self._outcomes) + len(self._refused)
        if count:
            with _transaction(connection):
                self._write_notes(connection)
        return count

    def _index(self, connection: sqlite3.Connection, *, written: int) -> None:
        """New rows can be found by their words too: in a quiet second, or when too many are not yet."""
        if written < _QUIET_NOTES:
            rows = _INDEXED_AT_ONCE
        elif trackdb.behind(connection) > _BEHIND_AT_MOST:
            rows = written + _INDEXED_AT_ONCE
        else:
            return
        for _ in range(0, rows, _INDEXED_A_TURN):
            with _transaction(connection):
                done = trackdb.index(connection, _INDEXED_A_TURN)
            if not done:
                return
            time.sleep(_PAUSE_SECONDS)

    def _move(self, connection: sqlite3.Connection, *, is_quiet: bool) -> bool:
        """Rows of an earlier version have moved a little further; whether there are more."""
        for _ in range(_MOVED_PORTIONS if is_quiet else 1):
            with _transaction(connection):
                if not trackmove.move(connection, _PORTION):
                    return False
            time.sleep(_PAUSE_SECONDS)
        return True

    def _write_notes(self, connection: sqlite3.Connection) -> None:
        """Outcomes are looked at first: those of a message in this batch go into its row."""
        later = tracknotes.Later()
        for happened in _portions(self._outcomes):
            later.add(happened)
        for accepted in _portions(self._accepted):
            rows = [tracknotes.message_row(note, later) for note in accepted]
            trackdb.insert(connection, "message", rows)
        for followed in _portions(deque(later.rest())):
            trackdb.insert(connection, "outcome", [tracknotes.outcome_row(note) for note in followed])
        for refused in _portions(self._refused):
            trackdb.insert(connection, "refusal", [tracknotes.refusal_row(note) for note in refused])


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _portions(notes: deque[_Note]) -> Iterator[list[_Note]]:
    """What is in now, a few at a time, and between them a moment for the event loop: it would wait
    milliseconds for the interpreter each time that it needs it while this thread works on.

    The loop may go on appending meanwhile: single operations of a deque are atomic.
    """
    rest = len(notes)
    while rest:
        count = min(rest, _PORTION)
        rest -= count
        yield [notes.popleft() for _ in range(count)]
        time.sleep(_PAUSE_SECONDS)
