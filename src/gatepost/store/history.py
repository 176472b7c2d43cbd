"""Numbers over time: what was counted in each minute, and how things stood at its end.

A small file of its own: deleting it loses the curves of the console and nothing else.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_VERSION: Final = 1
_TABLE: Final = "CREATE TABLE sample (at REAL PRIMARY KEY, counts TEXT NOT NULL, levels TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Sample:
    """`counts` since the sample before, `levels` at `at` (Unix seconds)."""

    at: float
    counts: Mapping[str, int]
    levels: Mapping[str, float]


class History:
    """One file, opened for each call, so any thread may call. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, sample: Sample, *, forget_before: float) -> None:
        """The sample is there, and nothing that is older than `forget_before`."""
        row = (sample.at, json.dumps(dict(sample.counts)), json.dumps(dict(sample.levels)))
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT OR REPLACE INTO sample VALUES (?, ?, ?)", row)
            database.execute("DELETE FROM sample WHERE at < ?", (forget_before,))
            database.execute("COMMIT")

    def between(self, since: float, until: float) -> list[Sample]:
        """The samples after `since` up to `until`, oldest first."""
        if not self._path.exists():
            return []
        query = "SELECT at, counts, levels FROM sample WHERE at > ? AND at <= ? ORDER BY at"
        with self._open() as database:
            rows = database.execute(query, (since, until)).fetchall()
        return [Sample(at, json.loads(counts), json.loads(levels)) for at, counts, levels in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10.0, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if database.execute("PRAGMA user_version").fetchone()[0] == 0:
                database.execute("BEGIN IMMEDIATE")
                if database.execute("PRAGMA user_version").fetchone()[0] == 0:
                    database.execute(_TABLE)
                    database.execute(f"PRAGMA user_version = {_VERSION}")
                database.execute("COMMIT")
            yield database
