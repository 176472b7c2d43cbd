"""Tokens: what programs show to the API. Only hashes are kept; a token is seen once, when it is made."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select

from gatepost.secret import Secret
from gatepost.store import tables
from gatepost.store.account_error import BadName, NotFound
from gatepost.store.audit import Audit, Fact
from gatepost.store.database import Database

_LABEL_CHARACTERS: Final = 254
_ROLES: Final = ("viewer", "operator", "administrator")  # from the least
_PREFIX: Final = "gp"  # so that a leaked one is recognised by those who look for such


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `areas` None: not narrowed; `expires` None: never."""

    id: str
    label: str
    role: str
    areas: tuple[str, ...] | None
    created: str
    expires: str | None
    made_by: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be good for."""

    label: str
    role: str
    areas: tuple[str, ...] | None = None
    expires: datetime | None = None


class Tokens:
    """All verbs on tokens. Changes are audited under `by`."""

    def __init__(self, database: Database, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    def add(self, new: NewToken, *, by: str) -> tuple[Token, Secret]:
        """The token is good; its secret is given this once. What a token makes, its maker has made.

        Raises: BadName: a label that says nothing.
        """
        if not new.label.strip() or not new.label.isprintable() or len(new.label) > _LABEL_CHARACTERS:
            raise BadName("the token has no label", "say what it is for, in up to 254 characters")
        number, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        expires = None if new.expires is None else self._text(new.expires)
        areas = None if new.areas is None else json.dumps(new.areas)
        values = {
            "id": number, "secret_hash": _hash(secret), "label": new.label, "role": new.role,
            "areas": areas, "created": self._text(self._clock()), "expires": expires,
        }  # fmt: skip
        after: dict[str, Fact] = {
            "label": new.label, "role": new.role, "expires": expires,
            "areas": None if new.areas is None else list(new.areas),
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(insert(tables.tokens).values(**values, made_by=_person(connection, by)))
            self._audit.note(connection, who=by, what="token-add", subject=number, after=after)
            row = connection.execute(select(tables.tokens).where(tables.tokens.c.id == number)).one()
        return _token(row), Secret(f"{_PREFIX}_{number}_{secret}")

    def proven(self, shown: str) -> Token | None:
        """The token whose secret this is, unless it has expired."""
        if not shown.isascii():
            return None
        prefix, _, rest = shown.partition("_")
        number, _, secret = rest.partition("_")
        with self._database.reading() as connection:
            row = connection.execute(select(tables.tokens).where(tables.tokens.c.id == number)).first()
        kept = row.secret_hash if row is not None else b""
        if not hmac.compare_digest(_hash(secret), kept) or row is None or prefix != _PREFIX:
            return None
        token = _token(row)
        if token.expires is not None and datetime.fromisoformat(token.expires) <= self._clock():
            return None
        return token

    def all(self) -> list[Token]:
        """The newest first, expired ones too."""
        table = tables.tokens
        with self._database.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.created.desc(), table.c.id))
            return [_token(row) for row in rows]

    def revoke(self, number: str, *, by: str) -> None:
        """The token is worth nothing. Raises: NotFound."""
        table = tables.tokens
        with self._database.writing() as connection:
            row = connection.execute(select(table).where(table.c.id == number)).first()
            if row is None:
                raise NotFound(f"no token {number[:40]!r}", "gatepost token list shows all")
            connection.execute(delete(table).where(table.c.id == number))
            before: dict[str, Fact] = {"label": row.label, "role": row.role}
            self._audit.note(connection, who=by, what="token-revoke", subject=number, before=before)

    @staticmethod
    def _text(at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="seconds")


def end_tokens(connection: Connection, maker: str, *, above: str | None = None) -> None:
    """Tokens that `maker` made, also by way of tokens, are worth nothing; only those above a role."""
    table = tables.tokens
    ending = _ROLES if above is None else _ROLES[_ROLES.index(above) + 1 :]
    connection.execute(delete(table).where(table.c.made_by == maker, table.c.role.in_(ending)))


def maker_name(token: Token) -> str:
    """Under which name it makes others, and stands in the audit."""
    return f"token {token.id} {token.label}"


def _person(connection: Connection, by: str) -> str:
    """Who answers for it: of what a token makes that is who made the token."""
    word, _, rest = by.partition(" ")
    number = rest.partition(" ")[0]
    if word != "token" or not number:
        return by
    row = connection.execute(select(tables.tokens).where(tables.tokens.c.id == number)).first()
    return by if row is None else str(row.made_by)


def _token(row: Row[Any]) -> Token:
    areas = None if row.areas is None else tuple(json.loads(row.areas))
    return Token(row.id, row.label, row.role, areas, row.created, row.expires, row.made_by)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
