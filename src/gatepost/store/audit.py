"""Who changed what, from what to what, and when: written in the same transaction as the change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from gatepost.store import tables
from gatepost.store.database import Database

Fact = str | int | bool | None | list[str]


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `before` and `after` hold what differs; None: it was not there. Never a secret."""

    id: int
    at: datetime
    who: str
    what: str
    subject: str
    before: Mapping[str, Fact] | None
    after: Mapping[str, Fact] | None


class Audit:
    """The list of changes, which only grows. `clock` gives aware UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def note(
        self,
        connection: Connection,
        *,
        who: str,
        what: str,
        subject: str,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        """The change stands in the list once `connection`'s transaction is committed."""
        row = {
            "at": self._clock().astimezone(UTC).isoformat(timespec="milliseconds"),
            "who": who,
            "what": what,
            "subject": subject,
            "before": None if before is None else json.dumps(before),
            "after": None if after is None else json.dumps(after),
        }
        connection.execute(insert(tables.audit).values(row))

    def add(
        self,
        *,
        who: str,
        what: str,
        subject: str,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        """What was done elsewhere stands in the list, on disk."""
        with self._database.writing() as connection:
            self.note(connection, who=who, what=what, subject=subject, before=before, after=after)

    def changes(
        self,
        *,
        subject: str | None = None,
        who: str | None = None,
        what: str | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[Change]:
        """Up to `limit` changes, newest first; `before_id` is the last one's number of the page before.

        `what` is the word of an act, or how it begins: `user-`.
        """
        table = tables.audit
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if who is not None:
            query = query.where(table.c.who == who)
        if what is not None:
            query = query.where(table.c.what.startswith(what, autoescape=True))
        if before_id is not None:
            query = query.where(table.c.id < before_id)
        with self._database.reading() as connection:
            return [_change(row) for row in connection.execute(query)]


def _change(row: Row[Any]) -> Change:
    before, after = row.before, row.after
    return Change(
        id=row.id,
        at=datetime.fromisoformat(row.at),
        who=row.who,
        what=row.what,
        subject=row.subject,
        before=None if before is None else json.loads(before),
        after=None if after is None else json.loads(after),
    )
