"""Tables of the file that have names of their own, as panels with a dialog each; names come and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui
from pydantic import BaseModel

from gatepost.console.bench import Bench
from gatepost.console.fields import mark_text
from gatepost.console.section import Section, Trying, names_of, open_button, open_section, remove, show_facts
from gatepost.console.table import Text, empty
from gatepost.console.texts import pages as tables
from gatepost.console.texts import sections as words

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True, slots=True)
class Named:
    """One kind of them. `verbs` draws further buttons of one; `order` gives the names as they are shown."""

    table: str
    model: type[BaseModel]
    empty: str
    name: str
    hint: str
    add: str
    without: tuple[str, ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    trying: Callable[[str], Trying] | None = None
    verbs: Callable[[Bench, str, Callable[[], object]], None] = lambda bench, name, redraw: None
    order: Callable[[Bench], Sequence[str]] | None = None
    about: Callable[[str], str] = lambda name: ""
    pattern: re.Pattern[str] = NAME
    wrong: str = words.NAME_WRONG

    def section(self, name: str) -> Section:
        """The table of this name."""
        trying = None if self.trying is None else self.trying(name)
        return Section(name, self.model, (self.table, name), self.without, self.fixed, trying)


def show_named(bench: Bench, named: Named) -> None:
    """All of them, and a field for one more."""

    @ui.refreshable
    def panels() -> None:
        names = names_of(bench, named.table) if named.order is None else named.order(bench)
        for name in names:
            _panel(bench, named, name, panels.refresh)
        if not names:
            empty(named.empty)

    panels()
    if bench.may_change:
        _adding(bench, named, panels.refresh)


def _panel(bench: Bench, named: Named, name: str, redraw: Callable[[], object]) -> None:
    section, about = named.section(name), named.about(name)
    panel = ui.element("section").classes("gp-panel")
    panel.props["aria-label"] = name
    with panel:
        with ui.element("div").classes("gp-row"):
            Text("h2", name, "gp-grow gp-break").style("margin: 0")
            named.verbs(bench, name, redraw)
            if bench.may_change and not about:
                open_button(words.EDIT, lambda: open_section(bench, section, redraw), name)
                _remove_button(bench, section, redraw)
        if about:
            Text("p", about, "gp-quiet")
        else:
            show_facts(bench, section)


def _remove_button(bench: Bench, section: Section, redraw: Callable[[], object]) -> None:
    def take_out() -> None:
        remove(bench, section.path)
        redraw()

    button = ui.button(icon="o_delete", on_click=take_out).props("flat dense round")
    button.props["aria-label"] = tables.REMOVE.format(name=section.title)


def _adding(bench: Bench, named: Named, redraw: Callable[[], object]) -> None:
    def add() -> None:
        name = str(field.value or "").strip()
        if not named.pattern.fullmatch(name):
            mark_text(field, named.wrong)
        elif name in (names_of(bench, named.table) if named.order is None else named.order(bench)):
            mark_text(field, tables.THERE.format(name=name))
        else:
            mark_text(field, "")
            open_section(bench, named.section(name), added)

    def added() -> None:
        field.set_value("")
        redraw()

    with ui.element("div").classes("gp-row top"):
        field = ui.input(named.name).props(f'outlined dense hint="{named.hint}"').style("width: 280px")
        field.on("keydown.enter", add)
        ui.button(named.add, on_click=add).props("outline aria-haspopup=dialog")
