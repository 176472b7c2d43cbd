"""*Only the list below*, *All except the list below*, and the list: of Connection... and Relay..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from gatepost.console.access.listed import Listing, Mode, listing, with_host, with_listing, without_host
from gatepost.console.access.writing import write_entries
from gatepost.console.dialogs.frame import AccessDialog
from gatepost.console.texts import access as words
from gatepost.policy.access import Entry, Principal, PrincipalError, Right, parse_principal


class ListingPart:
    """The boxes for one right in a dialog."""

    def __init__(self, dialog: AccessDialog, right: Right, question: str) -> None:
        self._dialog = dialog
        self._right = right
        mode = listing(right, dialog.entries).mode
        ui.label(question).props(f'id="question-{right.value}"')
        ui.radio(
            {Mode.ONLY.value: words.ONLY, Mode.EXCEPT.value: words.EXCEPT},
            value=mode.value,
            on_change=self._turn,
        ).props(f'aria-labelledby="question-{right.value}"')
        self._list = (
            ui.element("div").classes("gp-panel gp-rows").props(f'role=group aria-label="{words.COMPUTERS}"')
        )
        with ui.row().classes("items-start no-wrap"):
            self._input = (
                ui.input(words.COMPUTER)
                .props(f'dense outlined hint="{words.COMPUTER_HINT}"')
                .classes("gp-grow")
                .style("min-width: 240px")
                .on("keydown.enter", self._add)
            )
            ui.button(words.ADD, on_click=self._add).props("outline")
        self._draw()

    def _draw(self) -> None:
        self._list.clear()
        hosts = listing(self._right, self._dialog.entries).hosts
        with self._list:
            if not hosts:
                ui.label(words.LIST_EMPTY).classes("gp-quiet")
            for host in hosts:
                self._row(host)

    def _row(self, host: Principal) -> None:
        name = host.text.partition(":")[2]
        with ui.element("div").classes("gp-row"):
            ui.label(name).classes("gp-grow gp-mono gp-break")
            button = ui.button(words.REMOVE, on_click=lambda: self._remove(host)).props("flat dense size=sm")
            button.props["aria-label"] = words.REMOVE_ONE.format(name=name)

    async def _turn(self, event: Any) -> None:
        shown = listing(self._right, self._dialog.entries)
        wanted = Listing(Mode(event.value), shown.hosts)
        await self._change(lambda: with_listing(self._right, self._dialog.entries, wanted))

    async def _add(self) -> None:
        try:
            host = computer(self._input.value or "")
        except PrincipalError as problem:
            self._input.props["error-message"] = str(problem)
            self._input.props("error")
            return
        self._input.props(remove="error")
        self._input.value = ""
        await self._change(lambda: with_host(self._right, self._dialog.entries, host))

    async def _remove(self, host: Principal) -> None:
        self._input.run_method("focus")
        await self._change(lambda: without_host(self._right, self._dialog.entries, host))

    async def _change(self, entries: Callable[[], tuple[Entry, ...]]) -> None:
        write_entries(self._dialog.candidate, self._dialog.server, entries())
        self._draw()
        await self._dialog.show()


def computer(text: str) -> Principal:
    """The principal for what was typed: a network where it has the look of one, else a host name.

    Raises PrincipalError.
    """
    text = text.strip()
    looks_numeric = ":" in text or "/" in text or text.replace(".", "").isdigit()
    if not text or looks_numeric:
        return parse_principal(f"net:{text}")
    if " " in text or "." not in text:
        raise PrincipalError(f"{text!r} is neither an address nor a full host name")
    return parse_principal(f"host:{text}")
