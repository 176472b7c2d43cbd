"""Small parts that pages and dialogs are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from nicegui import ui
from nicegui.element import Element

from gatepost.console.texts import review as words

_SENTENCES_SHOWN: Final = 60
_DIFF_LINES_SHOWN: Final = 600


@dataclass(frozen=True, slots=True)
class DialogFrame:
    """`body` and `foot` are to be filled; the dialog is open."""

    dialog: ui.dialog
    body: Element
    foot: Element


@contextmanager
def dialog_frame(title: str, *, narrow: bool = False, two: bool = False) -> Iterator[DialogFrame]:
    """A dialog with heading, scrolling body and a row of buttons. It is gone when it is closed.

    The focus goes back to what opened it.
    """
    with ui.dialog(value=True) as dialog:
        name = f"title-{dialog.id}"
        dialog.props(f'aria-labelledby="{name}"')
        dialog.on("hide", dialog.delete)
        with ui.card().classes("gp-dialog" + (" narrow" if narrow else "")):
            with ui.element("div").classes("gp-dialog-head"), ui.element("h2").props(f'id="{name}"'):
                ui.label(title)
            body = ui.element("div").classes("gp-dialog-body" + (" two" if two else ""))
            foot = ui.element("div").classes("gp-dialog-foot")
    yield DialogFrame(dialog, body, foot)


def heading(text: str, level: int = 2) -> None:
    with ui.element(f"h{level}"):
        ui.label(text)


def progress(text: str) -> None:
    """Says what is being waited for."""
    with ui.element("div").props("role=status").classes("full-width"):
        ui.label(text)
        ui.linear_progress(show_value=False).props(f'indeterminate aria-label="{text}"')


def sentences(texts: Sequence[str], *, empty: str) -> None:
    """A list of sentences, or the words for none."""
    if not texts:
        ui.label(empty).classes("gp-quiet")
        return
    with ui.element("ul").classes("gp-list"):
        for text in texts[:_SENTENCES_SHOWN]:
            with ui.element("li").classes("gp-break"):
                ui.label(text)
        if len(texts) > _SENTENCES_SHOWN:
            with ui.element("li"):
                ui.label(words.MORE.format(count=len(texts) - _SENTENCES_SHOWN))


def diff(lines: Sequence[str], *, empty: str) -> None:
    """A unified difference, its signs also in colour."""
    if not lines:
        ui.label(empty).classes("gp-quiet")
        return
    with (
        ui.element("div")
        .classes("gp-diff gp-mono")
        .props(f'tabindex=0 role=group aria-label="{words.IN_FILE}"')
    ):
        for line in lines[:_DIFF_LINES_SHOWN]:
            ui.label(line).classes({"+": "plus", "-": "minus", "@": "at"}.get(line[:1], ""))
        if len(lines) > _DIFF_LINES_SHOWN:
            ui.label(words.MORE.format(count=len(lines) - _DIFF_LINES_SHOWN))
