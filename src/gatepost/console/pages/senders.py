"""Limits of users and groups: everybody who may send more or less than everybody."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from gatepost.config.allotments import Allotted
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.described import key_of
from gatepost.console.fields import mark_text
from gatepost.console.page import page
from gatepost.console.pages.groups import group_path
from gatepost.console.pages.users import user_path
from gatepost.console.section import open_button, remove
from gatepost.console.sender_limits import KEYS, KINDS, number, of_kind, open_limits
from gatepost.console.table import Column, Table, Text, empty, heading, link, section
from gatepost.console.texts import pages as tables
from gatepost.console.texts import sections as words
from gatepost.console.working import working

Row = tuple[str, dict[str, Any]]
_PAGES: Final = {"users": user_path, "groups": group_path}


@page("/limits", words.SENDERS, "limits")
def limits(context: Context) -> None:
    """A table of each kind, and a field for one more in it."""
    with working(context) as bench:
        heading(words.SENDERS, words.ABOUT_SENDERS)
        link(words.EVERYBODY, "/settings")
        for kind in KINDS:
            title = words.KINDS.get(kind, kind)
            section(title)
            _kind(bench, kind, title)


def _kind(bench: Bench, kind: str, title: str) -> None:
    @ui.refreshable
    def table() -> None:
        rows = list(of_kind(bench, kind).items())
        Table(title, _columns(bench, kind, table.refresh), rows)
        if not rows:
            empty(words.NO_SENDERS)

    table()
    if bench.may_change:
        _adding(bench, kind, table.refresh)


def _columns(bench: Bench, kind: str, redraw: Any) -> list[Column[Row]]:
    def name(row: Row) -> None:
        if kind in _PAGES:
            link(row[0], _PAGES[kind](row[0]))
        else:
            Text("span", row[0])

    def change(row: Row) -> None:
        with ui.element("span"):
            open_button(words.EDIT, lambda: open_limits(bench, kind, row[0], redraw), row[0])
            button = ui.button(icon="o_delete", on_click=lambda: take_out(row[0])).props("flat dense round")
            button.props["aria-label"] = tables.REMOVE.format(name=row[0])

    def take_out(name: str) -> None:
        remove(bench, ("limits", kind, name))
        redraw()

    def of(key: str) -> Column[Row]:
        return Column(key_of(Allotted, key).label, lambda row: number(key, row[1].get(key)) or words.AS_ALL)

    columns = [Column[Row](words.NAME, name), *(of(key) for key in KEYS)]
    return [*columns, Column(words.CHANGE, change, "gp-nowrap")] if bench.may_change else columns


def _adding(bench: Bench, kind: str, redraw: Any) -> None:
    async def add() -> None:
        name = str(field.value or "").strip()
        if not name:
            return
        if name.lower() in (one.lower() for one in of_kind(bench, kind)):
            mark_text(field, tables.THERE.format(name=name))
            return
        mark_text(field, "")
        known = await bench.context.house.work(lambda: _is_known(bench, kind, name))
        doubt.set_visibility(not known)
        open_limits(bench, kind, name, added)

    def added() -> None:
        field.set_value("")
        redraw()

    with ui.element("div").classes("gp-row top"):
        field = ui.input(words.SENDER_NAME.get(kind, words.NAME)).style("width: 280px")
        field.props(f'outlined dense autocomplete=off hint="{words.SENDER_HINT.get(kind, "")}"')
        field.on("keydown.enter", add)
        ui.button(words.ADD_SENDER, on_click=add).props("outline aria-haspopup=dialog")
    doubt = Text("p", words.NOT_KNOWN, "gp-note warn").props("role=status")
    doubt.set_visibility(False)


def _is_known(bench: Bench, kind: str, name: str) -> bool:
    house = bench.context.house
    if kind == "groups":
        return house.accounts.groups.find(name) is not None
    return kind != "users" or house.accounts.users.find(name, house.domains()) is not None
