"""Authentication...: anonymous access, and the methods by which one logs in."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.config.servers import MECHANISMS, Pop3Server
from gatepost.console.access.grants import anonymous_submits, with_anonymous
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.parts import heading
from gatepost.console.texts import access as words


async def open_authentication(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    await _Authentication(AccessDialog(bench, server, origin)).open()


class _Authentication:
    def __init__(self, dialog: AccessDialog) -> None:
        self._dialog = dialog
        self._path = dialog.server

    async def open(self) -> None:
        await self._dialog.open(words.AUTHENTICATION_TITLE, self._fill)

    def _fill(self) -> None:
        if self._path[0] == "smtp":
            ui.checkbox(
                words.ANONYMOUS, value=anonymous_submits(self._dialog.entries), on_change=self._anonymous
            )
            ui.label(words.ANONYMOUS_HELP).classes("gp-quiet q-mb-sm")
        heading(words.METHODS, 3)
        offered = self._offered()
        with ui.element("div").props(f'role=group aria-label="{words.METHODS}"'):
            for name in MECHANISMS:
                ui.checkbox(
                    words.MECHANISMS.get(name, name), value=name in offered, on_change=self._offering(name)
                ).classes("full-width")
            if self._path[0] == "pop3":
                self._flag("user_pass", words.POP3_COMMANDS, default=True)
        ui.separator().classes("q-my-sm")
        self._flag("auth_in_clear", words.IN_CLEAR, default=False)
        ui.label(words.IN_CLEAR_HELP).classes("gp-quiet")

    def _offered(self) -> list[str]:
        found = self._dialog.candidate.value((*self._path, "auth"))
        if found is None:
            return list(Pop3Server.model_fields["auth"].default) if self._path[0] == "pop3" else []
        return list(found)

    def _flag(self, key: str, label: str, *, default: bool) -> None:
        there = self._dialog.candidate.value((*self._path, key))

        async def tick(event: Any) -> None:
            path = (*self._path, key)
            if bool(event.value) != default:
                self._dialog.candidate.set(path, bool(event.value))
            elif self._dialog.candidate.value(path) is not None:
                self._dialog.candidate.delete(path)
            await self._dialog.show()

        ui.checkbox(label, value=default if there is None else bool(there), on_change=tick)

    async def _anonymous(self, event: Any) -> None:
        await self._dialog.put(with_anonymous(self._dialog.entries, allowed=bool(event.value)))

    def _offering(self, name: str) -> Any:
        async def tick(event: Any) -> None:
            offered = self._offered()
            wanted = [one for one in offered if one != name]
            if event.value:
                wanted = [one for one in MECHANISMS if one in (*offered, name)]
            self._dialog.candidate.set((*self._path, "auth"), wanted)
            await self._dialog.show()

        return tick
