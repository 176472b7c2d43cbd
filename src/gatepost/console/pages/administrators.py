"""Administrators and tokens: who may use console and API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from nicegui import ui

from gatepost.admin.roles import Area, Role
from gatepost.console.acting import doing
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.table import Column, Table, Text, empty, heading, section
from gatepost.console.texts import administrators as words
from gatepost.secret import Secret

Row = dict[str, Any]


@page("/administrators", words.ADMINISTRATORS, "administrators")
async def administrators(context: Context) -> None:
    """Everybody who has signed in or may, and every token."""
    heading(words.ADMINISTRATORS, words.ABOUT)
    if not context.acts.may("admin-list"):
        empty(words.FORBIDDEN)
        return
    with ui.element("div").classes("gp-verbs"):
        ui.button(words.NEW, icon="o_person_add", on_click=lambda: _new(context)).props("outline")
    _people(context, await context.acts.administrator.all())
    section(words.TOKENS)
    Text("p", words.TOKENS_ABOUT, "gp-quiet")
    with ui.element("div").classes("gp-verbs"):
        ui.button(words.NEW_TOKEN, icon="o_key", on_click=lambda: _new_token(context)).props("outline")
    _tokens(context, await context.acts.token.all())


# people


def _people(context: Context, rows: list[Row]) -> None:
    def verbs(row: Row) -> None:
        name = row["name"]
        if not row["directory"]:
            _button(words.CHANGE_ROLE, words.CHANGE_ROLE_OF.format(name=name), lambda: _role(context, row))
            _button(words.RESET, words.RESET_OF.format(name=name), lambda: _reset(context, name))
        _button(words.REMOVE, words.REMOVE_OF.format(name=name), lambda: _remove(context, name))

    columns = [
        Column[Row](words.NAME, lambda row: row["name"], "gp-break"),
        Column[Row](words.ROLE, lambda row: row["role"] or words.BY_DIRECTORY),
        Column[Row](words.FACTORS, _factors),
        Column[Row](words.SESSIONS, lambda row: str(row["sessions"])),
        Column[Row](words.VERBS, verbs),
    ]
    Table(words.ADMINISTRATORS, columns, rows)


def _factors(row: Row) -> str:
    return ", ".join([*([words.APP] if row["totp"] else []), *row["security_keys"]]) or words.NONE


def _new(context: Context) -> None:
    async def add(form: Form) -> bool:
        name, role = str(form["name"]), Role(form["role"])
        link = await doing(
            words.WORKING.format(name=name), lambda: context.acts.administrator.add(name, role)
        )
        if link is not None:
            _shown_once(words.LINK, words.LINK_ABOUT.format(name=name), link)
        return link is not None

    with Form(words.NEW.rstrip("."), words.ADD, add) as form:
        form.line("name", words.NAME, first=True)
        form.choice("role", words.ROLE, words.ROLES)


def _role(context: Context, row: Row) -> None:
    name = str(row["name"])

    async def save(form: Form) -> bool:
        role = Role(form["role"])
        return await _done(name, lambda: context.acts.administrator.set_role(name, role))

    with Form(words.CHANGE_ROLE_OF.format(name=name), words.SAVE, save) as form:
        form.choice("role", words.ROLE, words.ROLES, str(row["role"]))


async def _reset(context: Context, name: str) -> None:
    if not await confirmed(words.SURE_RESET.format(name=name), words.RESET.rstrip(".")):
        return
    link = await doing(words.WORKING.format(name=name), lambda: context.acts.administrator.reset(name))
    if link is not None:
        _shown_once(words.LINK, words.LINK_ABOUT.format(name=name), link)


async def _remove(context: Context, name: str) -> None:
    if await confirmed(words.SURE_REMOVE.format(name=name), words.REMOVE):
        await _done(name, lambda: context.acts.administrator.remove(name))


# tokens


def _tokens(context: Context, rows: list[Row]) -> None:
    if not rows:
        empty(words.NO_TOKENS)

    def time(row: Row, key: str, otherwise: str) -> str:
        return context.local_time(row[key]) if row[key] else otherwise

    def revoke(row: Row) -> None:
        _button(words.REVOKE, words.REVOKE_OF.format(label=row["label"]), lambda: _revoke(context, row))

    columns = [
        Column[Row](words.LABEL, lambda row: row["label"], "gp-break"),
        Column[Row](words.ROLE, lambda row: row["role"]),
        Column[Row](words.SCOPE, lambda row: ", ".join(row["scope"] or [words.EVERYTHING])),
        Column[Row](words.EXPIRES, lambda row: time(row, "expires", words.NEVER), "gp-nowrap"),
        Column[Row](words.MADE_BY, lambda row: row["made_by"], "gp-break", wide=True),
        Column[Row](words.LAST_USED, lambda row: time(row, "last_used", words.NEVER), "gp-nowrap", wide=True),
        Column[Row](words.VERBS, revoke),
    ]
    Table(words.TOKENS, columns, rows)


def _new_token(context: Context) -> None:
    async def add(form: Form) -> bool:
        label, role = str(form["label"]), Role(form["role"])
        ends = datetime.now(UTC) + timedelta(days=int(form["days"]))
        scope = [str(form["scope"])] if form["scope"] else None
        made = await doing(
            words.WORKING.format(name=label),
            lambda: context.acts.token.add(label, role, scope=scope, expires=ends),
        )
        if made is not None:
            _shown_once(words.NEW_TOKEN.rstrip("."), words.TOKEN_ABOUT.format(label=label), made.secret)
        return made is not None

    with Form(words.NEW_TOKEN.rstrip("."), words.ADD, add) as form:
        form.line("label", words.LABEL, first=True)
        form.choice("role", words.ROLE, words.ROLES)
        form.choice("scope", words.SCOPE, {"": words.EVERYTHING} | {area.value: area.value for area in Area})
        form.choice("days", words.FOR_HOW_LONG, words.SPANS, "90")


async def _revoke(context: Context, row: Row) -> None:
    if await confirmed(words.SURE_REVOKE.format(label=row["label"]), words.REVOKE):
        await _done(str(row["label"]), lambda: context.acts.token.revoke(row["id"]))


# both


def _button(text: str, label: str, act: Callable[[], object]) -> None:
    button = ui.button(text, on_click=act).props("flat dense")
    button.props["aria-label"] = label


async def _done(name: str, act: Callable[[], Awaitable[object]]) -> bool:
    """Whether it was done; the page shows it then."""

    async def acted() -> bool:
        await act()
        return True

    done = await doing(words.WORKING.format(name=name), acted)
    if done:
        ui.navigate.reload()
    return bool(done)


def _shown_once(title: str, about: str, secret: Secret) -> None:
    """The only time that it is seen. It goes with the dialog, which outlives the form that asked for it."""
    with (
        ui.context.client.content,
        ui.dialog(value=True).props("persistent") as dialog,
        ui.card().classes("gp-form"),
    ):
        dialog.props["aria-label"] = title
        Text("h2", title)
        Text("p", about, "gp-break")
        Text("output", secret.reveal(), "gp-secret gp-mono gp-break")

        ui.button(words.I_HAVE_IT, on_click=ui.navigate.reload).props("unelevated autofocus")
