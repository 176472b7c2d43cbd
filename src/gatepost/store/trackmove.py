"""A tracking database of an earlier version becomes one of today's, without anybody waiting for it.

The old tables are put aside in one short transaction. Their rows then move a portion at a time, the newest
first, with the numbers they had: new rows number on above them. What has not moved yet cannot be found.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from gatepost.store.trackrows import FIELD, NOBODY, RECIPIENTS, SAID, Row, plain
from gatepost.store.tracktables import ADDED_IN, MOVING, NAMES, PUT_ASIDE, TABLES, VERSION

__all__ = ["MOVING", "begin", "move", "run"]

_OLD_ROW = "\x1e"  # between the outcomes of a message
_MESSAGE = (
    "queue_id,at,session,virtual_server,peer,user,sender,recipients,size_bytes,outcomes,said,subject,device"
)
_OUTCOME = "queue_id,at,recipient,disposition,code,enhanced,text,next_hop"
_REFUSAL = "session,at,virtual_server,peer,user,stage,reason,sender,recipient,reply,device"


def run(connection: sqlite3.Connection, statements: str) -> None:
    """Statements without a semicolon inside, within the transaction that is open. Raises: sqlite3.Error."""
    for statement in statements.split(";"):
        connection.execute(statement)


def begin(connection: sqlite3.Connection, version: int) -> None:
    """Today's tables are there, beside those of `version`. Inside a transaction. Raises: sqlite3.Error."""
    for number in range(version, max(ADDED_IN) + 1):
        run(connection, ADDED_IN[number])
    run(connection, PUT_ASIDE)
    run(connection, TABLES)
    for table in NAMES:
        # New rows get the numbers above the highest.
        last = _portion(connection, table, 1)
        connection.execute("UPDATE tail SET number = ? WHERE name = ?", (last, table))
    connection.execute(f"PRAGMA user_version = {MOVING}")


def move(connection: sqlite3.Connection, rows_at_most: int) -> bool:
    """So many more old rows of each table moved; whether there may be more. Inside a transaction.

    Raises: sqlite3.Error.
    """
    if connection.execute("PRAGMA user_version").fetchone()[0] != MOVING:
        return False
    moved = [_portion(connection, table, rows_at_most) for table in NAMES]
    if any(moved):
        return True
    for table in NAMES:
        connection.execute(f"DROP TABLE old_{table}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    return False


def _portion(connection: sqlite3.Connection, table: str, count: int) -> int:
    """The newest old rows are in today's table, and found; the highest number of them, 0 for none."""
    columns, row_of = _OLD[table]
    found = connection.execute(
        f"SELECT number,{columns} FROM old_{table} ORDER BY number DESC LIMIT ?",  # noqa: S608 - own names
        (count,),
    ).fetchall()[::-1]
    if not found:
        return 0
    first, last = found[0][0], found[-1][0]
    connection.executemany(
        f"INSERT INTO {table} (number, key, at, words, facts) VALUES (?,?,?,?,?)",  # noqa: S608
        [(row[0], *row_of(row[1:])) for row in found],
    )
    connection.execute(
        f"INSERT INTO {table}_words (rowid, words) SELECT number, words FROM {table}"  # noqa: S608
        " WHERE number >= ? AND number <= ?",
        (first, last),
    )
    connection.execute(f"DELETE FROM old_{table} WHERE number >= ?", (first,))  # noqa: S608
    return int(last)


def _message(old: Sequence[str]) -> Row:
    queue_id, at, session, server, peer, user, sender, recipients, size, outcomes, said, subject, device = old
    words, became = "", ""
    whom = recipients.replace("\n", RECIPIENTS)
    texts = (said or "").split(_OLD_ROW)
    for number, one in enumerate(outcomes.split(_OLD_ROW) if outcomes else ()):
        fields = one.split(FIELD)
        if len(fields) == 7:  # before version 4 all stood in one column
            by, word, code, enhanced, text, hop, seconds = fields
            milliseconds = str(int(float(seconds) * 1000))
        else:
            by, word, code, enhanced, milliseconds = fields
            text, hop, *_mark = [*texts[number].split(FIELD), ""]
        words += f"{SAID}{plain(text)}{FIELD}{hop}{FIELD}={word}"
        became += f"{SAID}{by}{FIELD}{code}{FIELD}{enhanced}{FIELD}{milliseconds}"
    return (
        queue_id,
        float(at),
        f"\x01{session}\x02{peer}\x03{plain(user or '')}\x04{sender or NOBODY}\x05{whom}"
        f"\x06{plain(device or '')}{words or SAID}",
        f"{server}{FIELD}{size}{FIELD}{plain(subject or '')}{became}",
    )


def _outcome(old: Sequence[str]) -> Row:
    queue_id, at, whom, word, code, enhanced, text, hop = old
    facts = FIELD.join((whom, str(code), enhanced, str(int(float(at) * 1000))))
    return queue_id, float(at), f"{SAID}{plain(text)}{FIELD}{hop or ''}{FIELD}={word}", facts


def _refusal(old: Sequence[str]) -> Row:
    session, at, server, peer, user, stage, reason, sender, recipient, reply, device = old
    return (
        session,
        float(at),
        f"\x01\x02{peer}\x03{plain(user or '')}\x04{plain(sender) or NOBODY}\x05{plain(recipient or '')}"
        f"\x06{plain(device or '')}\x07{reason}",
        FIELD.join((server, stage, plain(reply), "" if recipient is None else "1")),
    )


_OLD: dict[str, tuple[str, Callable[[Sequence[str]], Row]]] = {
    "message": (_MESSAGE, _message),
    "outcome": (_OUTCOME, _outcome),
    "refusal": (_REFUSAL, _refusal),
}
