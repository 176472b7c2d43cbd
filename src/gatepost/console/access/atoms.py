"""An access table taken apart into what is said of one right, and put together again. Pure.

The answer of a table depends on its atoms alone, not on how entries bundle them. A dialog reads some
atoms, and says which go and which come; everything else stays as it was written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from gatepost.policy.access import Effect, Entry, Kind, Network, Principal, Right

NEW: Final = -1
"""The `line` of an entry that does not stand in the file yet; others bear their index in the list."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One right allowed or denied to one principal, under the same narrowing.

    `networks` None does not narrow. Two spellings of a principal are one atom; `to` keeps the first.
    """

    effect: Effect
    right: Right
    kind: Kind
    name: str
    networks: frozenset[Network] | None = None
    tls: bool = False
    to: Principal = field(compare=False, default_factory=lambda: Principal(Kind.ANYONE))

    @property
    def is_plain(self) -> bool:
        """Nothing narrows it."""
        return self.networks is None and not self.tls


def plain(effect: Effect, right: Right, to: Principal) -> Atom:
    """The atom that nothing narrows."""
    return Atom(effect, right, to.kind, principal_name(to), to=to)


def principal_name(to: Principal) -> str:
    """The name for comparing: one address is the network of one."""
    return str(to.network) if to.network is not None else to.name


def atoms(entries: Iterable[Entry]) -> dict[Atom, None]:
    """Every atom, in the file's order."""
    return {atom: None for entry in entries for atom in _of(entry)}


def _of(entry: Entry) -> Iterable[Atom]:
    networks = None if entry.networks is None else frozenset(entry.networks)
    name = principal_name(entry.to)
    for right in ordered(entry.rights):
        yield Atom(entry.effect, right, entry.to.kind, name, networks, entry.tls, entry.to)


def ordered(rights: Collection[Right]) -> tuple[Right, ...]:
    """As one writes them: connect, submit, relay, any-sender, collect."""
    return tuple(right for right in Right if right in rights)


def changed(entries: Iterable[Entry], gone: Collection[Atom], come: Iterable[Atom] = ()) -> tuple[Entry, ...]:
    """The entries without the atoms that go and with those that come; all others are the same objects."""
    kept = [left for entry in entries if (left := _without(entry, gone)) is not None]
    for atom in come:
        if atom not in atoms(kept):
            _put(kept, atom)
    return tuple(kept)


def _without(entry: Entry, gone: Collection[Atom]) -> Entry | None:
    rights = frozenset(atom.right for atom in _of(entry) if atom not in gone)
    if rights == entry.rights:
        return entry
    return replace(entry, rights=rights) if rights else None


def _put(entries: list[Entry], atom: Atom) -> None:
    """Into an entry that says the same of other rights; else as a new one."""
    for index, entry in enumerate(entries):
        if any(replace(one, right=atom.right) == atom for one in _of(entry)):
            entries[index] = replace(entry, rights=entry.rights | {atom.right})
            return
    networks = None if atom.networks is None else tuple(sorted(atom.networks, key=str))
    entries.append(Entry(atom.effect, frozenset({atom.right}), atom.to, networks, atom.tls, NEW))
