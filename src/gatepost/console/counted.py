"""Parts of a page that are counted after the page is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from nicegui import ui

from gatepost.console.context import Context
from gatepost.console.table import Table, Text, empty
from gatepost.console.texts import guard as words

Row = dict[str, Any]
T = TypeVar("T")
_SHOWN: Final = 20


def later(context: Context, ask: Callable[[], T], show: Callable[[T], None]) -> Callable[[], Any]:
    """A place that says it is being counted; what is given fills it."""
    with ui.element("div") as place:
        Text("p", words.LOADING, "gp-quiet").props("role=status")

    async def fill() -> None:
        found = await context.house.work(ask)
        place.clear()
        with place:
            show(found)

    return fill


def listed(
    context: Context,
    ask: Callable[[int, int], list[Row]],
    name: str,
    make: Callable[[list[Row]], Table[Row]],
    *,
    nothing: str = "",
) -> Callable[[], Any]:
    """A list of the most frequent, and a button for more of them. `ask` is told how many, behind how many."""
    shown = [0]

    def show(found: list[Row]) -> None:
        if not found and nothing:
            empty(nothing)
        table = make(found[:_SHOWN])
        shown[0] = _SHOWN

        async def more() -> None:
            context.actor.require("attacks")
            next_ones = await context.house.work(lambda: ask(_SHOWN + 1, shown[0]))
            table.add(next_ones[:_SHOWN])
            shown[0] += _SHOWN
            button.set_visibility(len(next_ones) > _SHOWN)

        button = ui.button(words.NEXT, on_click=more).props("flat dense")
        button.props["aria-label"] = f"{words.NEXT}: {name}"
        button.set_visibility(len(found) > _SHOWN)

    return later(context, lambda: ask(_SHOWN + 1, 0), show)
