"""Groups by pages; one group with its members, direct ones or through groups too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from nicegui import ui

from gatepost.admin.accounts import group_rows
from gatepost.console.acting import doing
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.search import turning
from gatepost.console.table import Column, Table, empty, heading, link
from gatepost.console.texts import people as words

Row = dict[str, Any]
PATH: Final = "/groups"
PAGE: Final = 50


def group_path(name: str) -> str:
    """The page of a group."""
    return f"{PATH}/{quote(name, safe='')}"


@page(PATH, words.GROUPS, "groups")
async def groups(context: Context) -> None:
    """All groups."""
    heading(words.GROUPS, words.ABOUT_GROUPS)
    house, after = context.house, context.query.get("after", "")
    found = await house.work(lambda: house.accounts.groups.page(after=after, limit=PAGE + 1))
    rows = group_rows(house.settings(), found[:PAGE])
    if context.acts.may("group-add"):
        with ui.element("div").classes("gp-verbs"):
            ui.button(words.NEW_GROUP, icon="o_group_add", on_click=lambda: _new(context)).props("outline")
    if not rows:
        empty(words.NO_GROUPS, words.NO_GROUPS_REMEDY)

    def name(row: Row) -> None:
        link(row["name"], group_path(row["name"]))

    Table(
        words.GROUPS,
        [
            Column(words.NAME, name),
            Column(words.MEMBERS, lambda row: f"{row['users']:,}", "gp-number"),
            Column(words.GROUPS_IN_IT, lambda row: ", ".join(row["groups"])),
            Column(words.RELAYS, lambda row: words.YES if row["relays"] else ""),
        ],
        rows,
    )
    turning(PATH, context.query, found[PAGE - 1].name if len(found) > PAGE else None)


def _new(context: Context) -> None:
    async def add(form: Form) -> bool:
        name = str(form["name"])
        group = await doing(words.ADDING.format(name=name), lambda: context.acts.group.add(name))
        if group is None:
            return False
        ui.navigate.to(group_path(group.name))
        return True

    with Form(words.NEW_GROUP.rstrip("."), words.ADD, add) as form:
        form.line("name", words.GROUP_NAME, first=True)


async def done(
    what: str, act: Callable[[], Awaitable[Any]], *, offer: Callable[[str], None] | None = None
) -> bool:
    """Whether it was done, and said why not; then the page shows what is so now. `offer` as in `doing`."""

    async def noted() -> bool:
        await act()
        return True

    if not await doing(what, noted, offer=offer):
        return False
    ui.navigate.reload()
    return True
