"""App passwords and SCRAM: all secrets of an account are kept under one salt.

A server tells its salt before it knows which of an account's secrets the client has. With one salt for
the account's own password and those of its devices, the one proof is compared with the keys of each.
The account's own password is given the salt that its devices have when it is set anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select

from gatepost.secret import Secret
from gatepost.store import naming, tables
from gatepost.store.app_password import AppPassword, grouped, of_row
from gatepost.store.scram import Salt, fresh_salt, scram_keys
from gatepost.store.user import ScramKeys

LOCAL: Final = "local"  # how identities of our own accounts name their directory
_TABLE: Final = tables.app_passwords
_KEYS: Final = tables.app_password_keys
_NAMES: Final = tables.app_password_names
_MOST: Final = 250  # with those that are over: what one login may be compared with
# Made once: making them takes longer than SQLite takes to answer.
_BY_NAME: Final = (
    select(_TABLE, _KEYS)
    .join(_NAMES, _NAMES.c.app_password_id == _TABLE.c.id)
    .join(_KEYS, _KEYS.c.app_password_id == _TABLE.c.id)
    .where(_NAMES.c.name == bindparam("name"))
    .order_by(_TABLE.c.revoked.is_(None).desc(), _TABLE.c.id.desc())
    .limit(_MOST)
)
_SALT: Final = (
    select(_KEYS.c.salt, _KEYS.c.iterations)
    .join(_TABLE, _KEYS.c.app_password_id == _TABLE.c.id)
    .where(
        _TABLE.c.account == bindparam("account"),
        _TABLE.c.directory == bindparam("directory"),
        _TABLE.c.revoked.is_(None),
    )
    .order_by(_TABLE.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class KeyedPassword:
    """An app password and what proves it: typed bare, and typed with its dashes."""

    app_password: AppPassword
    keys: tuple[ScramKeys, ScramKeys]


def named(connection: Connection, name: str) -> list[KeyedPassword]:
    """Those of the account that is called so at a login, the good and newest first."""
    rows = connection.execute(_BY_NAME, {"name": naming.canonical(name.strip())})
    return [_keyed(row) for row in rows]


def salt_of_devices(connection: Connection, account: str, directory: str) -> Salt | None:
    """The salt of the account's devices; None when it has none."""
    row = connection.execute(_SALT, {"account": account, "directory": directory}).first()
    return None if row is None else Salt(row.salt, row.iterations)


def keep(
    connection: Connection,
    number: int,
    secret: Secret,
    *,
    account: str,
    directory: str,
    names: Iterable[str],
) -> None:
    """The secret of app password `number` is good for SCRAM under these names and the account's own."""
    salt = (
        _salt_of_user(connection, account, directory)
        or salt_of_devices(connection, account, directory)
        or fresh_salt()
    )
    bare, dashed = scram_keys(secret, salt), scram_keys(Secret(grouped(secret)), salt)
    assert bare is not None
    assert dashed is not None  # the alphabet has nothing that RFC 4013 refuses
    values = {"app_password_id": number, "salt": salt.octets, "iterations": salt.iterations}
    values |= {"stored_key": bare.stored_key, "server_key": bare.server_key}
    values |= {"dashed_stored_key": dashed.stored_key, "dashed_server_key": dashed.server_key}
    connection.execute(insert(_KEYS).values(values))
    called = {account, *(naming.canonical(name) for name in names)}
    if directory == LOCAL:
        called.add(account.partition("@")[0])
    connection.execute(insert(_NAMES), [{"app_password_id": number, "name": name} for name in sorted(called)])


def _salt_of_user(connection: Connection, account: str, directory: str) -> Salt | None:
    if directory != LOCAL:
        return None
    users = tables.users
    query = select(users.c.scram_salt, users.c.scram_iterations).where(users.c.name == account)
    row = connection.execute(query).first()
    return None if row is None or row.scram_salt is None else Salt(row.scram_salt, row.scram_iterations)


def _keyed(row: Row[Any]) -> KeyedPassword:
    bare = ScramKeys(row.salt, row.iterations, row.stored_key, row.server_key)
    dashed = ScramKeys(row.salt, row.iterations, row.dashed_stored_key, row.dashed_server_key)
    return KeyedPassword(of_row(row), (bare, dashed))


def matching(found: Iterable[KeyedPassword], keys: ScramKeys) -> Iterator[AppPassword]:
    """The one that has these keys, if any has."""
    return (one.app_password for one in found if keys in one.keys)
