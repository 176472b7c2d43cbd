"""Attacks: a timeline, names tried, sources by network, what was done, and what owners noticed of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from nicegui import ui

from gatepost.admin.attacks import (
    bans,
    exported_addresses,
    exported_names,
    exported_nftables,
    offence_rows,
    tally_row,
)
from gatepost.admin.link import NotRunning, Refused
from gatepost.admin.owners import owners
from gatepost.console.charts import Curve, over_time
from gatepost.console.context import Context
from gatepost.console.counted import later, listed
from gatepost.console.page import page
from gatepost.console.pages.bans import ban_button, pardon_name_button
from gatepost.console.pages.users import user_path
from gatepost.console.saying import count
from gatepost.console.search import Condition, search
from gatepost.console.table import Column, Table, Text, empty, heading, link, section
from gatepost.console.texts import guard as words
from gatepost.store.attacked import treatments
from gatepost.store.attempts import Attempts, Tally

Row = dict[str, Any]
_PATH: Final = "/attacks"
_STEPS: Final = 48
_SHOWN: Final = 20
_SECONDS: Final = {"1h": 3_600, "": 86_400, "7d": 604_800, "30d": 2_592_000}


@page(_PATH, words.ATTACKS, "attacks")
async def attacks(context: Context) -> None:
    """What the records of attempts say."""
    heading(words.ATTACKS, words.ABOUT_ATTACKS)
    period = context.query.get("since", "")
    seconds = _SECONDS.get(period, _SECONDS[""])
    search(_PATH, [Condition("since", words.SINCE, words.PERIODS, otherwise=words.DAY)], context.query)
    await _now(context)
    path, until = context.house.place.attempts, time.time()
    since = until - seconds
    records = Attempts(path)
    spans = await context.house.work(lambda: records.timeline(since, until, _STEPS)) if path.exists() else []
    failed, good = sum(span.failed for span in spans), sum(span.succeeded for span in spans)
    if not failed:
        what = words.PERIODS.get(period, words.DAY)
        empty(words.NO_ATTACKS.format(period=what), words.NO_ATTACKS_REMEDY)
        if path.exists():
            _count([_offences(context, records, since)])
        return
    section(words.TIMELINE)
    over_time(
        words.TIMELINE_SAYS.format(failed=f"{failed:,}", good=f"{good:,}"),
        [context.local_time(span.begins)[5:16] for span in spans],
        [
            Curve(words.FAILED, [span.failed for span in spans]),
            Curve(words.SUCCEEDED, [span.succeeded for span in spans]),
        ],
        bars=True,
    )
    _exports(context, since)
    _parts(context, records, since)


async def _now(context: Context) -> None:
    """What the guard does at this moment."""
    try:
        said: Row = await context.house.ask("guard-status")
    except (NotRunning, Refused):
        return
    names: list[str] = said["names_under_attack"]
    text = words.NOW_SAYS.format(
        refused=count(said["refused"], *words.ADDRESSES_ARE),
        banned=count(said["banned"], *words.SOURCES_ARE),
        names=count(len(names), *words.NAMES_ARE),
    )
    Text("p", text)
    if said["spray"]:
        Text("p", words.SPRAY, "gp-note warn")
    if names:
        section(words.UNDER_ATTACK)
        Text("p", words.ABOUT_UNDER_ATTACK, "gp-quiet")
        columns = [Column[str](words.NAME, lambda name: name)]
        if context.acts.may("pardon"):
            columns.append(Column(words.PARDON, lambda name: pardon_name_button(context, name)))
        Table(words.UNDER_ATTACK, columns, names[:_SHOWN])


def _exports(context: Context, since: float) -> None:
    with ui.element("div").classes("gp-verbs"):
        Text("span", words.EXPORT, "gp-quiet")
        for what, label in words.EXPORTS.items():
            button = ui.button(label, icon="o_download", on_click=_exporting(context, what, since))
            button.props("flat dense padding='4px 10px'")


def _exporting(context: Context, what: str, since: float) -> Callable[[], Any]:
    """Hands the list to the browser as a file."""
    place = context.house.place

    def lines() -> Iterator[str]:
        if what == "names":
            return exported_names(place, since)
        if what == "addresses":
            return exported_addresses(place, since)
        return exported_nftables(row["source"] for row in bans(place))

    async def export() -> None:
        context.actor.require("attacks")
        text = await context.house.work(lambda: "".join(f"{line}\n" for line in lines()))
        ui.download.content(text, f"gatepost-{what}.txt")

    return export


def _parts(context: Context, records: Attempts, since: float) -> None:
    """Each part is counted after the page is there, the one that matters most first."""
    house = context.house
    section(words.OWNERS)
    Text("p", words.ABOUT_OWNERS, "gp-quiet")
    parts: list[Callable[[], Any]] = [
        later(
            context,
            lambda: owners(house.settings(), house.accounts, since),
            lambda rows: _owners(context, rows),
        )
    ]
    with ui.element("div").classes("gp-columns"):
        for title, ask, name in (
            (words.NAMES, records.by_name, words.NAME),
            (words.NETWORKS, records.by_network, words.NETWORK),
        ):
            with ui.element("div"):
                section(title)
                parts.append(_tallies(context, ask, since, name))
        with ui.element("div"):
            section(words.SOURCES)
            parts.append(_tallies(context, records.by_peer, since, words.SOURCE))
        with ui.element("div"):
            section(words.TREATMENTS)
            parts.append(later(context, lambda: treatments(records, since), _treatments))

    parts.append(_offences(context, records, since))
    _count(parts)


def _count(parts: Iterable[Callable[[], Any]]) -> None:
    async def count_all() -> None:
        for part in parts:
            await part()

    ui.timer(0.01, count_all, once=True)


def _tallies(
    context: Context, ask: Callable[[float, int, int], list[Tally]], since: float, name: str
) -> Callable[[], Any]:
    def rows(limit: int, skip: int) -> list[Row]:
        return [tally_row(one, "what") for one in ask(since, limit, skip)]

    return listed(context, rows, name, lambda found: _table(context, name, found))


def _offences(context: Context, records: Attempts, since: float) -> Callable[[], Any]:
    """What is no login and wrong all the same."""
    section(words.OFFENCES)
    Text("p", words.ABOUT_OFFENCES, "gp-quiet")
    columns = [
        Column[Row](words.SOURCE, lambda row: row["source"], "gp-nowrap"),
        Column[Row](words.OFFENCE, lambda row: words.OFFENCE_WORDS.get(row["offence"], row["offence"])),
        Column[Row](words.COUNT, lambda row: f"{row['count']:,}", "gp-number"),
        Column[Row](words.LAST, lambda row: context.local_time(row["last"])[5:16], "gp-nowrap"),
    ]
    if context.acts.may("ban"):
        columns.append(Column(words.BAN, lambda row: ban_button(context, row["source"]), "gp-nowrap"))

    def rows(limit: int, skip: int) -> list[Row]:
        return offence_rows(records.offences(since, limit, skip))

    return listed(
        context, rows, words.OFFENCES, lambda found: Table(words.OFFENCES, columns, found),
        nothing=words.NO_OFFENCES,
    )  # fmt: skip


def _table(context: Context, name: str, found: list[Row]) -> Table[Row]:
    is_name = name == words.NAME
    columns = [
        Column[Row](name, lambda row: row["what"], "" if is_name else "gp-nowrap"),
        Column[Row](words.TRIES, lambda row: f"{row['attempts']:,}", "gp-number"),
        Column[Row](words.REFUSED, lambda row: f"{row['refused']:,}", "gp-number"),
        Column[Row](
            words.SOURCES if is_name else words.NAMES_SHORT,
            lambda row: f"{row['addresses' if is_name else 'names']:,}",
            "gp-number",
        ),
        Column[Row](words.LAST, lambda row: context.local_time(row["last"])[5:16], "gp-nowrap"),
    ]
    if not is_name and context.acts.may("ban"):
        columns.append(Column(words.BAN, lambda row: ban_button(context, row["what"]), "gp-nowrap"))
    return Table(name, columns, found)


def _owners(context: Context, rows: list[Row]) -> None:
    if not rows:
        empty(words.NO_OWNERS)

    def account(row: Row) -> None:
        link(row["account"], user_path(row["account"]))

    def noticed(row: Row) -> None:
        text = words.HINDERED.format(count=f"{row['hindered']:,}") if row["noticed"] else words.NOTHING
        Text("span", text, f"gp-state {'bad' if row['noticed'] else 'good'}")

    def guesses(row: Row) -> str:
        places = count(row["guessers"], *words.PLACES)
        return words.FROM_PLACES.format(guesses=f"{row['guesses']:,}", places=places)

    def last(row: Row) -> str:
        return context.local_time(row["last_login"]) if row["last_login"] else words.NEVER

    Table(
        words.OWNERS,
        [
            Column(words.ACCOUNT, account),
            Column(words.GUESSES, guesses),
            Column(words.OWN_LOGINS, lambda row: f"{row['logins']:,}", "gp-number"),
            Column(words.LAST_LOGIN, last, "gp-nowrap"),
            Column(words.NOTICED, noticed),
        ],
        rows,
    )


def _treatments(found: dict[str, int]) -> None:
    Table(
        words.TREATMENTS,
        [
            Column(words.TREATMENT, lambda row: words.TREATMENT_WORDS.get(row[0], row[0])),
            Column(words.COUNT, lambda row: f"{row[1]:,}", "gp-number"),
        ],
        sorted(found.items(), key=lambda row: -row[1]),
    )
