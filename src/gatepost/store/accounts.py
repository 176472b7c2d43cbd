"""The accounts: users, groups and aliases in one database, and the list of who changed them.

accounts = Accounts.open(state / "accounts.sqlite3")
accounts.users.add("bob@example.org", domains=["example.org"], by="ann")
accounts.groups.join("POP3 Relay", "bob", by="ann", domains=["example.org"], guessable=names)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import select

from gatepost.store import tables
from gatepost.store.administrators import Administrators
from gatepost.store.aliases import Aliases
from gatepost.store.app_passwords import AppPasswords
from gatepost.store.audit import Audit
from gatepost.store.database import Database, DatabaseError
from gatepost.store.groups import Groups
from gatepost.store.tokens import Tokens
from gatepost.store.users import Users


def _now() -> datetime:
    return datetime.now(UTC)


class Accounts:
    """`users`, `groups`, `aliases`, `app_passwords`, `administrators`, `tokens`, `audit` over one `database`.

    `clock` gives aware UTC.
    """

    __slots__ = (
        "administrators",
        "aliases",
        "app_passwords",
        "audit",
        "database",
        "groups",
        "tokens",
        "users",
    )

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self.database = database
        self.audit = Audit(database, clock)
        self.users = Users(database, self.audit, clock)
        self.groups = Groups(database, self.audit)
        self.aliases = Aliases(database, self.audit)
        self.administrators = Administrators(database, self.audit, clock)
        self.tokens = Tokens(database, self.audit, clock)
        self.app_passwords = AppPasswords(database, self.audit, clock)

    @classmethod
    def open(cls, path: Path, clock: Callable[[], datetime] = _now) -> Self:
        """The accounts kept at `path`, made or brought up to date if need be.

        Raises:
            DatabaseError: it cannot be used.
        """
        return cls(Database.open(path), clock)

    def close(self) -> None:
        self.database.close()

    def version(self) -> int:
        """A number that differs after any change by any process; two microseconds."""
        return self.database.version()

    def unknown_names_key(self) -> bytes:
        """The random key from which unknown names get lasting SCRAM salts. The same in all processes.

        Raises:
            DatabaseError: it is not there.
        """
        table = tables.secrets
        with self.database.reading() as connection:
            found = connection.execute(select(table.c.value).where(table.c.name == "unknown-names")).scalar()
        if not isinstance(found, bytes):
            raise DatabaseError("the key for unknown names is missing; restore the accounts database")
        return found
