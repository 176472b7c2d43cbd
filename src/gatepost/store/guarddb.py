"""What the guard must not forget over a restart: known sources, bans, counts, contained accounts.

Plain `sqlite3`, as for the tracking. The file is opened for each call, so any thread may call.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatepost.store.moment import Moment
from gatepost.store.smallfile import transaction

_VERSION: Final = 2
_TABLES: Final = """
CREATE TABLE source (name TEXT NOT NULL, host BLOB NOT NULL, at REAL NOT NULL, PRIMARY KEY (name, host));
CREATE TABLE ban (
    network TEXT PRIMARY KEY, until REAL, note TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE contained (
    user TEXT PRIMARY KEY, why TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL, held TEXT NOT NULL
);
CREATE TABLE memory (key TEXT PRIMARY KEY, at REAL NOT NULL, value TEXT NOT NULL)
"""

_PARTS: Final = """
CREATE TABLE part (
    kind TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, boot TEXT NOT NULL, since_boot REAL NOT NULL,
    value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
DELETE FROM memory WHERE key IN ('habits', 'ledger')
"""


@dataclass(frozen=True, slots=True)
class SourceRow:
    name: str
    host: bytes
    at: float


@dataclass(frozen=True, slots=True)
class BanRow:
    """`until` None: for ever."""

    network: str
    until: float | None
    note: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class ContainedRow:
    """`held` are the ids of the messages that were held for it."""

    user: str
    why: str
    by: str
    at: float
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What was remembered, and when (Unix seconds)."""

    at: float
    value: Any


@dataclass(frozen=True, slots=True)
class Part:
    """One of many that are remembered each for itself: a user's, a source's."""

    key: str
    at: Moment
    value: Any


class GuardStore:
    """One file. Every method raises sqlite3.Error when it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sources(self) -> list[SourceRow]:
        with self._open() as database:
            return [SourceRow(*row) for row in database.execute("SELECT name, host, at FROM source")]

    def keep_sources(self, rows: Iterable[SourceRow], *, forget_before: float) -> None:
        with self._open() as database:
            database.executemany(
                "INSERT OR REPLACE INTO source VALUES (?, ?, ?)", [(r.name, r.host, r.at) for r in rows]
            )
            database.execute("DELETE FROM source WHERE at < ?", (forget_before,))

    def bans(self) -> list[BanRow]:
        with self._open() as database:
            return [BanRow(*row) for row in database.execute("SELECT network, until, note, by, at FROM ban")]

    def keep_bans(self, rows: Iterable[BanRow]) -> None:
        """Exactly these are the bans."""
        with self._open() as database:
            database.execute("DELETE FROM ban")
            database.executemany(
                "INSERT INTO ban VALUES (?, ?, ?, ?, ?)",
                [(r.network, r.until, r.note, r.by, r.at) for r in rows],
            )

    def contained(self) -> list[ContainedRow]:
        with self._open() as database:
            rows = database.execute("SELECT user, why, by, at, held FROM contained ORDER BY at").fetchall()
        return [ContainedRow(user, why, by, at, tuple(json.loads(held))) for user, why, by, at, held in rows]

    def keep_contained(self, row: ContainedRow) -> None:
        with self._open() as database:
            database.execute(
                "INSERT OR REPLACE INTO contained VALUES (?, ?, ?, ?, ?)",
                (row.user, row.why, row.by, row.at, json.dumps(row.held)),
            )

    def forget_contained(self, user: str) -> None:
        with self._open() as database:
            database.execute("DELETE FROM contained WHERE user = ?", (user,))

    def memory(self, key: str) -> Memory | None:
        with self._open() as database:
            row = database.execute("SELECT at, value FROM memory WHERE key = ?", (key,)).fetchone()
        return None if row is None else Memory(row[0], json.loads(row[1]))

    def remember(self, key: str, memory: Memory) -> None:
        with self._open() as database:
            database.execute(
                "INSERT OR REPLACE INTO memory VALUES (?, ?, ?)", (key, memory.at, json.dumps(memory.value))
            )

    def parts(self, kind: str) -> list[Part]:
        query = "SELECT key, at, boot, since_boot, value FROM part WHERE kind = ?"
        with self._open() as database:
            rows = database.execute(query, (kind,)).fetchall()
        return [Part(key, Moment(at, boot, since), json.loads(text)) for key, at, boot, since, text in rows]

    def keep_parts(self, kind: str, parts: Mapping[str, Any], now: Moment) -> None:
        """These parts are so now; None: there is none any more."""
        kept = [
            (kind, key, now.at, now.boot, now.since_boot, json.dumps(value, separators=(",", ":")))
            for key, value in parts.items()
            if value is not None
        ]
        with self._open() as database:
            database.executemany("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)", kept)
            database.executemany(
                "DELETE FROM part WHERE kind = ? AND key = ?",
                [(kind, key) for key, value in parts.items() if value is None],
            )

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._path, _TABLES, _VERSION, later=(_PARTS,))
