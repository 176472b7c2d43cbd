"""One entry of the access table with everything that can stand in it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.console.access.atoms import NEW
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.texts import access as words
from gatepost.policy.access import (
    Effect,
    Entry,
    Kind,
    Network,
    PrincipalError,
    Right,
    parse_network,
    parse_principal,
)

_SMTP = (Right.CONNECT, Right.SUBMIT, Right.RELAY, Right.ANY_SENDER)
_POP3 = (Right.CONNECT, Right.COLLECT)


async def open_entry(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    await _NewEntry(AccessDialog(bench, server, origin)).open()


class _NewEntry:
    """The candidate holds the entry as soon as what was typed makes one."""

    def __init__(self, dialog: AccessDialog) -> None:
        self._dialog = dialog
        self._before = dialog.entries
        self._rights: set[Right] = set()
        self._effect = Effect.ALLOW
        self._kind = Kind.GROUP
        self._tls = False

    async def open(self) -> None:
        await self._dialog.open(words.ENTRY_TITLE, self._fill)

    def _fill(self) -> None:
        effects = {Effect.ALLOW.value: words.ALLOW, Effect.DENY.value: words.DENY}
        ui.radio(effects, value=self._effect.value, on_change=self._turn).props(
            f'inline aria-label="{words.EFFECT}"'
        )
        with ui.element("div").props(f'role=group aria-label="{words.RIGHTS_LEGEND}"'):
            for right in _SMTP if self._dialog.server[0] == "smtp" else _POP3:
                ui.checkbox(words.RIGHT_WORDS[right.value], on_change=self._ticking(right)).classes(
                    "full-width"
                )
        ui.select(words.KINDS, label=words.TO, value=self._kind.value, on_change=self._choose).props(
            "outlined dense"
        ).classes("q-mt-sm")
        self._name = ui.input(words.NAME, on_change=self._try).props("outlined dense").classes("q-mt-sm")
        self._from = ui.input(words.ONLY_FROM, on_change=self._try).props("outlined dense").classes("q-mt-sm")
        ui.checkbox(words.ONLY_TLS, on_change=self._narrow)

    async def _turn(self, event: Any) -> None:
        self._effect = Effect(event.value)
        await self._try()

    def _ticking(self, right: Right) -> Any:
        async def tick(event: Any) -> None:
            (self._rights.add if event.value else self._rights.discard)(right)
            await self._try()

        return tick

    async def _choose(self, event: Any) -> None:
        self._kind = Kind(event.value)
        self._name.set_visibility(self._kind.takes_name)
        await self._try()

    async def _narrow(self, event: Any) -> None:
        self._tls = bool(event.value)
        await self._try()

    async def _try(self) -> None:
        entry = self._entry()
        await self._dialog.put(self._before if entry is None else (*self._before, entry))

    def _entry(self) -> Entry | None:
        """The entry, None while it is not whole; then it is said at the field."""
        name = (self._name.value or "").strip()
        word = f"{self._kind.value}:{name}" if self._kind.takes_name else self._kind.value
        networks, wrong = _networks(self._from.value or "")
        _mark(self._from, wrong)
        if not self._rights or (self._kind.takes_name and not name) or wrong:
            _mark(self._name, "")
            return None
        try:
            to = parse_principal(word)
        except PrincipalError as problem:
            _mark(self._name, str(problem))
            return None
        _mark(self._name, "")
        return Entry(self._effect, frozenset(self._rights), to, networks, self._tls, NEW)


def _networks(text: str) -> tuple[tuple[Network, ...] | None, str]:
    """The networks typed, and what is wrong with them."""
    words_typed = text.replace(",", " ").split()
    try:
        return tuple(map(parse_network, words_typed)) or None, ""
    except PrincipalError as problem:
        return None, str(problem)


def _mark(field: ui.input, problem: str) -> None:
    """The field says what is wrong with it."""
    if problem:
        field.props["error-message"] = problem
        field.props("error")
    else:
        field.props(remove="error")
