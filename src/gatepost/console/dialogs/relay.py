"""Relay...: the list, the box for whoever authenticates, and Users..."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from gatepost.config.edit import Draft
from gatepost.console.access import relay
from gatepost.console.access.grants import AUTHENTICATED, has, with_box
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.dialogs.listing import ListingPart
from gatepost.console.dialogs.users import open_users
from gatepost.console.texts import access as words
from gatepost.policy.access import Entry, Right


async def open_relay(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    await _Relay(AccessDialog(bench, server, origin, _left_alone)).open()


class _Relay:
    def __init__(self, dialog: AccessDialog) -> None:
        self._dialog = dialog

    async def open(self) -> None:
        await self._dialog.open(words.RELAY_TITLE, self._fill)

    def _fill(self) -> None:
        ListingPart(self._dialog, Right.RELAY, words.RELAY_QUESTION)
        ui.separator().classes("q-my-md")
        self._box = ui.checkbox(words.AUTHENTICATED_BOX, value=self._is_open(), on_change=self._tick)
        with ui.element("div").classes("gp-row"):
            ui.button(words.USERS, on_click=self._users).props("outline aria-haspopup=dialog")
            ui.label(words.USERS_HELP).classes("gp-quiet gp-grow")

    def _is_open(self) -> bool:
        return has(self._dialog.entries, Right.RELAY, AUTHENTICATED)

    async def _tick(self, event: Any) -> None:
        if bool(event.value) != self._is_open():
            entries = with_box(self._dialog.entries, Right.RELAY, AUTHENTICATED, ticked=bool(event.value))
            await self._dialog.put(entries)

    async def _users(self) -> None:
        origin = Origin(lambda: self._dialog.candidate.text, self._taken)
        await open_users(self._dialog.bench, self._dialog.server, origin)

    async def _taken(self, draft: Draft) -> None:
        await self._dialog.take(draft)
        self._box.set_value(self._is_open())


def _left_alone(entries: tuple[Entry, ...]) -> Sequence[Entry]:
    shown = relay.expressed(relay.read(entries))
    return [relay.alone(atom) for atom in relay.left_over((Right.RELAY,), entries, shown)]
