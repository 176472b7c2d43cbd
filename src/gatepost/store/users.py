"""Users: who may log in and whose mailbox it is. All verbs on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from gatepost.store import app_passwords, naming, tables, user
from gatepost.store.audit import Audit, Fact
from gatepost.store.database import Database
from gatepost.store.user import Credential, User

_PAGE: Final = 1_000


class Users:
    """All verbs on users. Every change is audited under the name `by`."""

    def __init__(self, database: Database, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    # -- questions ---------------------------------------------------------------------------

    def find(self, name: str, domains: Collection[str] = ()) -> User | None:
        """The user called `name`: a whole primary address, or a bare name in exactly one of `domains`."""
        with self._database.reading() as connection:
            found = user.numbers(connection, name, domains)
            return user.read(connection, found[0]) if len(found) == 1 else None

    def get(self, name: str, domains: Collection[str] = ()) -> User:
        """As `find`.

        Raises:
            NotFound: nobody is called so.
            Ambiguous: a bare name that several domains have.
        """
        with self._database.reading() as connection:
            return user.read(connection, user.required(connection, name, domains))

    def credential(self, name: str) -> Credential | None:
        """How the user of this primary address proves who it is; None without user or password."""
        table = tables.users
        with self._database.reading() as connection:
            row = connection.execute(select(table).where(table.c.name == naming.canonical(name))).first()
        return None if row is None else user.credential_of(row)

    def page(self, *, after: str = "", limit: int = _PAGE, containing: str = "") -> list[User]:
        """Up to `limit` users by name, those whose name sorts behind `after`.

        `containing` narrows to those with the text in their name or full name.
        """
        table = tables.users
        query = select(*user.PLAIN_COLUMNS).where(table.c.name > after).order_by(table.c.name).limit(limit)
        if containing:
            text = naming.canonical(containing)
            query = query.where(
                or_(
                    table.c.name.contains(text, autoescape=True),
                    table.c.full_name.icontains(containing, autoescape=True),
                )
            )
        with self._database.reading() as connection:
            return user.read_all(connection, connection.execute(query).all())

    def all(self) -> Iterator[User]:
        """Every user by name, read a page at a time."""
        page = self.page()
        while page:
            yield from page
            page = self.page(after=page[-1].name)

    def count(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(tables.users)).scalar_one()

    def administrators(self) -> list[User]:
        """Enabled administrators, the longest-standing first."""
        table = tables.users
        query = select(*user.PLAIN_COLUMNS).where(
            table.c.administrator.is_(True), table.c.disabled.is_(False)
        )
        with self._database.reading() as connection:
            return user.read_all(connection, connection.execute(query.order_by(table.c.id)).all())

    # -- changes -----------------------------------------------------------------------------

    def add(
        self,
        name: str,
        *,
        domains: Collection[str],
        by: str,
        credential: Credential | None = None,
        full_name: str = "",
        addresses: Sequence[str] = (),
        administrator: bool = False,
        quota_bytes: int | None = None,
        even_so: bool = False,
    ) -> User:
        """The user is there. All its addresses lie in `domains`, the local ones. `even_so` is audited.

        Raises:
            BadName: an address that cannot be one.
            NameTaken: an address that a user or alias has already.
        """
        name = naming.account_address(name, domains)
        further = user.further_addresses(name, addresses, domains)
        row: dict[str, object] = {
            "name": name,
            "local": name.rpartition("@")[0],
            "full_name": full_name,
            "disabled": False,
            "administrator": administrator,
            "quota_bytes": quota_bytes,
            "created": self._clock().astimezone(UTC).isoformat(timespec="seconds"),
        } | user.columns(credential)
        with self._database.writing() as connection:
            for address in (name, *further):
                user.require_free(connection, address)
            number = connection.execute(
                insert(tables.users).values(row).returning(tables.users.c.id)
            ).scalar_one()
            user.write_addresses(connection, number, further)
            added = user.read(connection, number)
            after = user.facts(added) | _said_so(even_so)
            self._audit.note(connection, who=by, what="user-add", subject=name, after=after)
        return added

    def set_password(self, name: str, credential: Credential, *, by: str, even_so: bool = False) -> None:
        """The user has this password, and the one before is worth nothing. `even_so` is audited.

        Raises:
            NotFound: nobody is called so.
        """
        with self._database.writing() as connection:
            number = user.required(connection, name, ())
            _set(connection, number, user.columns(credential))
            subject, after = naming.canonical(name), _said_so(even_so) or None
            self._audit.note(connection, who=by, what="user-passwd", subject=subject, after=after)

    def renew_credential(self, number: int, old_hash: str, credential: Credential) -> None:
        """The same password is kept under today's parameters, unless it was changed meanwhile."""
        table = tables.users
        where = (table.c.id == number, table.c.password_hash == old_hash)
        with self._database.writing() as connection:
            connection.execute(update(table).where(*where).values(user.columns(credential)))

    def set_disabled(self, name: str, *, disabled: bool, by: str) -> User:
        """The user can, or cannot, log in. Mail for it is taken all the same.

        Raises:
            NotFound: nobody is called so.
        """
        return self._change(name, "user-disable" if disabled else "user-enable", by, {"disabled": disabled})

    def set_administrator(self, name: str, *, administrator: bool, by: str) -> User:
        """The user is, or is not, an administrator of Gatepost.

        Raises:
            NotFound: nobody is called so.
        """
        return self._change(name, "user-administrator", by, {"administrator": administrator})

    def set_full_name(self, name: str, full_name: str, *, by: str) -> User:
        """Raises: NotFound: nobody is called so."""
        return self._change(name, "user-full-name", by, {"full_name": full_name})

    def set_quota(self, name: str, quota_bytes: int | None, *, by: str) -> User:
        """The mailbox may hold so much; None: what the settings say.

        Raises:
            NotFound: nobody is called so.
        """
        return self._change(name, "user-quota", by, {"quota_bytes": quota_bytes})

    def set_addresses(
        self, name: str, addresses: Sequence[str], *, domains: Collection[str], by: str
    ) -> User:
        """The user has exactly these further addresses.

        Raises:
            NotFound, BadName, NameTaken: as `get` and `add`.
        """
        with self._database.writing() as connection:
            number = user.required(connection, name, ())
            before = user.read(connection, number)
            further = user.further_addresses(before.name, addresses, domains)
            connection.execute(delete(tables.addresses).where(tables.addresses.c.user_id == number))
            for address in further:
                user.require_free(connection, address)
            user.write_addresses(connection, number, further)
            return self._noted(connection, before, "user-addresses", by)

    def delete(self, name: str, *, by: str) -> None:
        """The user, its addresses, memberships and app passwords are gone. The mailbox is not touched.

        Raises:
            NotFound: nobody is called so.
        """
        with self._database.writing() as connection:
            number = user.required(connection, name, ())
            gone = user.read(connection, number)
            connection.execute(delete(tables.users).where(tables.users.c.id == number))
            app_passwords.end_all(connection, gone.name, self._clock())
            self._audit.note(
                connection, who=by, what="user-delete", subject=gone.name, before=user.facts(gone)
            )

    def _change(self, name: str, what: str, by: str, values: dict[str, object]) -> User:
        with self._database.writing() as connection:
            number = user.required(connection, name, ())
            before = user.read(connection, number)
            _set(connection, number, values)
            return self._noted(connection, before, what, by)

    def _noted(self, connection: Connection, before: User, what: str, by: str) -> User:
        """The user as it is now; what differs is audited."""
        now = user.read(connection, before.id)
        old, new = user.facts(before), user.facts(now)
        changed = [key for key in new if old[key] != new[key]]
        if changed:
            self._audit.note(
                connection,
                who=by,
                what=what,
                subject=now.name,
                before={key: old[key] for key in changed},
                after={key: new[key] for key in changed},
            )
        return now


def _said_so(even_so: bool) -> dict[str, Fact]:
    """For the audit: a password was taken that is refused otherwise."""
    return {"password_even_so": True} if even_so else {}


def _set(connection: Connection, number: int, values: dict[str, object]) -> None:
    connection.execute(update(tables.users).where(tables.users.c.id == number).values(values))
