"""Administrators: who signs in to console and API, and what proves it. All verbs on them.

Those with a role are Gatepost's own, with a password kept here. A row without one belongs to somebody
of a directory and holds second factors only.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from gatepost.store import naming, tables
from gatepost.store.account_error import BadName, LastAdministrator, NameTaken, NotFound
from gatepost.store.audit import Audit, Fact
from gatepost.store.database import Database
from gatepost.store.tokens import end_tokens

ADMINISTRATOR: Final = "administrator"  # the role without which nobody could sign in any more
_CHARACTERS: Final = 128


@dataclass(frozen=True, slots=True)
class SecurityKey:
    """A WebAuthn credential. `sign_count` is the authenticator's, last seen."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    label: str
    created: str


@dataclass(frozen=True, slots=True)
class Administrator:
    """Whoever signs in. `role` None: a directory's, whose groups say. `name` is canonical."""

    id: int
    name: str
    role: str | None
    password_hash: str | None
    totp_secret: str | None
    totp_step: int | None
    keys: tuple[SecurityKey, ...]
    created: str

    def __repr__(self) -> str:
        return f"Administrator({self.name!r}, {self.role!r})"

    @property
    def has_second_factor(self) -> bool:
        return self.totp_secret is not None or bool(self.keys)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a one-time link is good for: `name` sets its password, or None: the first administrator."""

    name: str | None
    role: str
    made_by: str


class Administrators:
    """All verbs on administrators. Every change is audited under the name `by`."""

    def __init__(self, database: Database, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    # -- questions ---------------------------------------------------------------------------

    def find(self, name: str) -> Administrator | None:
        with self._database.reading() as connection:
            return _found(connection, name)

    def get(self, name: str) -> Administrator:
        """Raises: NotFound."""
        found = self.find(name)
        if found is None:
            raise _not_found(name)
        return found

    def all(self) -> list[Administrator]:
        """By name, those of directories too."""
        with self._database.reading() as connection:
            rows = connection.execute(select(tables.administrators).order_by(tables.administrators.c.name))
            return [_administrator(connection, row) for row in rows.all()]

    def protected_names(self) -> frozenset[str]:
        """The names of Gatepost's own administrators: to those no group gives relay."""
        table = tables.administrators
        with self._database.reading() as connection:
            found = connection.execute(select(table.c.name).where(table.c.role == ADMINISTRATOR)).scalars()
            return frozenset(found)

    def is_empty(self) -> bool:
        """Whether nobody of ours can sign in yet."""
        table = tables.administrators
        query = select(func.count()).where(table.c.role.is_not(None), table.c.password_hash.is_not(None))
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one() == 0

    # -- who they are ------------------------------------------------------------------------

    def add(self, name: str, role: str, *, by: str, password_hash: str | None = None) -> Administrator:
        """The administrator is there; without a password it cannot sign in yet.

        Raises:
            BadName: it cannot be a name.
            NameTaken: there is one.
        """
        name = _name(name)
        with self._database.writing() as connection:
            there = _found(connection, name)
            if there is not None and there.role is not None:
                raise NameTaken(f"there is an administrator {name}", "gatepost admin list shows all")
            if there is not None:
                _set(connection, there.id, role=role, password_hash=password_hash)
            else:
                values = {"name": name, "role": role, "password_hash": password_hash, "created": self._now()}
                connection.execute(insert(tables.administrators).values(values))
            self._note(connection, "admin-add", name, by, after={"role": role})
            return _required(connection, name)

    def remember(self, name: str) -> Administrator:
        """The row of somebody of a directory, made at the first sign-in."""
        name = naming.canonical(name)
        with self._database.writing() as connection:
            found = _found(connection, name)
            if found is None:
                connection.execute(insert(tables.administrators).values(name=name, created=self._now()))
            return _required(connection, name)

    def set_role(self, name: str, role: str, *, by: str) -> Administrator:
        """It has the role; tokens it made that may more are gone. Raises: NotFound, LastAdministrator."""
        with self._database.writing() as connection:
            before = _own(connection, name)
            if role != ADMINISTRATOR:
                _keep_one(connection, before)
            _set(connection, before.id, role=role)
            end_tokens(connection, before.name, above=role)
            if before.role != role:
                change: tuple[dict[str, Fact], dict[str, Fact]] = ({"role": before.role}, {"role": role})
                self._note(connection, "admin-role", before.name, by, before=change[0], after=change[1])
            return _required(connection, name)

    def remove(self, name: str, *, by: str) -> None:
        """It is gone, and its keys, links and tokens. Raises: NotFound, LastAdministrator."""
        with self._database.writing() as connection:
            before = _required(connection, name)
            _keep_one(connection, before)
            table = tables.administrators
            connection.execute(delete(table).where(table.c.id == before.id))
            end_tokens(connection, before.name)
            self._note(connection, "admin-remove", before.name, by, before={"role": before.role})

    # -- what proves them --------------------------------------------------------------------

    def set_password(self, name: str, password_hash: str, *, by: str) -> None:
        """The password holds. Raises: NotFound."""
        with self._database.writing() as connection:
            before = _own(connection, name)
            _set(connection, before.id, password_hash=password_hash)
            self._note(connection, "admin-passwd", before.name, by)

    def set_totp(self, name: str, secret: str | None, *, step: int | None = None, by: str) -> None:
        """Codes are asked for from now on, none before `step`; None: no more. Raises: NotFound."""
        with self._database.writing() as connection:
            before = _required(connection, name)
            _set(connection, before.id, totp_secret=secret, totp_step=step)
            facts: tuple[dict[str, Fact], dict[str, Fact]] = (
                {"totp": before.totp_secret is not None}, {"totp": secret is not None}
            )  # fmt: skip
            self._note(connection, "admin-totp", before.name, by, before=facts[0], after=facts[1])

    def use_step(self, number: int, step: int) -> bool:
        """Whether the code of this time step was not used before; it is now (RFC 6238 §5.2)."""
        table = tables.administrators
        fresh = or_(table.c.totp_step.is_(None), table.c.totp_step < step)
        with self._database.writing() as connection:
            done = connection.execute(update(table).where(table.c.id == number, fresh).values(totp_step=step))
            return done.rowcount == 1

    def add_key(self, name: str, key: SecurityKey, *, by: str) -> None:
        """The key proves who it is from now on. Raises: NotFound, NameTaken."""
        with self._database.writing() as connection:
            owner = _required(connection, name)
            table = tables.security_keys
            there = connection.execute(select(table).where(table.c.credential_id == key.credential_id))
            if there.first() is not None:
                raise NameTaken("this security key is known already", "use another one")
            values = {
                "credential_id": key.credential_id, "administrator_id": owner.id, "label": key.label,
                "public_key": key.public_key, "sign_count": key.sign_count, "created": self._now(),
            }  # fmt: skip
            connection.execute(insert(table).values(values))
            self._note(connection, "admin-key-add", owner.name, by, after={"label": key.label})

    def count_key(self, credential_id: bytes, sign_count: int) -> None:
        """The authenticator has counted so far."""
        table = tables.security_keys
        with self._database.writing() as connection:
            connection.execute(
                update(table).where(table.c.credential_id == credential_id).values(sign_count=sign_count)
            )

    def remove_key(self, name: str, credential_id: bytes, *, by: str) -> None:
        """Raises: NotFound."""
        table = tables.security_keys
        with self._database.writing() as connection:
            owner = _required(connection, name)
            key = next((one for one in owner.keys if one.credential_id == credential_id), None)
            if key is None:
                raise NotFound(f"{owner.name} has no such security key", "look at the list again")
            connection.execute(delete(table).where(table.c.credential_id == credential_id))
            self._note(connection, "admin-key-remove", owner.name, by, before={"label": key.label})

    # -- one-time links ----------------------------------------------------------------------

    def invite(self, name: str | None, *, lasts: timedelta, by: str) -> str:
        """The secret of a link by which `name` sets its password; None: by which the first one is made.

        Links made before for the same are dead. Raises: NotFound.
        """
        secret = secrets.token_urlsafe(24)
        table = tables.invitations
        with self._database.writing() as connection:
            number = None if name is None else _own(connection, name).id
            connection.execute(delete(table).where(table.c.administrator_id.is_(number)))
            values = {
                "secret_hash": _hash(secret), "administrator_id": number, "made_by": by,
                "expires": (self._clock() + lasts).astimezone(UTC).isoformat(timespec="seconds"),
            }  # fmt: skip
            connection.execute(insert(table).values(values))
        return secret

    def invitation(self, secret: str) -> Invitation | None:
        """What the link is good for now; None when it is for nothing."""
        with self._database.reading() as connection:
            return self._invitation(connection, secret)

    def accept(self, secret: str, name: str, password_hash: str, *, by: str) -> Administrator | None:
        """The link is used up: `name` has the password, and no second factors of before. None: no such link.

        Raises:
            BadName, NameTaken: of a first administrator.
        """
        table = tables.administrators
        with self._database.writing() as connection:
            invitation = self._invitation(connection, secret)
            if invitation is None or invitation.name not in (None, naming.canonical(name)):
                return None
            connection.execute(
                delete(tables.invitations).where(tables.invitations.c.secret_hash == _hash(secret))
            )
            if invitation.name is None:
                name = _name(name)
                if _found(connection, name) is not None:
                    raise NameTaken(f"there is an administrator {name}", "choose another name")
                values = {"name": name, "role": invitation.role, "created": self._now()}
                connection.execute(insert(table).values(values))
                self._note(connection, "admin-add", name, by, after={"role": invitation.role})
            owner = _required(connection, name)
            connection.execute(
                delete(tables.security_keys).where(tables.security_keys.c.administrator_id == owner.id)
            )
            _set(connection, owner.id, password_hash=password_hash, totp_secret=None, totp_step=None)
            self._note(connection, "admin-passwd", owner.name, by)
            return _required(connection, name)

    def _invitation(self, connection: Connection, secret: str) -> Invitation | None:
        links, people = tables.invitations, tables.administrators
        query = (
            select(links.c.expires, links.c.made_by, links.c.administrator_id, people.c.name, people.c.role)
            .join(people, people.c.id == links.c.administrator_id, isouter=True)
            .where(links.c.secret_hash == _hash(secret))
        )
        row = connection.execute(query).first()
        if row is None or datetime.fromisoformat(row.expires) <= self._clock():
            return None
        if row.administrator_id is None:
            return Invitation(None, ADMINISTRATOR, row.made_by)
        return Invitation(row.name, row.role, row.made_by)

    # -- inside ------------------------------------------------------------------------------

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="seconds")

    def _note(
        self, connection: Connection, what: str, name: str, by: str, *,
        before: dict[str, Fact] | None = None, after: dict[str, Fact] | None = None,
    ) -> None:  # fmt: skip
        self._audit.note(connection, who=by, what=what, subject=name, before=before, after=after)


def _name(text: str) -> str:
    name = naming.canonical(text.strip())
    if name.startswith("openid:"):
        raise BadName("names with openid: are of those whom a provider signs in", "use another name")
    if not name or len(name) > _CHARACTERS or not name.isprintable() or " " in name:
        raise BadName("that cannot be an administrator's name", "use 1 to 128 characters without blanks")
    return name


def _hash(secret: str) -> bytes:
    # drawn by us with 192 bits: nothing that a slow hash would protect better
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _not_found(name: str) -> NotFound:
    return NotFound(f"no administrator {naming.canonical(name)!r}", "gatepost admin list shows all")


def _found(connection: Connection, name: str) -> Administrator | None:
    table = tables.administrators
    row = connection.execute(select(table).where(table.c.name == naming.canonical(name.strip()))).first()
    return None if row is None else _administrator(connection, row)


def _required(connection: Connection, name: str) -> Administrator:
    found = _found(connection, name)
    if found is None:
        raise _not_found(name)
    return found


def _own(connection: Connection, name: str) -> Administrator:
    """One with a role here."""
    found = _required(connection, name)
    if found.role is None:
        raise NotFound(
            f"{found.name} is a directory's", "its groups give the role, and its password is there"
        )
    return found


def _administrator(connection: Connection, row: Row[Any]) -> Administrator:
    table = tables.security_keys
    query = select(table).where(table.c.administrator_id == row.id).order_by(table.c.created)
    keys = tuple(
        SecurityKey(key.credential_id, key.public_key, key.sign_count, key.label, key.created)
        for key in connection.execute(query)
    )
    return Administrator(
        row.id, row.name, row.role, row.password_hash, row.totp_secret, row.totp_step, keys, row.created
    )


def _set(connection: Connection, number: int, **values: object) -> None:
    table = tables.administrators
    connection.execute(update(table).where(table.c.id == number).values(values))


def _keep_one(connection: Connection, leaving: Administrator) -> None:
    """Somebody who may do everything is left."""
    table = tables.administrators
    if leaving.role != ADMINISTRATOR:
        return
    query = select(func.count()).where(table.c.role == ADMINISTRATOR, table.c.id != leaving.id)
    if connection.execute(query).scalar_one() == 0:
        raise LastAdministrator(f"{leaving.name} is the last administrator", "make another one first")
