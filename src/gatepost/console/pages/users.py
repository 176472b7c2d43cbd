"""The local users by pages, and the form for a new one."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from nicegui import ui

from gatepost.admin.accounts import is_guessable
from gatepost.admin.acts_accounts import NewUser
from gatepost.console.acting import doing
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.passwords import password_of
from gatepost.console.saying import count
from gatepost.console.search import Condition, search, turning
from gatepost.console.table import Column, Table, Text, empty, heading, link
from gatepost.console.texts import people as words
from gatepost.console.texts import table as table_words
from gatepost.store.user import User

_PATH: Final = "/users"
_PAGE: Final = 50


@page(_PATH, words.USERS, "users")
async def users(context: Context) -> None:
    """All users whose name contains what was asked for."""
    heading(words.USERS, words.ABOUT_USERS)
    there, query = context.house.accounts.users, context.query
    containing, after = query.get("containing", ""), query.get("after", "")
    found = await context.house.work(lambda: there.page(after=after, limit=_PAGE + 1, containing=containing))
    total = await context.house.work(there.count)
    search(_PATH, [Condition("containing", words.CONTAINING)], query)
    with ui.element("div").classes("gp-verbs"):
        if context.acts.may("user-add"):
            ui.button(words.NEW_USER, icon="o_person_add", on_click=lambda: _new(context)).props("outline")
        Text("span", count(total, *words.COUNT), "gp-quiet")
    Table(words.USERS, _columns(context), found[:_PAGE])
    if not found and not total:
        empty(words.NO_USERS, words.NO_USERS_REMEDY)
    elif not found:
        empty(table_words.NOTHING_MATCHES, table_words.LESS_NARROW)
    turning(_PATH, query, found[_PAGE - 1].name if len(found) > _PAGE else None)


def user_path(name: str) -> str:
    """The page of a user."""
    return f"{_PATH}/{quote(name, safe='@')}"


def _columns(context: Context) -> list[Column[User]]:
    settings = context.house.settings()

    def name(user: User) -> None:
        link(user.name, user_path(user.name))

    def state(user: User) -> None:
        marks = user_marks(user, guessable=is_guessable(settings, user.name))
        with ui.element("span").classes("gp-marks"):
            for text, kind in marks:
                Text("span", text, f"gp-state {kind}")

    return [
        Column(words.NAME, name),
        Column(words.FULL_NAME, lambda user: user.full_name),
        Column(words.ALSO, lambda user: ", ".join(user.addresses), wide=True),
        Column(words.STATE, state),
    ]


def user_marks(user: User, *, guessable: bool) -> list[tuple[str, str]]:
    """What is to be seen of an account at once, with its colour."""
    marks = [(words.DISABLED, "bad")] if user.disabled else [(words.ENABLED, "good")]
    if user.administrator:
        marks.append((words.ADMINISTRATOR, "warn"))
    if guessable:
        marks.append((words.GUESSABLE, "warn"))
    return marks


def _new(context: Context) -> None:
    async def add(form: Form) -> bool:
        password = password_of(form)
        if password is None:
            return False
        new = NewUser(
            form["name"], password, form["full_name"], form.lines("addresses"),
            administrator=form["administrator"], even_so=form["even_so"],
        )  # fmt: skip
        what = words.ADDING.format(name=new.name)
        user = await doing(what, lambda: context.acts.user.add(new), offer=form.offer)
        if user is None:
            return False
        ui.navigate.to(user_path(user.name))
        return True

    with Form(words.NEW_USER.rstrip("."), words.ADD, add) as form:
        form.line("name", words.ADDRESS, first=True)
        form.line("full_name", words.FULL_NAME)
        form.secret("password", words.NEW_PASSWORD)
        form.secret("again", words.AGAIN)
        form.text("addresses", words.ADDRESSES)
        form.tick("administrator", words.IS_ADMINISTRATOR)
        form.even_so()
