"""Steps tried one after the other, each shown as it comes with what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from nicegui import ui
from nicegui.element import Element

from gatepost.console.saying import count
from gatepost.console.table import Text
from gatepost.console.texts import people as words


class Step(Protocol):
    """`good` None: told, and neither good nor bad."""

    @property
    def step(self) -> str: ...

    @property
    def good(self) -> bool | None: ...

    @property
    def text(self) -> str: ...


async def show_steps(place: Element, steps: AsyncIterator[tuple[str, Step]]) -> None:
    """The place holds them, each with whose it is, and above them whether all were good."""
    failed = 0
    place.clear()
    with place:
        told = Text("p", words.TRYING, "gp-quiet").props("role=status")
        shown = ui.element("ol").classes("gp-steps")
    async for whose, step in steps:
        failed += step.good is False
        with shown:
            _step(whose, step)
    told.classes(remove="gp-quiet", add=f"gp-note {'bad' if failed else 'good'}")
    told.set_text(words.SOME_FAILED.format(failed=count(failed, *words.STEPS)) if failed else words.ALL_WELL)


def _step(whose: str, step: Step) -> None:
    kind = {True: "good", False: "bad", None: ""}[step.good]
    with ui.element("li").classes(kind):
        Text("strong", f"{whose}: {step.step} {words.GOOD[step.good]}")
        Text("div", step.text, "gp-break")
