"""Accounts that are contained, and the one press that gives everything back."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.admin.custody import contained_row
from gatepost.admin.link import NotRunning, Refused
from gatepost.console.acting import doing
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.pages.users import user_path
from gatepost.console.saying import count
from gatepost.console.search import address
from gatepost.console.table import Column, Table, empty, heading, link
from gatepost.console.texts import people as words
from gatepost.store.guarddb import GuardStore

Row = dict[str, Any]


@page("/contained", words.CONTAINED, "contained")
async def contained(context: Context) -> None:
    """All of them, oldest first."""
    heading(words.CONTAINED, words.ABOUT_CONTAINED)
    rows = await _rows(context)
    if not rows:
        empty(words.NOBODY_CONTAINED, words.NOBODY_CONTAINED_REMEDY)

    def name(row: Row) -> None:
        link(row["user"], user_path(row["user"]))

    def held(row: Row) -> None:
        link(
            count(len(row["held"]), *words.MESSAGES),
            address("/queues", {"user": row["user"], "state": "held"}),
        )

    def release(row: Row) -> None:
        button = ui.button(words.RELEASE, icon="o_lock_open", on_click=lambda: _release(context, row["user"]))
        button.props("outline dense padding='4px 10px'")
        button.props["aria-label"] = words.RELEASE_THIS.format(name=row["user"])

    columns = [
        Column[Row](words.NAME, name),
        Column[Row](words.WHY, lambda row: row["why"]),
        Column[Row](words.BY, lambda row: row["by"]),
        Column[Row](words.SINCE, lambda row: context.local_time(row["at"]), "gp-nowrap"),
        Column[Row](words.HELD, held),
    ]
    if context.acts.may("release"):
        columns.append(Column(words.RELEASE, release))
    Table(words.CONTAINED, columns, rows)


async def _rows(context: Context) -> list[Row]:
    """From the daemon, or from the disk where none runs."""
    try:
        rows: list[Row] = await context.house.ask("contained")
    except (NotRunning, Refused):
        place = context.house.place.guard
        if not place.exists():
            return []
        rows = await context.house.work(lambda: [contained_row(one) for one in GuardStore(place).contained()])
    return rows


async def _release(context: Context, name: str) -> None:
    row = await doing(words.RELEASING.format(name=name), lambda: context.acts.guard.release(name))
    if row is not None:
        held = count(len(row["held"]), *words.MESSAGES)
        ui.notify(words.IS_RELEASED.format(name=name, held=held), type="positive")
        ui.timer(1.5, ui.navigate.reload, once=True)
