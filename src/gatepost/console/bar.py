"""The bar below a page while there are changes that are not applied."""

from __future__ import annotations

from contextlib import suppress

from nicegui import ui

from gatepost.config.fault import ConfigError
from gatepost.config.load import read_text
from gatepost.console.bench import Bench
from gatepost.console.review import Review
from gatepost.console.texts import review as words

_LOOK_SECONDS = 3.0


def bar(bench: Bench) -> None:
    """Shown while the draft is changed; says when somebody else has changed the file."""

    async def discard() -> None:
        bench.discard()
        with suppress(OSError):
            await bench.forget_secrets()
        ui.navigate.reload()  # fields show what was typed into them

    def draw() -> None:
        with ui.element("div").classes("gp-bar").props('role=region aria-label="' + words.PENDING + '"'):
            with ui.element("div").classes("gp-grow").props("role=status"):
                ui.label(words.PENDING).classes("text-weight-bold")
                theirs = ui.label(words.THEIRS).classes("gp-break")
                theirs.set_visibility(_is_overtaken(bench))
                ui.timer(_LOOK_SECONDS, lambda: theirs.set_visibility(_is_overtaken(bench)))
            ui.button(words.DISCARD, on_click=discard).props("flat")
            ui.button(words.REVIEW, on_click=Review(bench).open)

    place = ui.element("div").style("display: contents")

    def show() -> None:
        if not bench.work.is_changed:
            place.clear()
        elif not place.default_slot.children:  # what stands is not drawn anew: a click on it would be lost
            with place:
                draw()

    show()
    bench.shows(show)


def _is_overtaken(bench: Bench) -> bool:
    try:
        return read_text(bench.work.file) != bench.work.base
    except ConfigError:
        return True
