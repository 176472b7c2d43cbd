"""Domains and Routes: tables of the file whose names one adds and removes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from pydantic import BaseModel

from gatepost.config.edit import Draft
from gatepost.config.schema import LocalDomain, Route
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.fields import Setting, mark
from gatepost.console.page import page
from gatepost.console.parts import heading
from gatepost.console.texts import pages as words
from gatepost.console.working import working


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of named tables; `first` is what a new one holds."""

    table: str
    model: type[BaseModel]
    keys: tuple[str, ...]
    first: dict[str, Any]
    title: str
    help: str
    empty: str
    name: str
    hint: str
    add: str


_DOMAINS = Kind(
    "domains", LocalDomain, ("deliver", "unknown", "catch_all", "postmaster"), {"deliver": "mailbox"},
    words.DOMAINS, words.DOMAINS_HELP, words.NO_DOMAINS, words.DOMAIN, words.DOMAIN_HINT, words.ADD_DOMAIN,
)  # fmt: skip
_ROUTES = Kind(
    "routes", Route, ("via", "tls", "login.user", "login.password_file"), {"via": "mx"},
    words.ROUTES, words.ROUTES_HELP, words.NO_ROUTES, words.ROUTE, words.ROUTE_HINT, words.ADD_ROUTE,
)  # fmt: skip


@page("/domains", words.DOMAINS, "domains")
def domains(context: Context) -> None:
    """The local domains."""
    _show(context, _DOMAINS)


@page("/routes", words.ROUTES, "routes")
def routes(context: Context) -> None:
    """Where mail for other domains goes."""
    _show(context, _ROUTES)


def _show(context: Context, kind: Kind) -> None:
    with working(context) as bench:
        heading(kind.title, 1)
        ui.label(kind.help).classes("gp-quiet")

        @ui.refreshable
        def tables() -> None:
            names = list(bench.value((kind.table,)) or {})
            for name in names:
                _table(bench, kind, name, tables.refresh)
            if not names:
                ui.label(kind.empty).classes("gp-empty")

        tables()
        if bench.may_change:
            _adding(bench, kind, tables.refresh)


def _table(bench: Bench, kind: Kind, name: str, refresh: Callable[[], object]) -> None:
    def remove() -> None:
        draft = bench.work.draft()
        draft.delete((kind.table, name))
        bench.take(draft)
        refresh()

    with ui.element("section").classes("gp-panel").props('aria-label="' + name.replace('"', "'") + '"'):
        with ui.element("div").classes("gp-row"):
            with ui.element("h2").classes("gp-grow gp-break").style("margin: 0"):
                ui.label(name)
            if bench.may_change:
                ui.button(icon="o_delete", on_click=remove).props(
                    'flat dense round aria-label="' + words.REMOVE.format(name=name).replace('"', "'") + '"'
                )
        with ui.element("div").classes("gp-fields"):
            for key in kind.keys:
                Setting(bench, kind.model, (kind.table, name), key).draw()


def _adding(bench: Bench, kind: Kind, refresh: Callable[[], object]) -> None:
    async def add() -> None:
        name = (field.value or "").strip()
        if not name:
            return
        if bench.value((kind.table, name)) is not None:
            field.props["error-message"] = words.THERE.format(name=name)
            field.props("error")
            return

        def edit(draft: Draft) -> None:
            for key, value in kind.first.items():
                draft.set((kind.table, name, key), value)
            draft.space((kind.table, name))

        faults = await bench.change(edit)
        mark(field, faults)
        if not faults:
            field.value = ""
            refresh()

    with ui.element("div").classes("gp-row top"):
        field = ui.input(kind.name).props(f'outlined dense hint="{kind.hint}"').style("width: 280px")
        field.on("keydown.enter", add)
        ui.button(kind.add, on_click=add).props("outline")
