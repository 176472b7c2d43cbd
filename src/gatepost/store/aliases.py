"""Aliases: addresses whose mail goes to others. `@domain` takes what nobody else in the domain does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from gatepost.store import naming, tables, user
from gatepost.store.account_error import BadName, NameTaken, NotFound, OutsideTarget
from gatepost.store.audit import Audit, Fact
from gatepost.store.database import Database

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias. `address` is canonical, `@domain` for a catch-all.

    `outside`: targets outside the local domains are meant; without it they are left out.
    """

    address: str
    targets: tuple[str, ...]
    outside: bool


class Aliases:
    """All verbs on aliases. Changes are audited under `by`."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def page(self, *, after: str = "", limit: int = _PAGE) -> list[Alias]:
        """Up to `limit` aliases by address, behind `after`."""
        table = tables.aliases
        query = select(table.c.address).where(table.c.address > after).order_by(table.c.address).limit(limit)
        with self._database.reading() as connection:
            found = [read(connection, address) for address in connection.execute(query).scalars().all()]
        return [alias for alias in found if alias is not None]

    def find(self, address: str) -> Alias | None:
        """The alias of this address, or `@domain`."""
        with self._database.reading() as connection:
            return read(connection, naming.canonical(address.strip()))

    def add(
        self,
        address: str,
        targets: Sequence[str],
        *,
        domains: Collection[str],
        by: str,
        outside: bool = False,
    ) -> Alias:
        """The alias is there. `domains` are the local ones; `@domain` makes a catch-all.

        Raises:
            BadName: the address cannot be an alias, or a target is no address, or there is none.
            NameTaken: a user or alias has the address.
            OutsideTarget: a target is outside the local domains and `outside` does not say so.
        """
        is_catch_all = address.strip().startswith("@")
        name = (
            naming.catch_all(address, domains) if is_catch_all else naming.account_address(address, domains)
        )
        goes_to = tuple(dict.fromkeys(naming.target(target) for target in targets))
        if not goes_to:
            raise BadName(f"alias {name} goes nowhere", "name at least one target address")
        if not outside:
            _require_inside(name, goes_to, domains)
        with self._database.writing() as connection:
            if is_catch_all and read(connection, name) is not None:
                raise NameTaken(f"{name} is an alias", "delete that one first")
            user.require_free(connection, name)
            connection.execute(insert(tables.aliases).values(address=name, outside=outside))
            rows = [{"address": name, "target": target} for target in goes_to]
            connection.execute(insert(tables.alias_targets), rows)
            alias = Alias(name, goes_to, outside)
            self._audit.note(connection, who=by, what="alias-add", subject=name, after=_facts(alias))
        return alias

    def delete(self, address: str, *, by: str) -> None:
        """The alias is gone.

        Raises:
            NotFound: there is none.
        """
        name = naming.canonical(address.strip())
        with self._database.writing() as connection:
            alias = read(connection, name)
            if alias is None:
                raise NotFound(f"no alias {name!r}", "gatepost alias list shows all")
            connection.execute(delete(tables.aliases).where(tables.aliases.c.address == name))
            self._audit.note(connection, who=by, what="alias-delete", subject=name, before=_facts(alias))


def read(connection: Connection, address: str) -> Alias | None:
    """The alias of the canonical `address`."""
    table, targets = tables.aliases, tables.alias_targets
    row = connection.execute(select(table).where(table.c.address == address)).first()
    if row is None:
        return None
    query = select(targets.c.target).where(targets.c.address == address).order_by(targets.c.target)
    return Alias(address, tuple(connection.execute(query).scalars()), row.outside)


def _require_inside(name: str, targets: Sequence[str], domains: Collection[str]) -> None:
    local = {naming.canonical_domain(domain) for domain in domains}
    for target in targets:
        if target.rpartition("@")[2] not in local:
            raise OutsideTarget(
                f"{target} is outside the local domains", f"say --outside if mail for {name} is to leave"
            )


def _facts(alias: Alias) -> dict[str, Fact]:
    return {"targets": list(alias.targets), "outside": alias.outside}
