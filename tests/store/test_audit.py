"""The list of changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gatepost.store.audit import Audit
from gatepost.store.database import Database

NOW = datetime(2026, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "accounts.sqlite3")
    yield database
    database.close()


def test_changes_come_newest_first_and_by_pages(database: Database) -> None:
    audit = Audit(database, lambda: NOW)
    with database.writing() as connection:
        for number in range(5):
            audit.note(
                connection,
                who="ann",
                what="user-quota",
                subject=f"u{number % 2}",
                after={"quota_bytes": number},
            )
    first = audit.changes(limit=2)
    second = audit.changes(limit=2, before_id=first[-1].id)
    assert [change.after for change in first + second] == [{"quota_bytes": n} for n in (4, 3, 2, 1)]
    assert len(audit.changes(subject="u0")) == 3
    assert len(audit.changes(who="ann", what="user-", limit=9)) == 5
    assert audit.changes(who="bob") == audit.changes(what="group-") == []
    assert first[0].at == datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    assert first[0].before is None


def test_a_change_that_is_not_committed_is_not_noted(database: Database) -> None:
    audit = Audit(database, lambda: NOW)

    def fail() -> None:
        with database.writing() as connection:
            audit.note(connection, who="ann", what="user-add", subject="u")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert audit.changes() == []
