"""The tracking database: rows written, found and forgotten.

Plain `sqlite3` rather than SQLAlchemy: five hundred rows go in with one statement, during which the
interpreter is free for the event loop; through an ORM's or Core's `executemany` each row would
take and give up the interpreter, and cost several microseconds more. The file is a record, not
state: deleting it loses history and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from gatepost.store import trackmove
from gatepost.store.trackrows import Row
from gatepost.store.tracktables import NAMES, TABLES, VERSION

_DELETED_AT_ONCE = 5_000
_ROWS_AT_ONCE = 500  # SQLite binds at most 32,766 values in a statement
ENDS = "SELECT (SELECT min(number) FROM {0}), (SELECT max(number) FROM {0})"  # together they would scan


def connect(path: Path) -> sqlite3.Connection:
    """An open database with its tables. Several processes may have it open. Raises: sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded by a file that is new
    connection.execute("PRAGMA journal_mode = WAL")
    # A power cut may lose the last second of history; nothing promised rests on it.
    connection.execute("PRAGMA synchronous = NORMAL")
    if _version(connection) >= trackmove.MOVING:
        return connection
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)  # another process may have been first
    if version == 0:
        trackmove.run(connection, TABLES)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    elif version < trackmove.MOVING:
        trackmove.begin(connection, version)
    connection.execute("COMMIT")
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """The rows are in the table. Raises: sqlite3.Error."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        group = rows[start : start + _ROWS_AT_ONCE]
        marks = ",".join(["(?,?,?,?)"] * len(group))
        values = list(chain.from_iterable(group))
        connection.execute(f"INSERT INTO {table} (key, at, words, facts) VALUES {marks}", values)  # noqa: S608 - own names


def delete_before(connection: sqlite3.Connection, at: float) -> None:
    """Nothing older than `at` is left. Raises: sqlite3.Error."""
    for table in NAMES:
        # Rows come in the order of time: the first that is younger ends the search.
        row = connection.execute(
            f"SELECT number FROM {table} WHERE at >= ? ORDER BY number LIMIT 1",  # noqa: S608
            (at,),
        ).fetchone()
        _delete_below(connection, table, row[0] if row is not None else 1 << 62)


def delete_beyond(connection: sqlite3.Connection, size_bytes: int) -> int:
    """The oldest tenth of all rows, again and again until what is left fits; how many went.

    Raises: sqlite3.Error.
    """
    gone = 0
    while _used_bytes(connection) > size_bytes:
        before = gone
        for table in NAMES:
            first, last = connection.execute(ENDS.format(table)).fetchone()
            if first is not None:
                gone += _delete_below(connection, table, first + max((last - first) // 10, 1))
        if gone == before:
            break
    return gone


def _delete_below(connection: sqlite3.Connection, table: str, number: int) -> int:
    """In portions: other processes write between them."""
    gone = 0
    while True:
        connection.execute("BEGIN IMMEDIATE")
        first = connection.execute(f"SELECT min(number) FROM {table}").fetchone()[0]  # noqa: S608
        if first is None or first >= number:
            connection.execute("COMMIT")
            break
        bound = min(number, first + _DELETED_AT_ONCE)
        connection.execute(
            f"INSERT INTO {table}_words ({table}_words, rowid, words) SELECT 'delete', number, words"  # noqa: S608
            f" FROM {table} WHERE number < ? AND number <= (SELECT number FROM tail WHERE name = ?)",
            (bound, table),
        )
        gone += connection.execute(f"DELETE FROM {table} WHERE number < ?", (bound,)).rowcount  # noqa: S608
        # Numbers begin anew in an empty table.
        connection.execute(
            f"UPDATE tail SET number = 0 WHERE name = ? AND NOT EXISTS (SELECT 1 FROM {table})",  # noqa: S608
            (table,),
        )
        connection.execute("COMMIT")
    if gone:
        connection.executescript("PRAGMA incremental_vacuum")
    return gone


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, page_bytes = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes


def index(connection: sqlite3.Connection, rows_at_most: int) -> int:
    """So many more rows of each table can be found by their words; how many were. Inside a transaction.

    Raises: sqlite3.Error.
    """
    done = 0
    for table in NAMES:
        start = tail(connection, table)
        found = connection.execute(
            f"SELECT max(number), count(*) FROM (SELECT number FROM {table} WHERE number > ?"  # noqa: S608
            " ORDER BY number LIMIT ?)",
            (start, rows_at_most),
        ).fetchone()
        if not found[1]:
            continue
        connection.execute(
            f"INSERT INTO {table}_words (rowid, words) SELECT number, words FROM {table}"  # noqa: S608
            " WHERE number > ? AND number <= ?",
            (start, found[0]),
        )
        connection.execute("UPDATE tail SET number = ? WHERE name = ?", (found[0], table))
        done += found[1]
    return done


def behind(connection: sqlite3.Connection) -> int:
    """About how many rows are not indexed yet."""
    last = connection.execute("SELECT max(number) FROM message").fetchone()[0] or 0
    return int(last) - tail(connection, "message")


def tail(connection: sqlite3.Connection, table: str) -> int:
    """The number of the last row that is indexed."""
    found: int = connection.execute("SELECT number FROM tail WHERE name = ?", (table,)).fetchone()[0]
    return found
