"""Who is shut out: by the administrator or by the guard; ban and pardon."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.admin.attacks import bans as all_bans
from gatepost.console.acting import doing, say_refused
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.table import Column, Table, Text, empty, heading
from gatepost.console.texts import guard as words
from gatepost.guard.bans import NotASource

Row = dict[str, Any]


@page("/bans", words.BANS, "bans")
async def bans(context: Context) -> None:
    """All sources that are refused now."""
    heading(words.BANS, words.ABOUT_BANS)
    with ui.element("div").classes("gp-verbs"):
        if context.acts.may("ban"):
            ui.button(words.NEW_BAN, icon="o_block", on_click=lambda: _new(context)).props("outline")
        if context.acts.may("pardon"):
            ui.button(words.PARDON_NAME, icon="o_person", on_click=lambda: _name(context)).props("outline")
    rows = await context.house.work(lambda: all_bans(context.house.place))
    if not rows:
        empty(words.NO_BANS, words.NO_BANS_REMEDY)

    def until(row: Row) -> str:
        return context.local_time(row["until"]) if row["until"] else words.UNTIL_PARDONED

    def pardon(row: Row) -> None:
        button = ui.button(words.PARDON, on_click=lambda: _pardon(context, row["source"]))
        button.props("flat dense")
        button.props["aria-label"] = words.PARDON_THIS.format(source=row["source"])

    columns = [
        Column[Row](words.SOURCE, lambda row: row["source"]),
        Column[Row](words.UNTIL, until, "gp-nowrap"),
        Column[Row](words.BY, lambda row: words.THE_GUARD if row["by"] == "guard" else row["by"]),
        Column[Row](words.NOTE, lambda row: row["note"]),
    ]
    if context.acts.may("pardon"):
        columns.append(Column(words.PARDON, pardon))
    Table(words.BANS, columns, rows)


def ban_button(context: Context, source: str) -> None:
    """Shuts the source out, after a question."""

    async def ban() -> None:
        if await confirmed(words.SURE_BAN.format(source=source), words.BAN):
            done = await _ban(context, source, None, words.ATTACKS)
            if done:
                ui.notify(words.IS_BANNED.format(source=source), type="positive")

    button = ui.button(words.BAN, on_click=ban).props("flat dense")
    button.props["aria-label"] = words.BAN_THIS.format(source=source)


def pardon_name_button(context: Context, name: str) -> None:
    """The name is heard from anywhere again."""
    button = ui.button(words.PARDON, on_click=lambda: _pardoned(context, name, is_name=True))
    button.props("flat dense")
    button.props["aria-label"] = words.PARDON_THIS.format(source=name)


async def _ban(context: Context, source: str, seconds: float | None, note: str) -> bool:
    try:
        row = await doing(
            words.BANNING.format(source=source),
            lambda: context.acts.guard.ban(source, seconds=seconds, note=note),
        )
    except NotASource as problem:
        say_refused(str(problem))
        return False
    return row is not None


def _new(context: Context) -> None:
    async def ban(form: Form) -> bool:
        seconds = str(form["seconds"])
        done = await _ban(context, form["source"], float(seconds) if seconds else None, form["note"])
        if done:
            ui.navigate.reload()
        return done

    with Form(words.NEW_BAN.rstrip("."), words.BAN, ban) as form:
        form.line("source", words.ADDRESS_OR_NETWORK, first=True)
        form.choice("seconds", words.FOR_HOW_LONG, words.SPANS)
        form.line("note", words.NOTE)


def _name(context: Context) -> None:
    async def pardon(form: Form) -> bool:
        name = str(form["name"])
        return await _pardoned(context, name, is_name=True)

    with Form(words.PARDON_NAME.rstrip("."), words.PARDON, pardon) as form:
        Text("p", words.PARDON_NAME_ABOUT, "gp-quiet")
        form.line("name", words.NAME, first=True)


async def _pardon(context: Context, source: str) -> None:
    await _pardoned(context, source, is_name=False)


async def _pardoned(context: Context, source: str, *, is_name: bool) -> bool:
    async def act() -> bool:
        guard = context.acts.guard
        await (guard.pardon_name(source) if is_name else guard.pardon(source))
        return True

    try:
        done = await doing(words.PARDONING.format(source=source), act)
    except NotASource as problem:
        say_refused(str(problem))
        return False
    if done:
        ui.navigate.reload()
    return bool(done)
