"""A small SQLite file that is opened for each call, so that any thread may call.

Plain `sqlite3`: a handful of rows, and no other process that would have to be told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def transaction(
    path: Path, tables: str, version: int, *, synchronous: str = "FULL"
) -> Iterator[sqlite3.Connection]:
    """A transaction, committed at the end; `tables` are made in a file that is new.

    Raises: sqlite3.Error; nothing is changed then.
    """
    with closing(sqlite3.connect(path, timeout=10.0, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {synchronous}")
        database.execute("BEGIN IMMEDIATE")
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in tables.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {version}")
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
