"""Devices: when each was last seen, how often it usually sends, which are missed; and what can be done."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from gatepost.console.acting import doing
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.device_change import change_button, revoke_button
from gatepost.console.page import page
from gatepost.console.pages.users import user_path
from gatepost.console.saying import count, span
from gatepost.console.search import Condition, search, turning
from gatepost.console.table import Column, Table, Text, empty, heading, link
from gatepost.console.texts import devices as words
from gatepost.console.texts import table as table_words

Row = dict[str, Any]
_PATH: Final = "/devices"
_PAGE: Final = 50
_COLOURS: Final = {"well": "good", "silent": "bad", "expired": "warn"}


@page(_PATH, words.DEVICES, "devices")
async def devices(context: Context) -> None:
    """Those like what was asked for, those that are missed first."""
    heading(words.DEVICES, words.ABOUT)
    query = context.query
    rows = await context.acts.device.all()
    secrets = {(one["account"], one["label"]): one for one in await context.acts.device.app_passwords()}
    states, kinds = dict(words.STATES), dict(words.KINDS)
    conditions = [
        Condition("containing", words.CONTAINING),
        Condition("state", words.STATE, states),
        Condition("kind", words.KIND, kinds),
    ]
    search(_PATH, conditions, query)
    found = [row for row in rows if _is_wanted(row, query)]
    at = _from(found, query.get("after", ""))
    Text("p", count(len(found), *words.COUNT), "gp-quiet")
    Table(words.DEVICES, _columns(context, secrets), found[at : at + _PAGE])
    if not rows:
        empty(words.NONE, words.NONE_REMEDY)
    elif not found:
        empty(table_words.NOTHING_MATCHES, table_words.LESS_NARROW)
    turning(_PATH, query, found[at + _PAGE - 1]["name"] if len(found) > at + _PAGE else None)


def _is_wanted(row: Row, query: Any) -> bool:
    containing = query.get("containing", "").casefold()
    return containing in row["name"].casefold() and all(
        not query.get(key) or row[key] == query[key] for key in ("state", "kind")
    )


def _from(rows: list[Row], after: str) -> int:
    """Where the page begins."""
    names = [row["name"] for row in rows]
    return names.index(after) + 1 if after in names else 0


def _columns(context: Context, secrets: dict[tuple[str, str], Row]) -> list[Column[Row]]:
    def name(row: Row) -> None:
        if row["kind"] == "address":
            Text("span", row["name"])
        else:
            link(row["name"], user_path(row["of"]))

    def state(row: Row) -> None:
        Text("span", words.STATES[row["state"]], f"gp-state {_COLOURS.get(row['state'], '')}")
        if row["silent_since"]:
            Text("div", words.SILENT_SINCE.format(at=context.local_time(row["silent_since"])), "gp-quiet")

    def acts(row: Row) -> None:
        secret = secrets.get((row["of"], row["label"] or ""))
        with ui.element("span"):
            if secret is not None:
                change_button(context, secret)
                revoke_button(context, secret["account"], secret["label"])
            if row["last_used"] and context.acts.may("device-forget"):
                _forget_button(context, row["name"])

    def seen(row: Row) -> str:
        return context.local_time(row["last_used"]) if row["last_used"] else words.NEVER

    def usually(row: Row) -> str:
        usual = row["usual_seconds"]
        return words.EVERY.format(span=span(usual)) if usual else ""

    return [
        Column(words.DEVICES, name),
        Column(words.STATE, state),
        Column(words.KIND, lambda row: words.KINDS[row["kind"]], wide=True),
        Column(words.LAST_SEEN, seen, "gp-nowrap"),
        Column(words.FROM, lambda row: row["source"] or ""),
        Column(words.USUALLY, usually),
        Column(words.ACTS, acts),
    ]


def _forget_button(context: Context, name: str) -> None:
    async def forget() -> None:
        if not await confirmed(words.SURE_FORGET.format(name=name), words.FORGET):
            return
        what = words.FORGETTING.format(name=name)
        if await doing(what, lambda: context.acts.device.forget(name)) is not None:
            ui.navigate.reload()

    button = ui.button(words.FORGET, on_click=forget).props("flat dense")
    button.props["aria-label"] = words.FORGET_THIS.format(name=name)
