"""Users...: for each user and group what it is allowed and denied; and the two boxes beside it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from gatepost.console.access.atoms import Atom, atoms, changed, plain, principal_name
from gatepost.policy.access import Effect, Entry, Kind, Principal, Right

PEOPLE: Final = frozenset({Kind.USER, Kind.GROUP, Kind.AUTHENTICATED})
AUTHENTICATED: Final = Principal(Kind.AUTHENTICATED, text="authenticated")
ANONYMOUS: Final = Principal(Kind.ANONYMOUS, text="anonymous")


@dataclass(frozen=True, slots=True)
class Grant:
    """What is allowed and denied to one of them; a deny wins over every allow."""

    to: Principal
    allowed: frozenset[Right] = frozenset()
    denied: frozenset[Right] = frozenset()


def grants(rights: Collection[Right], entries: Iterable[Entry]) -> tuple[Grant, ...]:
    """A row for each user, group, and for whoever logs in, of whom the table says something plain."""
    found: dict[tuple[Kind, str], Grant] = {}
    for atom in atoms(entries):
        if atom.kind in PEOPLE and atom.right in rights and atom.is_plain:
            row = found.get((atom.kind, atom.name), Grant(atom.to))
            found[atom.kind, atom.name] = _more(row, atom)
    return tuple(found.values())


def _more(row: Grant, atom: Atom) -> Grant:
    if atom.effect is Effect.ALLOW:
        return Grant(row.to, row.allowed | {atom.right}, row.denied)
    return Grant(row.to, row.allowed, row.denied | {atom.right})


def expressed(rows: Iterable[Grant]) -> dict[Atom, None]:
    """The atoms that the rows stand for."""
    found: dict[Atom, None] = {}
    for row in rows:
        for effect, rights in ((Effect.ALLOW, row.allowed), (Effect.DENY, row.denied)):
            found |= {plain(effect, right, row.to): None for right in Right if right in rights}
    return found


def with_grant(rights: Collection[Right], entries: tuple[Entry, ...], wanted: Grant) -> tuple[Entry, ...]:
    """The one it speaks of has these of the `rights`, and no others of them."""
    old = expressed(row for row in grants(rights, entries) if same(row.to, wanted.to))
    new = expressed([wanted])
    return changed(entries, old.keys() - new.keys(), (atom for atom in new if atom not in old))


def without_grant(rights: Collection[Right], entries: tuple[Entry, ...], to: Principal) -> tuple[Entry, ...]:
    """Nothing plain is said of it."""
    return with_grant(rights, entries, Grant(to))


def has(entries: Iterable[Entry], right: Right, to: Principal) -> bool:
    """Whether the right is allowed to just this principal, with nothing that narrows it."""
    return plain(Effect.ALLOW, right, to) in atoms(entries)


def with_box(entries: tuple[Entry, ...], right: Right, to: Principal, *, ticked: bool) -> tuple[Entry, ...]:
    """The right is allowed to it, or is not."""
    atom = plain(Effect.ALLOW, right, to)
    return changed(entries, (), (atom,)) if ticked else changed(entries, (atom,))


def anonymous_submits(entries: Iterable[Entry]) -> bool:
    """*Anonymous access*: whoever is not logged in may hand in mail, here or as one of anyone."""
    anyone = Principal(Kind.ANYONE)
    return has(entries, Right.SUBMIT, ANONYMOUS) or has(entries, Right.SUBMIT, anyone)


def with_anonymous(entries: tuple[Entry, ...], *, allowed: bool) -> tuple[Entry, ...]:
    """*Anonymous access* is as said. Taking it from anyone leaves it to whoever logs in."""
    if allowed:
        return (
            entries if anonymous_submits(entries) else with_box(entries, Right.SUBMIT, ANONYMOUS, ticked=True)
        )
    anyone = plain(Effect.ALLOW, Right.SUBMIT, Principal(Kind.ANYONE))
    left = [plain(Effect.ALLOW, Right.SUBMIT, AUTHENTICATED)] if anyone in atoms(entries) else []
    return changed(entries, (anyone, plain(Effect.ALLOW, Right.SUBMIT, ANONYMOUS)), left)


def same(one: Principal, other: Principal) -> bool:
    """Whether the two are one principal, however spelled."""
    return one.kind is other.kind and principal_name(one) == principal_name(other)
