"""The domains whose mail is local, as tables of fields."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gatepost.config.edit import Draft
from gatepost.config.schema import LocalDomain
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.described import keys_of
from gatepost.console.fields import fields, mark, mark_text
from gatepost.console.page import page
from gatepost.console.section import names_of, remove
from gatepost.console.table import Text, empty, heading
from gatepost.console.texts import pages as words
from gatepost.console.working import working


@page("/domains", words.DOMAINS, "domains")
def domains(context: Context) -> None:
    """A panel for each, and a field for one more."""
    with working(context) as bench:
        heading(words.DOMAINS, words.DOMAINS_HELP)

        @ui.refreshable
        def tables() -> None:
            names = names_of(bench, "domains")
            for name in names:
                _table(bench, name, tables.refresh)
            if not names:
                empty(words.NO_DOMAINS)

        tables()
        if bench.may_change:
            _adding(bench, tables.refresh)


def _table(bench: Bench, name: str, refresh: Callable[[], object]) -> None:
    def take_out() -> None:
        remove(bench, ("domains", name))
        refresh()

    panel = ui.element("section").classes("gp-panel")
    panel.props["aria-label"] = name
    with panel:
        with ui.element("div").classes("gp-row"):
            Text("h2", name, "gp-grow gp-break").style("margin: 0")
            if bench.may_change:
                button = ui.button(icon="o_delete", on_click=take_out).props("flat dense round")
                button.props["aria-label"] = words.REMOVE.format(name=name)
        fields(bench, LocalDomain, ("domains", name), keys_of(LocalDomain))


def _adding(bench: Bench, refresh: Callable[[], object]) -> None:
    async def add() -> None:
        name = str(field.value or "").strip()
        if not name:
            return
        if bench.value(("domains", name)) is not None:
            mark_text(field, words.THERE.format(name=name))
            return

        def edit(draft: Draft) -> None:
            draft.set(("domains", name, "deliver"), "mailbox")
            draft.space(("domains", name))

        faults = await bench.change(edit)
        mark(field, faults)
        if not faults:
            field.set_value("")
            refresh()

    with ui.element("div").classes("gp-row top"):
        field = ui.input(words.DOMAIN).style("width: 280px")
        field.props(f'outlined dense hint="{words.DOMAIN_HINT}"').on("keydown.enter", add)
        ui.button(words.ADD_DOMAIN, on_click=add).props("outline")
