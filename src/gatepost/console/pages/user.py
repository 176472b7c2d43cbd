"""One user: addresses, groups and the way to each, what it may relay, and everything that can be done."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nicegui import ui

from gatepost.admin.accounts import is_guessable, relay_groups, user_row
from gatepost.admin.link import NotRunning, Refused
from gatepost.config.fault import ConfigError
from gatepost.console.context import Context
from gatepost.console.devices import devices
from gatepost.console.page import page
from gatepost.console.pages.groups import group_path
from gatepost.console.pages.users import user_marks
from gatepost.console.saying import count, size
from gatepost.console.sender_limits import limits_of_user
from gatepost.console.table import Column, Table, Text, empty, facts, heading, link, section
from gatepost.console.texts import people as words
from gatepost.console.user_acts import UserVerbs
from gatepost.console.working import working
from gatepost.store.account_error import AccountError
from gatepost.store.memberships import paths_of_user
from gatepost.store.user import User

Row = dict[str, Any]


@page("/users/{name:path}", words.USER, "users")
async def user(context: Context) -> None:
    """A user by its whole address, or its bare name in the only domain."""
    house, name = context.house, context.parameters["name"]
    try:
        found = await house.work(lambda: house.accounts.users.get(name, house.domains()))
    except AccountError:
        heading(words.NO_SUCH_USER.format(name=name))
        link(words.SEE_USERS, "/users")
        return
    row = await house.work(lambda: user_row(house.settings(), house.accounts, found, whole=True))
    ways = await house.work(lambda: paths_of_user(house.accounts.database, found.id))
    contained = await _contained(context, found.name)
    heading(found.name, found.full_name)
    with ui.element("span").classes("gp-marks"):
        for text, kind in user_marks(found, guessable=is_guessable(house.settings(), found.name)):
            Text("span", text, f"gp-state {kind}")
    if contained is not None:
        _say_contained(context, contained)
    verbs = UserVerbs(context, found, contained=contained is not None)
    _facts(context, found, row)
    section(words.GROUPS_OF)
    _groups(context, ways, verbs)
    await devices(context, found.name)
    with suppress(ConfigError), working(context) as bench:
        limits_of_user(bench, [found.name, found.local], frozenset(ways))


async def _contained(context: Context, name: str) -> Row | None:
    try:
        rows: list[Row] = await context.house.ask("contained")
    except (NotRunning, Refused):
        return None
    return next((row for row in rows if row["user"] == name), None)


def _say_contained(context: Context, row: Row) -> None:
    held = count(len(row["held"]), *words.MESSAGES)
    text = words.CONTAINED_NOTE.format(
        at=context.local_time(row["at"]), why=row["why"], by=row["by"], held=held
    )
    Text("p", text, "gp-note bad").props("role=status")


def _facts(context: Context, found: User, row: Row) -> None:
    box = row["mailbox"]
    quota = words.QUOTA_DEFAULT if found.quota_bytes is None else size(found.quota_bytes)
    facts(
        [
            (words.ALSO, ", ".join(found.addresses)),
            (
                words.MAILBOX,
                words.MAILBOX_IS.format(
                    messages=count(box["messages"], *words.MESSAGES), size=size(box["size_bytes"])
                ),
            ),
            (words.QUOTA, quota),
            (words.CREATED, context.local_time(found.created)),
        ]
    )


def _groups(context: Context, ways: dict[str, tuple[str, ...]], verbs: UserVerbs) -> None:
    relaying = relay_groups(context.house.settings())
    rows = sorted(ways.items())
    verbs.join_button()
    if not rows:
        empty(words.IN_NO_GROUP, words.IN_NO_GROUP_REMEDY)
        return

    def name(row: tuple[str, tuple[str, ...]]) -> None:
        link(row[1][-1], group_path(row[1][-1]))

    def leave(row: tuple[str, tuple[str, ...]]) -> None:
        if len(row[1]) == 1:
            verbs.leave_button(row[1][0])

    Table(
        words.GROUPS_OF,
        [
            Column(words.GROUP, name),
            Column(words.THROUGH, lambda row: " in ".join(row[1][:-1]) or words.DIRECTLY),
            Column(words.RELAYS, lambda row: words.YES if row[0] in relaying else ""),
            Column(words.LEAVE, leave),
        ],
        rows,
    )
