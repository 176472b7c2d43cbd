"""A small SQLite file that is opened for each call, so that any thread may call.

Plain `sqlite3`: a handful of rows, and no other process that would have to be told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def transaction(
    path: Path, tables: str, version: int, *, synchronous: str = "FULL", later: Sequence[str] = ()
) -> Iterator[sqlite3.Connection]:
    """A transaction, committed at the end; `tables` are made in a file that is new.

    `later` are the statements by which version 1 became 2, 2 became 3 and so on up to `version`.

    Raises: sqlite3.Error; nothing is changed then.
    """
    with closing(sqlite3.connect(path, timeout=10.0, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {synchronous}")
        database.execute("BEGIN IMMEDIATE")
        try:
            known = int(database.execute("PRAGMA user_version").fetchone()[0])
            if known < version:
                for statements in (tables, *later)[known:]:
                    for statement in statements.split(";"):
                        database.execute(statement)
                database.execute(f"PRAGMA user_version = {version}")
            yield database
        except BaseException:
            if database.in_transaction:  # SQLite has rolled back by itself when the disk is full
                database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
