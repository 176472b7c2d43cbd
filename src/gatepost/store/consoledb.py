"""What console and API may lose: sessions, drafts, and the answers to requests that may come twice.

Apart from the accounts, whose every change makes all workers look at them anew. Plain `sqlite3`, as for
the guard; the file is opened for each call, so any thread may call. Only hashes of session secrets are kept.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from gatepost.store.smallfile import transaction

_VERSION: Final = 2
_TABLES: Final = """
CREATE TABLE session (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, own INTEGER NOT NULL, stage TEXT NOT NULL, began REAL NOT NULL,
    seen REAL NOT NULL, proved REAL NOT NULL, peer TEXT NOT NULL, form TEXT NOT NULL, wrong INTEGER NOT NULL
);
CREATE INDEX session_name ON session (name);
CREATE TABLE answer (
    who TEXT NOT NULL, key TEXT NOT NULL, question BLOB NOT NULL, at REAL NOT NULL, status INTEGER,
    body BLOB, PRIMARY KEY (who, key)
);
CREATE TABLE used (token TEXT PRIMARY KEY, at REAL NOT NULL)
"""
_LATER: Final = (
    """
ALTER TABLE session ADD COLUMN voucher TEXT;
CREATE TABLE draft (name TEXT PRIMARY KEY, at REAL NOT NULL, base TEXT NOT NULL, text TEXT NOT NULL)
""",
)
_DRAFTS_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A sign-in. `id` is the hash of the cookie. `own`: of Gatepost's own administrators.

    `stage` is `half` until the second factor is proved, then `whole`. Times are Unix seconds: `seen` the
    last request, `proved` when the password was last given. `form` stands in every form of the session.
    `voucher` is what a provider said of whoever signed in by it.
    """

    id: bytes
    name: str
    own: bool
    stage: str
    began: float
    seen: float
    proved: float
    peer: str
    form: str
    wrong: int = 0
    voucher: str | None = None


@dataclass(frozen=True, slots=True)
class DraftRow:
    """The file as somebody is changing it: `base` is what the changes began from."""

    base: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What was answered to a request; `status` None: it is still being worked on."""

    question: bytes
    at: float
    status: int | None
    body: bytes | None


class ConsoleStore:
    """One file. Every method raises sqlite3.Error when it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    # sessions

    def keep(self, row: SessionRow) -> None:
        """The session is as the row says."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO session VALUES (?,?,?,?,?,?,?,?,?,?,?)", astuple(row))

    def session(self, number: bytes) -> SessionRow | None:
        with self._open() as database:
            row = database.execute("SELECT * FROM session WHERE id = ?", (number,)).fetchone()
        return None if row is None else _session(row)

    def sessions(self) -> list[SessionRow]:
        with self._open() as database:
            return [_session(row) for row in database.execute("SELECT * FROM session ORDER BY began")]

    def see(self, number: bytes, at: float) -> None:
        """A request came."""
        with self._open() as database:
            database.execute("UPDATE session SET seen = ? WHERE id = ?", (at, number))

    def wrong(self, number: bytes) -> int:
        """A wrong code was given; how many by now."""
        with self._open() as database:
            database.execute("UPDATE session SET wrong = wrong + 1 WHERE id = ?", (number,))
            row = database.execute("SELECT wrong FROM session WHERE id = ?", (number,)).fetchone()
        return 0 if row is None else int(row[0])

    def end(self, number: bytes) -> None:
        with self._open() as database:
            database.execute("DELETE FROM session WHERE id = ?", (number,))

    def end_all_of(self, name: str, *, but: bytes = b"") -> int:
        """No session of this name is left but the one; how many ended."""
        with self._open() as database:
            return database.execute("DELETE FROM session WHERE name = ? AND id != ?", (name, but)).rowcount

    def forget(self, *, began_before: float, seen_before: float, answered_before: float) -> None:
        """What is over is gone."""
        with self._open() as database:
            database.execute("DELETE FROM session WHERE began < ? OR seen < ?", (began_before, seen_before))
            database.execute("DELETE FROM answer WHERE at < ?", (answered_before,))

    # drafts

    def keep_draft(self, name: str, row: DraftRow, at: float) -> None:
        """Whoever is called so goes on from there; beyond a hundred people the eldest draft is lost."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO draft VALUES (?,?,?,?)", (name, at, row.base, row.text))
            database.execute(
                "DELETE FROM draft WHERE name NOT IN (SELECT name FROM draft ORDER BY at DESC LIMIT ?)",
                (_DRAFTS_AT_MOST,),
            )

    def draft(self, name: str, *, changed_since: float) -> DraftRow | None:
        """What was begun under the name and not applied; None too when it is older."""
        with self._open() as database:
            row = database.execute(
                "SELECT base, text FROM draft WHERE name = ? AND at >= ?", (name, changed_since)
            ).fetchone()
        return None if row is None else DraftRow(*row)

    def draft_texts(self) -> list[str]:
        """What anybody is changing."""
        with self._open() as database:
            return [row[0] for row in database.execute("SELECT text FROM draft")]

    def forget_draft(self, name: str) -> None:
        with self._open() as database:
            database.execute("DELETE FROM draft WHERE name = ?", (name,))

    def forget_drafts(self, *, changed_before: float) -> None:
        """What nobody goes on with is gone."""
        with self._open() as database:
            database.execute("DELETE FROM draft WHERE at < ?", (changed_before,))

    # answers

    def begin(self, who: str, key: str, question: bytes, at: float) -> AnswerRow | None:
        """None: the request is new, and being worked on from now. Else what there is of it."""
        with self._open() as database:
            row = database.execute(
                "SELECT question, at, status, body FROM answer WHERE who = ? AND key = ?", (who, key)
            ).fetchone()
            if row is not None:
                return AnswerRow(*row)
            database.execute("INSERT INTO answer VALUES (?,?,?,?,NULL,NULL)", (who, key, question, at))
        return None

    def answered(self, who: str, key: str, status: int, body: bytes) -> None:
        """The same request will have the same answer."""
        with self._open() as database:
            database.execute(
                "UPDATE answer SET status = ?, body = ? WHERE who = ? AND key = ?", (status, body, who, key)
            )

    def unanswered(self, who: str, key: str) -> None:
        """It failed on our side: the request may be tried again."""
        with self._open() as database:
            database.execute("DELETE FROM answer WHERE who = ? AND key = ?", (who, key))

    # tokens

    def token_used(self, token: str, at: float) -> None:
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO used VALUES (?, ?)", (token, at))

    def token_uses(self) -> dict[str, float]:
        with self._open() as database:
            return dict(database.execute("SELECT token, at FROM used").fetchall())

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        # what a power cut takes is a sign-in
        return transaction(self._path, _TABLES, _VERSION, synchronous="NORMAL", later=_LATER)


def _session(row: tuple[object, ...]) -> SessionRow:
    number, name, own, *rest = row
    return SessionRow(number, name, bool(own), *rest)  # type: ignore[arg-type]
