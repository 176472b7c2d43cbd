"""What the records of attempts say of an attacked account: the guesses, and what its owner saw of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.store.attempts import Attempts


@dataclass(frozen=True, slots=True)
class OwnerView:
    """Of one account. `guesses` came from places it never logged in from, `guessers` of them.

    `logins` succeeded, `own_failures` failed from places it logs in from; `hindered` of these were
    refused by the guard. `last_login` is Unix seconds, None when there is none on record.
    """

    account: str
    guesses: int
    guessers: int
    logins: int
    own_failures: int
    hindered: int
    last_login: float | None

    @property
    def noticed(self) -> bool:
        """Whether the attack stood in the owner's way."""
        return self.hindered > 0


def owner_view(attempts: Attempts, account: str, names: Sequence[str], since: float) -> OwnerView:
    """`names` are those by which the account was tried. Raises: sqlite3.Error."""
    with attempts.reading() as database:
        return _view(database, account, sorted({name.lower() for name in names}), since)


def _view(database: sqlite3.Connection, account: str, names: list[str], since: float) -> OwnerView:
    peers = [
        row[0]
        for row in database.execute(
            "SELECT DISTINCT peer FROM attempt WHERE account = ? LIMIT 1000", (account,)
        )
    ]
    logins, last = database.execute(
        "SELECT COALESCE(SUM(at >= ?), 0), MAX(at) FROM attempt WHERE account = ?", (since, account)
    ).fetchone()
    marks, own = ",".join("?" * len(names)), ",".join("?" * len(peers))
    query = (
        f"SELECT peer IN ({own}) AS own, COUNT(*), COUNT(DISTINCT peer), SUM(treatment = 'refused') "  # noqa: S608
        f"FROM attempt WHERE account IS NULL AND at >= ? AND lower(name) IN ({marks}) GROUP BY own"
    )
    rows = {own: row for own, *row in database.execute(query, (*peers, since, *names))}
    guesses, guessers, _ = rows.get(0, (0, 0, 0))
    failures, _, hindered = rows.get(1, (0, 0, 0))
    return OwnerView(account, guesses, guessers, logins, failures, hindered, last)


def treatments(attempts: Attempts, since: float) -> dict[str, int]:
    """How often each treatment was given to a try that failed. Raises: sqlite3.Error."""
    query = "SELECT treatment, COUNT(*) FROM attempt WHERE account IS NULL AND at >= ? GROUP BY treatment"
    with attempts.reading() as database:
        return dict(database.execute(query, (since,)).fetchall())
