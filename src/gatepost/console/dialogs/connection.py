"""Connection...: which computers may connect."""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.console.access import listed, relay
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.dialogs.listing import ListingPart
from gatepost.console.texts import access as words
from gatepost.policy.access import Entry, Right


async def open_connection(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    dialog = AccessDialog(bench, server, origin, _left_alone)
    await dialog.open(words.CONNECTION_TITLE, lambda: _fill(dialog))


def _fill(dialog: AccessDialog) -> None:
    ListingPart(dialog, Right.CONNECT, words.CONNECTION_QUESTION)


def _left_alone(entries: tuple[Entry, ...]) -> Sequence[Entry]:
    shown = listed.expressed(Right.CONNECT, listed.listing(Right.CONNECT, entries))
    return [relay.alone(atom) for atom in relay.left_over((Right.CONNECT,), entries, shown)]
