"""Conditions above a table and links below it. All of it stands in the address of the page: what was
searched for can be kept as a bookmark, and the browser's Back goes back a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from gatepost.console.table import link
from gatepost.console.texts import table as words


@dataclass(frozen=True, slots=True)
class Condition:
    """A field; with `choices` (value to label) one chooses, or leaves it at `otherwise`."""

    name: str
    label: str
    choices: Mapping[str, str] | None = None
    hint: str = ""
    otherwise: str = words.ANY


def address(path: str, query: Mapping[str, str | None]) -> str:
    """The page with these conditions; empty ones are left out."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def search(
    path: str, conditions: Sequence[Condition], query: Mapping[str, str], *, verb: str = words.SEARCH
) -> None:
    """The fields filled with what was searched for; Enter or the button searches, a lone choice at once."""
    fields: dict[str, Any] = {}

    def go() -> None:
        ui.navigate.to(address(path, {name: str(one.value or "").strip() for name, one in fields.items()}))

    with ui.element("div").classes("gp-search").props("role=search"):
        for one in conditions:
            fields[one.name] = _field(one, query.get(one.name, "")).on("keydown.enter", go)
        if len(conditions) == 1 and conditions[0].choices is not None:
            fields[conditions[0].name].on_value_change(go)  # one choice needs no button
            return
        ui.button(verb, icon="search", on_click=go).props("unelevated")
        if any(query.get(one.name) for one in conditions):
            link(words.CLEAR, path)


def _field(one: Condition, value: str) -> Any:
    if one.choices is None:
        made: Any = ui.input(one.label, value=value, placeholder=one.hint).props("dense outlined")
        made.props("autocomplete=off spellcheck=false" + (" stack-label" if one.hint else ""))
        return made
    choices = {"": one.otherwise, **one.choices}
    made = ui.select(choices, label=one.label, value=value if value in choices else "")
    return made.props("dense outlined options-dense")


def turning(path: str, query: Mapping[str, str], next_key: str | None, *, name: str = "after") -> None:
    """Links to the beginning and to the next page, each where there is one."""
    rest = {key: value for key, value in query.items() if key != name}
    if not query.get(name) and next_key is None:
        return
    with ui.element("nav").classes("gp-turning"):
        if query.get(name):
            link(words.FIRST, address(path, rest))
        if next_key is not None:
            link(words.NEXT, address(path, {**rest, name: next_key}), "gp-next")
