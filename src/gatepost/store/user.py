"""A user and how it proves who it is, read from and written to the rows of the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select

from gatepost.store import naming, tables
from gatepost.store.account_error import Ambiguous, NameTaken, NotFound
from gatepost.store.audit import Fact

_PAGE: Final = 1_000
PLAIN_COLUMNS = [
    tables.users.c[name]
    for name in ("id", "name", "full_name", "disabled", "administrator", "quota_bytes", "created")
]


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What the server keeps for SCRAM-SHA-256 (RFC 5802 §3): proves a password without holding it."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return f"ScramKeys(***, iterations={self.iterations})"


@dataclass(frozen=True, slots=True)
class Credential:
    """A password as it is kept: its argon2id hash in the PHC form, and the SCRAM keys beside it."""

    password_hash: str
    scram: ScramKeys | None

    def __repr__(self) -> str:
        return "Credential(***)"


@dataclass(frozen=True, slots=True)
class User:
    """A user. `name` is the primary address, canonical; `addresses` are the further ones."""

    id: int
    name: str
    full_name: str
    addresses: tuple[str, ...]
    disabled: bool
    administrator: bool
    quota_bytes: int | None
    created: datetime

    @property
    def local(self) -> str:
        return self.name.rpartition("@")[0]


def credential_of(row: Row[Any]) -> Credential | None:
    """The credential in a row that has all columns of `users`."""
    if row.password_hash is None:
        return None
    if row.scram_salt is None:
        return Credential(row.password_hash, None)
    keys = ScramKeys(row.scram_salt, row.scram_iterations, row.scram_stored_key, row.scram_server_key)
    return Credential(row.password_hash, keys)


# Made once: making them takes longer than SQLite takes to answer.
_NUMBERS: Final = select(tables.users.c.id).where(tables.users.c.name.in_(bindparam("names", expanding=True)))
_BY_NUMBER: Final = select(tables.users).where(tables.users.c.id == bindparam("number"))
_ADDRESSES: Final = (
    select(tables.addresses)
    .where(tables.addresses.c.user_id.in_(bindparam("numbers", expanding=True)))
    .order_by(tables.addresses.c.address)
)


def numbers(connection: Connection, name: str, domains: Collection[str]) -> list[int]:
    """The users that `name` may mean: none, one, or for a bare name one a domain."""
    name = naming.canonical(name.strip())
    names = [name] if "@" in name else [f"{name}@{naming.canonical_domain(domain)}" for domain in domains]
    return list(connection.execute(_NUMBERS, {"names": names}).scalars())


def holders(connection: Connection, name: str) -> list[int]:
    """The user whose further address `name` is, if it is one; no two have the same."""
    query = select(tables.addresses.c.user_id).where(
        tables.addresses.c.address == naming.canonical(name.strip())
    )
    return list(connection.execute(query).scalars())


def require_free(connection: Connection, address: str) -> None:
    """Nothing has the canonical `address`.

    Raises:
        NameTaken: something has.
    """
    remedy = "choose another, or delete that one first"
    if connection.execute(select(tables.users.c.id).where(tables.users.c.name == address)).first():
        raise NameTaken(f"{address} is a user", remedy)
    owner = connection.execute(
        select(tables.users.c.name).join(tables.addresses).where(tables.addresses.c.address == address)
    ).scalar_one_or_none()
    if owner is not None:
        raise NameTaken(f"{address} is an address of {owner}", remedy)
    if connection.execute(
        select(tables.aliases.c.address).where(tables.aliases.c.address == address)
    ).first():
        raise NameTaken(f"{address} is an alias", remedy)


def required(connection: Connection, name: str, domains: Collection[str]) -> int:
    found = numbers(connection, name, domains)
    if not found:
        raise NotFound(
            f"no user {naming.canonical(name)!r}", "gatepost user list shows all; give the whole address"
        )
    if len(found) > 1:
        raise Ambiguous(f"{name!r} is a user in {len(found)} domains", "give the whole address")
    return found[0]


def read(connection: Connection, number: int) -> User:
    return read_all(connection, [row_of(connection, number)])[0]


def row_of(connection: Connection, number: int) -> Row[Any]:
    """The user's row with all columns."""
    return connection.execute(_BY_NUMBER, {"number": number}).one()


def read_all(connection: Connection, rows: Sequence[Row[Any]]) -> list[User]:
    found: dict[int, list[str]] = {row.id: [] for row in rows}
    for start in range(0, len(rows), _PAGE):  # SQLite bounds the values of one statement
        some = [row.id for row in rows[start : start + _PAGE]]
        for pair in connection.execute(_ADDRESSES, {"numbers": some}):
            found[pair.user_id].append(pair.address)
    return [
        User(
            id=row.id,
            name=row.name,
            full_name=row.full_name,
            addresses=tuple(found[row.id]),
            disabled=row.disabled,
            administrator=row.administrator,
            quota_bytes=row.quota_bytes,
            created=datetime.fromisoformat(row.created),
        )
        for row in rows
    ]


def further_addresses(name: str, addresses: Sequence[str], domains: Collection[str]) -> list[str]:
    """Canonical, each once, without the primary one."""
    canonical = dict.fromkeys(naming.account_address(address, domains) for address in addresses)
    return [address for address in canonical if address != name]


def write_addresses(connection: Connection, number: int, addresses: Sequence[str]) -> None:
    if addresses:
        rows = [{"address": address, "user_id": number} for address in addresses]
        connection.execute(insert(tables.addresses), rows)


def columns(credential: Credential | None) -> dict[str, object]:
    scram = credential.scram if credential is not None else None
    return {
        "password_hash": credential.password_hash if credential is not None else None,
        "scram_salt": scram.salt if scram else None,
        "scram_iterations": scram.iterations if scram else None,
        "scram_stored_key": scram.stored_key if scram else None,
        "scram_server_key": scram.server_key if scram else None,
    }


def facts(user: User) -> dict[str, Fact]:
    return {
        "full_name": user.full_name,
        "addresses": list(user.addresses),
        "disabled": user.disabled,
        "administrator": user.administrator,
        "quota_bytes": user.quota_bytes,
    }
