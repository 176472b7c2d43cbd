"""Relay...: the list, the box for whoever authenticates, and the rest that it leaves alone. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gatepost.console.access import grants as people
from gatepost.console.access import listed
from gatepost.console.access.atoms import Atom, atoms, changed, plain
from gatepost.console.access.grants import AUTHENTICATED, Grant
from gatepost.console.access.listed import Listing
from gatepost.policy.access import Effect, Entry, Right

RIGHTS = (Right.SUBMIT, Right.RELAY)


@dataclass(frozen=True, slots=True)
class RelayDialog:
    """What the dialog and its Users... show.

    `authenticated`: all computers which successfully authenticate may relay. `grants` are the rows of
    Users... but for that.
    """

    listing: Listing
    authenticated: bool = False
    grants: tuple[Grant, ...] = ()


def read(entries: Iterable[Entry]) -> RelayDialog:
    """The dialog for the table."""
    entries = tuple(entries)
    authenticated = people.has(entries, Right.RELAY, AUTHENTICATED)
    rows = people.grants(RIGHTS, people.with_box(entries, Right.RELAY, AUTHENTICATED, ticked=False))
    return RelayDialog(listed.listing(Right.RELAY, entries), authenticated, rows)


def expressed(dialog: RelayDialog) -> dict[Atom, None]:
    """The atoms that the dialog's state stands for."""
    box = {plain(Effect.ALLOW, Right.RELAY, AUTHENTICATED): None} if dialog.authenticated else {}
    return listed.expressed(Right.RELAY, dialog.listing) | box | people.expressed(dialog.grants)


def write(entries: tuple[Entry, ...], wanted: RelayDialog) -> tuple[Entry, ...]:
    """The table for the dialog; what it cannot show is in it unchanged."""
    old, new = expressed(read(entries)), expressed(wanted)
    return changed(entries, old.keys() - new.keys(), (atom for atom in new if atom not in old))


def left_over(
    rights: Collection[Right], entries: Iterable[Entry], shown: Collection[Atom]
) -> tuple[Atom, ...]:
    """What is said of the rights and the dialog cannot show."""
    return tuple(atom for atom in atoms(entries) if atom.right in rights and atom not in shown)


def alone(atom: Atom) -> Entry:
    """The atom as an entry of its own, for saying it."""
    networks = None if atom.networks is None else tuple(sorted(atom.networks, key=str))
    return Entry(atom.effect, frozenset({atom.right}), atom.to, networks, atom.tls)
