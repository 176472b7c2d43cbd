"""Whose mail for a local address is: the accounts' addresses, plus addressing, aliases, catch-all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import BindParameter, CompoundSelect, Connection, bindparam, null, select, union_all

from gatepost.directory.directory import Alias, Mailbox, Resolution, UnknownRecipient
from gatepost.mail.address import Address
from gatepost.store import aliases, naming, tables
from gatepost.store.accounts import Accounts

_ROUTED: Final = frozenset(
    "%!@"
)  # RFC 5321 §F.2: routes of old; never an account, never caught by a catch-all
_TARGETS_FOLLOWED: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Keys:
    """By what an address may be found, in this order: as it is, without its tag, by a catch-all."""

    whole: str
    bare: str
    caught: str


def _having_query() -> CompoundSelect[str, str | None, int | None]:
    # Made once: making it takes longer than SQLite takes to answer it.
    users, further, named = tables.users, tables.addresses, tables.aliases
    keys: list[BindParameter[str]] = [bindparam(name) for name in ("whole", "bare", "caught")]
    return union_all(
        select(users.c.name.label("address"), users.c.name, users.c.quota_bytes).where(
            users.c.name.in_(keys)
        ),
        select(further.c.address, users.c.name, users.c.quota_bytes)
        .join(users, users.c.id == further.c.user_id)
        .where(further.c.address.in_(keys)),
        select(named.c.address, null(), null()).where(named.c.address.in_(keys)),
    )


_HAVING: Final = _having_query()


@dataclass(slots=True)
class _Walk:
    """What an alias came to so far. Dicts keep the order and each once."""

    seen: set[str] = field(default_factory=set)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    addresses: dict[Address, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalDomain:
    """A local domain and what its settings say of addresses in it.

    `forwards`: another server knows the recipients that are not resolved here; `others`: other
    directories may. `postmaster` and `catch_all` are local addresses that have such mail where no
    account or alias has.
    """

    name: str
    forwards: bool = False
    others: bool = False
    plus_addressing: bool = True
    postmaster: str | None = None
    catch_all: str | None = None


class Recipients:
    """Resolves recipients in `domains`, of which the first takes bare `postmaster`.

    Where nothing says whose postmaster's mail is, the longest-standing administrator has it, and
    without one a mailbox of its own.
    """

    def __init__(self, accounts: Accounts, domains: Sequence[LocalDomain]) -> None:
        self._accounts = accounts
        self._domains = {naming.canonical_domain(domain.name): domain for domain in domains}

    def resolve(self, address: Address, *, catch_all: bool = True) -> Resolution:
        """Whose mail for the address is. Asks the database each time."""
        domain = naming.canonical_domain(address.domain)
        if not domain and address.local.lower() == "postmaster" and self._domains:
            domain = next(iter(self._domains))  # RFC 5321 §4.5.1
        if domain not in self._domains:
            return UnknownRecipient()
        with self._accounts.database.reading() as connection:
            found = self._find(connection, address.local, domain, catch_all=catch_all)
            if not isinstance(found, aliases.Alias):
                return found
            walk = _Walk()
            self._follow(connection, found, walk)
        if not walk.mailboxes and not walk.addresses:
            return UnknownRecipient()
        return Alias(tuple(walk.mailboxes.values()), tuple(walk.addresses))

    def _find(
        self, connection: Connection, local: str, domain: str, *, catch_all: bool
    ) -> Mailbox | aliases.Alias | UnknownRecipient:
        """The account or alias that has the address: exactly, without its tag, or as what is left."""
        if not _ROUTED.isdisjoint(local):
            return UnknownRecipient()
        settings = self._domains[domain]
        whole = naming.canonical(f"{local}@{domain}")
        bare, plus, _ = whole.partition("@")[0].partition("+")
        if plus and not settings.plus_addressing:
            bare = ""
        keys = _Keys(whole, f"{bare}@{domain}", f"@{domain}")
        found = self._having(connection, keys)
        answer = found.get(keys.whole) or (found.get(keys.bare) if bare else None)
        if answer is None and bare == "postmaster":
            answer = self._postmasters(connection, domain)
        if answer is not None or not catch_all:
            return answer or UnknownRecipient()
        return found.get(keys.caught) or _caught(settings, domain)

    def _having(self, connection: Connection, keys: _Keys) -> dict[str, Mailbox | aliases.Alias]:
        """Which accounts and aliases have these canonical addresses: one query, for aliases one more."""
        found: dict[str, Mailbox | aliases.Alias] = {}
        for row in connection.execute(
            _HAVING, {"whole": keys.whole, "bare": keys.bare, "caught": keys.caught}
        ).all():
            alias = aliases.read(connection, row.address) if row.name is None else None
            if alias is not None:
                found[row.address] = alias
            elif row.name is not None:
                found[row.address] = Mailbox(row.name, row.quota_bytes)
        return found

    def _follow(self, connection: Connection, first: aliases.Alias, walk: _Walk) -> None:
        """The walk holds where the alias leads. Each alias is followed once, which cuts loops."""
        ahead = [first]
        while ahead and len(walk.seen) < _TARGETS_FOLLOWED:
            alias = ahead.pop()
            if alias.address in walk.seen:
                continue
            walk.seen.add(alias.address)
            for target in alias.targets:
                found = self._target(connection, target, alias, walk)
                if found is not None:
                    ahead.append(found)

    def _target(
        self, connection: Connection, target: str, alias: aliases.Alias, walk: _Walk
    ) -> aliases.Alias | None:
        """The walk holds the target; an alias is given back to be followed."""
        local, _, domain = target.rpartition("@")
        if domain not in self._domains:
            if alias.outside:
                walk.addresses[Address(local, domain)] = None
            return None
        settings = self._domains[domain]
        found = self._find(connection, local, domain, catch_all=not settings.others)
        if isinstance(found, aliases.Alias):
            return found
        if isinstance(found, Mailbox):
            walk.mailboxes[found.account] = found
        elif settings.forwards or settings.others:
            walk.addresses[Address(local, domain)] = None
        return None

    def _postmasters(self, connection: Connection, domain: str) -> Mailbox | aliases.Alias:
        # RFC 5321 §4.5.1: postmaster is always there.
        named = naming.canonical(self._domains[domain].postmaster or "")
        found = self._having(connection, _Keys(named, named, named)) if named else {}
        if named in found:
            return found[named]
        for administrator in self._accounts.users.administrators():
            return Mailbox(administrator.name, administrator.quota_bytes)
        return Mailbox(f"postmaster@{domain}")


def _caught(settings: LocalDomain, domain: str) -> aliases.Alias | UnknownRecipient:
    if settings.catch_all is None:
        return UnknownRecipient()
    return aliases.Alias(f"@{domain}", (naming.target(settings.catch_all),), outside=False)
