"""Aliases by pages, with the form for a new one."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from gatepost.console.acting import doing
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.pages.groups import done
from gatepost.console.search import turning
from gatepost.console.table import Column, Table, empty, heading
from gatepost.console.texts import people as words
from gatepost.store.aliases import Alias

_PATH: Final = "/aliases"
_PAGE: Final = 50


@page(_PATH, words.ALIASES, "aliases")
async def aliases(context: Context) -> None:
    """All aliases."""
    heading(words.ALIASES, words.ABOUT_ALIASES)
    there, after = context.house.accounts.aliases, context.query.get("after", "")
    found = await context.house.work(lambda: there.page(after=after, limit=_PAGE + 1))
    if context.acts.may("alias-add"):
        with ui.element("div").classes("gp-verbs"):
            ui.button(words.NEW_ALIAS, icon="o_add", on_click=lambda: _new(context)).props("outline")
    if not found:
        empty(words.NO_ALIASES, words.NO_ALIASES_REMEDY)
    columns = [
        Column[Alias](words.ALIAS, lambda alias: alias.address),
        Column[Alias](words.TARGETS, lambda alias: ", ".join(alias.targets)),
        Column[Alias](words.STATE, lambda alias: words.OUTSIDE_MARK if alias.outside else ""),
    ]

    def delete(alias: Alias) -> None:
        button = ui.button(icon="o_delete", on_click=lambda: _delete(context, alias.address))
        button.props("flat dense")
        button.props["aria-label"] = words.DELETE_THIS.format(name=alias.address)

    if context.acts.may("alias-delete"):
        columns.append(Column(words.DELETE.rstrip("."), delete))
    Table(words.ALIASES, columns, found[:_PAGE])
    turning(_PATH, context.query, found[_PAGE - 1].address if len(found) > _PAGE else None)


def _new(context: Context) -> None:
    async def add(form: Form) -> bool:
        name, targets, outside = str(form["address"]), form.lines("targets"), bool(form["outside"])
        alias = await doing(
            words.ADDING.format(name=name), lambda: context.acts.alias.add(name, targets, outside=outside)
        )
        if alias is None:
            return False
        ui.navigate.reload()
        return True

    with Form(words.NEW_ALIAS.rstrip("."), words.ADD, add) as form:
        form.line("address", words.ALIAS, first=True)
        form.text("targets", words.TARGETS_FIELD)
        form.tick("outside", words.OUTSIDE)


async def _delete(context: Context, name: str) -> None:
    if await confirmed(words.SURE_DELETE_ALIAS.format(name=name), words.DELETE.rstrip(".")):
        await done(words.DELETING.format(name=name), lambda: context.acts.alias.delete(name))
