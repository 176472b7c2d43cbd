"""App passwords: one secret, one device, shown once, ended by itself. All verbs on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from gatepost.secret import Secret
from gatepost.store import app_keys, naming, tables
from gatepost.store.account_error import BadName, NameTaken, NotFound
from gatepost.store.app_keys import LOCAL, KeyedPassword
from gatepost.store.app_password import (
    LENGTH,
    AppPassword,
    AppPasswordChange,
    NewAppPassword,
    columns,
    digest,
    drawn,
    label_key,
    label_of,
    numbers_of,
    of_row,
)
from gatepost.store.audit import Audit, Fact
from gatepost.store.database import Database, DatabaseError
from gatepost.store.scram import Salt

_TABLE: Final = tables.app_passwords
# Made once: making them takes longer than SQLite takes to answer.
_BY_SECRET: Final = select(_TABLE).where(_TABLE.c.secret_hash == bindparam("hash"))
_BY_LABEL: Final = select(_TABLE).where(
    _TABLE.c.account == bindparam("account"),
    _TABLE.c.label_key == bindparam("label"),
    _TABLE.c.revoked.is_(None),
)
_EACH_MOST: Final = 100
_KEY: Final = "app-passwords"


class AppPasswords:
    """Every change is audited under the name `by`. `clock` gives aware UTC."""

    def __init__(self, database: Database, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._key: bytes | None = None

    # -- questions ---------------------------------------------------------------------------

    def of_secret(self, bare: str) -> AppPassword | None:
        """The one with this secret, also when it was revoked or has expired.

        Raises:
            DatabaseError: the key of the database is gone.
        """
        asked = {"hash": digest(bare, self._secret_key())}
        with self._database.reading() as connection:
            row = connection.execute(_BY_SECRET, asked).first()
        return None if row is None else of_row(row)

    def find(self, account: str, label: str) -> AppPassword | None:
        """The one of this label that is not revoked."""
        with self._database.reading() as connection:
            return _find(connection, naming.canonical(account), label)

    def all(self, account: str | None = None, *, revoked: bool = False) -> list[AppPassword]:
        """By account and label; those of one account, or of all. `revoked` adds what is over."""
        query = select(_TABLE).order_by(_TABLE.c.account, _TABLE.c.label_key, _TABLE.c.id)
        if account is not None:
            query = query.where(_TABLE.c.account == naming.canonical(account))
        if not revoked:
            query = query.where(_TABLE.c.revoked.is_(None))
        with self._database.reading() as connection:
            return [of_row(row) for row in connection.execute(query)]

    def named(self, name: str) -> list[KeyedPassword]:
        """With their SCRAM keys, those of the account called so; also some that are over."""
        with self._database.reading() as connection:
            return app_keys.named(connection, name)

    def salt(self, account: str, directory: str = LOCAL) -> Salt | None:
        """The salt that the account's own password must have for SCRAM to serve its devices too."""
        with self._database.reading() as connection:
            return app_keys.salt_of_devices(connection, naming.canonical(account), directory)

    # -- changes -----------------------------------------------------------------------------

    def add(
        self,
        account: str,
        new: NewAppPassword,
        *,
        by: str,
        directory: str = LOCAL,
        names: Iterable[str] = (),
        length: int = LENGTH,
    ) -> tuple[AppPassword, Secret]:
        """The device may log in as the account; its secret is given this once. Takes 50 ms.

        `names` are what else the account is called at a login.

        Raises:
            BadName: a label, length or time that cannot be one.
            NameTaken: a device of the account has the label.
        """
        account, now = naming.canonical(account), self._clock().astimezone(UTC)
        new = replace(new, label=label_of(new.label))
        if new.expires is not None:
            _require_to_come(new.expires, now)
        try:
            secret = drawn(length)
        except ValueError as problem:
            raise BadName(f"{length} characters", f"choose {problem}") from None
        values = columns(new) | {
            "account": account,
            "directory": directory,
            "secret_hash": digest(secret.reveal(), self._secret_key()),
            "created": now.isoformat(timespec="seconds"),
            "made_by": by,
        }
        with self._database.writing() as connection:
            self._require_room(connection, account, new.label)
            number = connection.execute(insert(_TABLE).values(values).returning(_TABLE.c.id)).scalar_one()
            app_keys.keep(connection, number, secret, account=account, directory=directory, names=names)
            added = of_row(connection.execute(select(_TABLE).where(_TABLE.c.id == number)).one())
            self._note(connection, "app-password-add", added, by, after=facts(added))
        return added, secret

    def change(self, account: str, label: str, change: AppPasswordChange, *, by: str) -> AppPassword:
        """The same secret is good for something else: at once, in open sessions within a second.

        Raises:
            NotFound: the account has no device of this label.
            BadName: an expiry in the past.
        """
        account = naming.canonical(account)
        with self._database.writing() as connection:
            before = self._required(connection, account, label)
            new = change.of(before)
            if new.expires is not None and new.expires != before.expires:
                _require_to_come(new.expires, self._clock())
            where = _TABLE.c.id == before.number
            connection.execute(update(_TABLE).where(where).values(columns(new)))
            now = of_row(connection.execute(select(_TABLE).where(where)).one())
            old, fresh = facts(before), facts(now)
            differs = [key for key in fresh if old[key] != fresh[key]]
            self._note(
                connection, "app-password-change", now, by,
                before={key: old[key] for key in ("label", *differs)},
                after={key: fresh[key] for key in differs},
            )  # fmt: skip
        return now

    def revoke(self, account: str, label: str, *, by: str) -> AppPassword:
        """The secret is worth nothing any more.

        Raises:
            NotFound: the account has no device of this label.
        """
        account = naming.canonical(account)
        with self._database.writing() as connection:
            found = self._required(connection, account, label)
            now = self._clock().astimezone(UTC).replace(microsecond=0)
            connection.execute(update(_TABLE).where(_TABLE.c.id == found.number).values(revoked=_text(now)))
            self._note(connection, "app-password-revoke", found, by, before=facts(found))
        return replace(found, revoked=now)

    @staticmethod
    def _required(connection: Connection, account: str, label: str) -> AppPassword:
        found = _find(connection, account, label)
        if found is None:
            remedy = f"gatepost user app-password {account} --list shows all"
            raise NotFound(f"{account} has no app password {label[:64]!r}", remedy)
        return found

    def _require_room(self, connection: Connection, account: str, label: str) -> None:
        if _find(connection, account, label) is not None:
            raise NameTaken(
                f"{account} has an app password {label!r}", "revoke it first, or choose another label"
            )
        where = (_TABLE.c.account == account, _TABLE.c.revoked.is_(None))
        if len(connection.execute(select(_TABLE.c.id).where(*where)).all()) >= _EACH_MOST:
            raise NameTaken(
                f"{account} has {_EACH_MOST} app passwords", "revoke some, or use another account"
            )

    def _note(
        self,
        connection: Connection,
        what: str,
        one: AppPassword,
        by: str,
        *,
        before: dict[str, Fact] | None = None,
        after: dict[str, Fact] | None = None,
    ) -> None:
        self._audit.note(connection, who=by, what=what, subject=one.account, before=before, after=after)

    def _secret_key(self) -> bytes:
        if self._key is None:
            table = tables.secrets
            with self._database.reading() as connection:
                found = connection.execute(select(table.c.value).where(table.c.name == _KEY)).scalar()
            if not isinstance(found, bytes):
                raise DatabaseError("the key of app passwords is missing; restore the accounts database")
            self._key = found
        return self._key


def _require_to_come(expires: datetime, now: datetime) -> None:
    if expires <= now:
        raise BadName("the expiry is in the past", "give a day to come")


def end_all(connection: Connection, account: str, now: datetime) -> None:
    """The account is being deleted: whoever has its name next inherits no device."""
    where = (_TABLE.c.account == account, _TABLE.c.directory == LOCAL, _TABLE.c.revoked.is_(None))
    connection.execute(update(_TABLE).where(*where).values(revoked=_text(now)))


def facts(one: AppPassword) -> dict[str, Fact]:
    """For the audit."""
    return {
        "label": one.label,
        "networks": [str(network) for network in one.networks],
        "senders": [str(sender) for sender in one.senders],
        "collects": one.collects,
        "limits": json.dumps({key: value for key, value in numbers_of(one.limits).items() if value}),
        "expires": None if one.expires is None else one.expires.isoformat(timespec="seconds"),
    }


def _find(connection: Connection, account: str, label: str) -> AppPassword | None:
    row = connection.execute(_BY_LABEL, {"account": account, "label": label_key(label)}).first()
    return None if row is None else of_row(row)


def _text(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")
