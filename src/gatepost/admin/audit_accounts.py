"""Weak points of the accounts: members that nobody uses, disabled or contained ones, ways out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_people import Asked
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.config.schema import Settings
from gatepost.store.accounts import Accounts
from gatepost.store.aliases import Alias
from gatepost.store.attempts import Attempts
from gatepost.store.guarddb import GuardStore
from gatepost.store.place import Place


@dataclass(frozen=True, slots=True)
class Logins:
    """When accounts logged in last; `since` is when the records begin, None without any."""

    since: float | None = None
    last: Mapping[str, float] = field(default_factory=dict)

    def reach(self, before: datetime) -> bool:
        """Whether the records go back that far."""
        return self.since is not None and self.since <= before.timestamp()


def recorded_logins(place: Place) -> Logins:
    """What the attempts on record say. Raises sqlite3.Error."""
    if not place.attempts.exists():
        return Logins()
    records = Attempts(place.attempts)
    return Logins(records.begins(), records.last_logins())


def stale_weaknesses(
    asked: Iterable[Asked],
    logins: Logins,
    accounts: Accounts,
    *,
    now: datetime,
    days: int,
) -> Iterator[Weakness]:
    """Accounts that may relay and have not logged in for `days`, as far as records can tell."""
    before = now - timedelta(days=days)
    created = {user.name: user.created for user in accounts.users.all()}
    stale: dict[str, str] = {}
    unknown = 0
    for one in asked:
        if not one.relayer.may or one.identity.name in stale:
            continue
        last = max(logins.last.get(one.identity.name, 0.0), one.last_logon or 0.0)
        if last >= before.timestamp() or _is_new(created, one, before):
            continue
        if last or logins.reach(before):
            when = f"last on {datetime.fromtimestamp(last, UTC):%Y-%m-%d}" if last else "never on record"
            stale[one.identity.name] = f"{one.identity.name} ({when})"
        else:
            unknown += 1
    if stale:
        text = f"{_accounts(len(stale))} that may relay had no login in {days} days"
        yield Weakness(Weak.STALE_MEMBER, Grade.MEDIUM, text, tuple(stale.values()))
    elif unknown:
        text = f"records of logins do not go back {days} days: unused accounts cannot be told yet"
        yield Weakness(Weak.NO_RECORDS, Grade.INFO, text)


def _is_new(created: Mapping[str, datetime], one: Asked, before: datetime) -> bool:
    at = created.get(one.identity.name) if one.identity.directory == "local" else None
    return at is not None and at > before


def disabled_weakness(names: Iterable[str]) -> Iterator[Weakness]:
    """`names` are disabled accounts that an entry means."""
    found = tuple(dict.fromkeys(names))
    if found:
        text = f"{_accounts(len(found))} meant by a relay entry {'is' if len(found) == 1 else 'are'} disabled"
        yield Weakness(Weak.DISABLED_MEMBER, Grade.LOW, text, found)


def contained_weaknesses(place: Place) -> Iterator[Weakness]:
    """Accounts that are contained now."""
    if not place.guard.exists():
        return
    try:
        rows = GuardStore(place.guard).contained()
    except sqlite3.Error:
        return
    for row in rows:
        at = datetime.fromtimestamp(row.at, UTC)
        text = f"{row.user} is contained since {at:%Y-%m-%d}: {row.why}"
        yield Weakness(Weak.CONTAINED, Grade.MEDIUM, text, (row.user,))


def alias_weakness(settings: Settings, accounts: Accounts) -> Iterator[Weakness]:
    """Aliases by which mail leaves the house."""
    local = set(settings.domains)
    found = tuple(
        f"{alias.address} -> {target}"
        for alias in _aliases(accounts)
        if alias.outside
        for target in alias.targets
        if target.rpartition("@")[2] not in local
    )
    if found:
        text = f"{len(found)} {'alias leads' if len(found) == 1 else 'targets of aliases lie'} outside"
        yield Weakness(Weak.ALIAS_OUTSIDE, Grade.LOW, text, found)


def _aliases(accounts: Accounts) -> Iterator[Alias]:
    page = accounts.aliases.page()
    while page:
        yield from page
        page = accounts.aliases.page(after=page[-1].address)


def _accounts(count: int) -> str:
    return f"{count} account{'' if count == 1 else 's'}"
