"""A question before what cannot be taken back."""

from __future__ import annotations

from nicegui import ui

from gatepost.console.table import Text
from gatepost.console.texts import table as words


async def confirmed(question: str, verb: str, *, dangerous: bool = True) -> bool:
    """Whether the button with the verb was pressed. Escape and Cancel are no."""
    with ui.dialog() as dialog, ui.card().classes("gp-form"):
        dialog.props["aria-label"] = question
        dialog.on("hide", dialog.delete)  # not before: the focus goes back as it hides
        Text("p", question, "gp-break")
        with ui.row().classes("justify-end"):
            ui.button(words.CANCEL, on_click=lambda: dialog.submit(False)).props("flat autofocus")
            colour = "negative" if dangerous else "primary"
            ui.button(verb, on_click=lambda: dialog.submit(True)).props(f"unelevated color={colour}")
    return await dialog is True
