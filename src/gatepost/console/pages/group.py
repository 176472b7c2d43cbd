"""One group: its members by pages, direct ones or through groups too."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nicegui import ui

from gatepost.admin.accounts import relay_groups
from gatepost.config.fault import ConfigError
from gatepost.console.acting import doing
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.page import page
from gatepost.console.pages.groups import PAGE, PATH, done, group_path
from gatepost.console.pages.users import user_path
from gatepost.console.search import address, turning
from gatepost.console.sender_limits import limits_of_group
from gatepost.console.table import Column, Table, Text, empty, heading, link, section
from gatepost.console.texts import people as words
from gatepost.console.working import working
from gatepost.store.groups import Group

Row = dict[str, Any]


@page("/groups/{name:path}", words.GROUP, "groups")
async def group(context: Context) -> None:
    """A group by its name."""
    house, name, query = context.house, context.parameters["name"], context.query
    found = await house.work(lambda: house.accounts.groups.find(name))
    if found is None:
        heading(words.NO_SUCH_GROUP.format(name=name))
        link(words.GROUPS, PATH)
        return
    nested, after = query.get("nested") == "yes", query.get("after", "")
    members = await house.work(
        lambda: house.accounts.groups.members(name, nested=nested, after=after, limit=PAGE + 1)
    )
    heading(found.name)
    if found.name.lower() in relay_groups(house.settings()):
        Text("span", words.RELAYS, "gp-state warn")
    _verbs(context, found)
    if found.groups:
        section(words.GROUPS_IN_IT)
        Table(words.GROUPS_IN_IT, _columns(context, found, is_group=True), found.groups)
    section(words.MEMBERS)
    link(
        words.ONLY_DIRECT if nested else words.ALL_MEMBERS,
        address(group_path(found.name), {"nested": None if nested else "yes"}),
    )
    Table(words.MEMBERS, _columns(context, found, nested=nested), members[:PAGE])
    if not members:
        empty(words.NO_MEMBERS, words.NO_MEMBERS_REMEDY)
    turning(group_path(found.name), query, members[PAGE - 1] if len(members) > PAGE else None)
    with suppress(ConfigError), working(context) as bench:
        limits_of_group(bench, found.name)


def _columns(
    context: Context, found: Group, *, is_group: bool = False, nested: bool = False
) -> list[Column[str]]:
    def name(member: str) -> None:
        link(member, group_path(member) if is_group else user_path(member))

    def remove(member: str) -> None:
        whole = f"{'group' if is_group else 'user'}:{member}"
        button = ui.button(words.REMOVE, on_click=lambda: _leave(context, found.name, whole, member))
        button.props("flat dense")
        button.props["aria-label"] = words.REMOVE_MEMBER.format(member=member)

    columns = [Column[str](words.NAME, name)]
    if context.acts.may("group-leave") and not nested:
        columns.append(Column(words.REMOVE, remove, "gp-number"))
    return columns


def _verbs(context: Context, found: Group) -> None:
    with ui.element("div").classes("gp-verbs"):
        if context.acts.may("group-join"):
            ui.button(
                words.ADD_MEMBER, icon="o_group_add", on_click=lambda: _join(context, found.name)
            ).props("outline dense padding='4px 10px'")
        if context.acts.may("group-delete"):
            ui.button(words.DELETE, icon="o_delete", on_click=lambda: _delete(context, found.name)).props(
                "outline dense padding='4px 10px'"
            )


def _join(context: Context, name: str) -> None:
    async def add(form: Form) -> bool:
        member, even_so = str(form["member"]), bool(form["even_so"])
        what = words.JOINING.format(member=member, group=name)
        join = context.acts.group.join
        return await done(what, lambda: join(name, member, even_so=even_so), offer=form.offer)

    with Form(words.ADD_MEMBER.rstrip("."), words.ADD, add) as form:
        form.line("member", words.MEMBER, first=True)
        form.even_so()


async def _leave(context: Context, name: str, whole: str, member: str) -> None:
    what = words.LEAVING.format(member=member, group=name)
    await done(what, lambda: context.acts.group.leave(name, whole))


async def _delete(context: Context, name: str) -> None:
    async def act() -> bool:
        await context.acts.group.delete(name)
        return True

    if not await confirmed(words.SURE_DELETE_GROUP.format(name=name), words.DELETE.rstrip(".")):
        return
    if await doing(words.DELETING.format(name=name), act):
        ui.navigate.to(PATH)
