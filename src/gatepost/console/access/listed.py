"""*Only the list below* and *All except the list below*, of one right. Pure.

Connection... shows `connect` so, Relay... shows `relay` so. *Only* is an allow for each listed host;
*All except* is the allow for anyone, and a deny for each listed host. What is narrowed by `from` or
`tls`, or speaks of somebody else, no such dialog can show: it is left over, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gatepost.console.access.atoms import Atom, atoms, changed, plain, principal_name
from gatepost.policy.access import Effect, Entry, Kind, Principal, Right

HOSTS: Final = frozenset({Kind.NET, Kind.HOST})
_ANYONE: Final = Principal(Kind.ANYONE, text="anyone")


class Mode(Enum):
    ONLY = "only"
    EXCEPT = "except"


@dataclass(frozen=True, slots=True)
class Listing:
    """`hosts` are principals of the kinds net and host, each once."""

    mode: Mode
    hosts: tuple[Principal, ...] = ()


def listing(right: Right, entries: Iterable[Entry]) -> Listing:
    """What the dialog shows."""
    found = [atom for atom in atoms(entries) if atom.right is right and atom.is_plain]
    is_open = any(atom.effect is Effect.ALLOW and atom.kind is Kind.ANYONE for atom in found)
    mode = Mode.EXCEPT if is_open else Mode.ONLY
    effect = Effect.DENY if is_open else Effect.ALLOW
    return Listing(mode, tuple(atom.to for atom in found if atom.effect is effect and atom.kind in HOSTS))


def expressed(right: Right, shown: Listing) -> dict[Atom, None]:
    """The atoms that the dialog's state stands for."""
    if shown.mode is Mode.ONLY:
        return {plain(Effect.ALLOW, right, host): None for host in shown.hosts}
    opened = {plain(Effect.ALLOW, right, _ANYONE): None}
    return opened | {plain(Effect.DENY, right, host): None for host in shown.hosts}


def with_listing(right: Right, entries: tuple[Entry, ...], wanted: Listing) -> tuple[Entry, ...]:
    """The table that shows so; what the dialog cannot show is in it unchanged."""
    old, new = expressed(right, listing(right, entries)), expressed(right, wanted)
    return changed(entries, old.keys() - new.keys(), (atom for atom in new if atom not in old))


def with_host(right: Right, entries: tuple[Entry, ...], host: Principal) -> tuple[Entry, ...]:
    """The host is listed."""
    shown = listing(right, entries)
    if any(_same(host, one) for one in shown.hosts):
        return entries
    return with_listing(right, entries, Listing(shown.mode, (*shown.hosts, host)))


def without_host(right: Right, entries: tuple[Entry, ...], host: Principal) -> tuple[Entry, ...]:
    """The host is not listed."""
    shown = listing(right, entries)
    hosts = tuple(one for one in shown.hosts if not _same(host, one))
    return with_listing(right, entries, Listing(shown.mode, hosts))


def _same(one: Principal, other: Principal) -> bool:
    return one.kind is other.kind and principal_name(one) == principal_name(other)
