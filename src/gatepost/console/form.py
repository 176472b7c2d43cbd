"""A dialog with fields and one button, which stays open until what was asked for is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from gatepost.console.table import Text
from gatepost.console.texts import table as words

Done = Callable[[], Awaitable[bool]]


class Form:
    """`with Form("New group", "Add", act):` and fields inside; `act` says whether it was done.

    A field is read by its name: `form["name"]`, a text without blanks around it, or a bool.
    """

    def __init__(self, title: str, verb: str, act: Callable[[Form], Awaitable[bool]]) -> None:
        self._act = act
        self._fields: dict[str, Any] = {}
        self._dialog = ui.dialog().props("persistent no-backdrop-dismiss")
        self._dialog.props["aria-label"] = title
        with self._dialog, ui.card().classes("gp-form") as self._card:
            Text("h2", title, "gp-break")
            self._inside = ui.element("div").classes("gp-form-fields")
            with ui.row().classes("justify-end"):
                ui.button(words.CANCEL, on_click=self._close).props("flat")
                self._button = ui.button(verb, on_click=self._go).props("unelevated")
        self._dialog.on("keydown.escape", self._close)
        self._dialog.on("hide", self._dialog.delete)  # not before: the focus goes back as it hides
        self._dialog.open()

    def __enter__(self) -> Form:
        self._inside.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self._inside.__exit__()

    def __getitem__(self, name: str) -> Any:
        value = self._fields[name].value
        return value.strip() if isinstance(value, str) else bool(value)

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of a field that are not empty."""
        return tuple(line.strip() for line in str(self[name]).splitlines() if line.strip())

    def line(self, name: str, label: str, value: str = "", *, first: bool = False) -> None:
        """One line of text."""
        field = ui.input(label, value=value).props("dense outlined autocomplete=off spellcheck=false")
        if first:
            field.props("autofocus")
        self._fields[name] = field.on("keydown.enter", self._go)

    def secret(self, name: str, label: str, *, first: bool = False) -> None:
        """A password: not shown, not kept by the browser, not trimmed."""
        field = ui.input(label, password=True).props("dense outlined autocomplete=new-password")
        if first:
            field.props("autofocus")
        self._fields[name] = field.on("keydown.enter", self._go)

    def typed(self, name: str) -> str:
        """What was typed, blanks too."""
        return str(self._fields[name].value or "")

    def text(self, name: str, label: str, value: str = "") -> None:
        """Several lines."""
        self._fields[name] = ui.textarea(label, value=value).props("dense outlined autogrow spellcheck=false")

    def tick(self, name: str, label: str, *, value: bool = False) -> None:
        """Yes or no."""
        self._fields[name] = ui.checkbox(label, value=value).props("dense")

    def even_so(self) -> None:
        """A box that is not there until `offer` was told why one may want it. Read as `form["even_so"]`."""
        self.tick("even_so", "")
        self._fields["even_so"].set_visibility(False)

    def offer(self, risk: str) -> None:
        """What was refused may be done even so, with a tick."""
        box = self._fields["even_so"]
        box.set_text(words.EVEN_SO_AT.format(risk=risk))
        box.set_visibility(True)

    def choice(self, name: str, label: str, choices: dict[str, str], value: str = "") -> None:
        """One of several."""
        made = ui.select(choices, label=label, value=value or next(iter(choices), None))
        self._fields[name] = made.props("dense outlined options-dense")

    async def _go(self) -> None:
        if not self._button.enabled:
            return  # Enter was pressed twice
        self._button.disable()
        try:
            with self._dialog.client.content:  # what is said must not go with the dialog
                done = await self._act(self)
        finally:
            self._button.enable()
        if done:
            self._close()

    def _close(self) -> None:
        self._dialog.close()
