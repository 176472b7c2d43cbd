"""The first page: what needs somebody now, the numbers of the day, and curves."""

from __future__ import annotations

import time
from typing import Any, Final

from nicegui import ui

from gatepost.admin.certificate import certificate_rows
from gatepost.admin.link import NotRunning, Refused
from gatepost.admin.overview import Step, steps, total
from gatepost.admin.status import status_row
from gatepost.console.context import Context
from gatepost.console.curves import curves
from gatepost.console.page import page
from gatepost.console.saying import count, span
from gatepost.console.search import Condition, search
from gatepost.console.table import Column, Table, Text, empty, heading, link, section
from gatepost.console.texts import overview as words
from gatepost.store.history import History

Row = dict[str, Any]
_PATH: Final = "/"
_STEPS: Final = 96
_SECONDS: Final = {"": 86_400, "7d": 604_800, "30d": 2_592_000}
_SOON_DAYS: Final = 30
_BAD_DAYS: Final = 7
_EVENTS: Final = 12


@page(_PATH, words.OVERVIEW, "overview")
async def overview(context: Context) -> None:
    """How everything is going."""
    settings = context.house.settings()
    period = context.query.get("since", "")
    until = time.time()
    since = until - _SECONDS.get(period, _SECONDS[""])
    samples = await context.house.work(lambda: History(context.house.place.history).between(since, until))
    found = steps(samples, since, until, count=_STEPS)
    heading(settings.hostname)
    status = await _status(context)
    await _notes(context, status)
    search(_PATH, [Condition("since", words.SINCE, words.PERIODS, otherwise=words.DAY)], context.query)
    _figures(found, status, oldest=samples[-1].levels.get("oldest", 0.0) if samples else 0.0)
    if samples:
        curves(context, found, words.PERIODS.get(period, words.DAY))
    else:
        empty(words.NO_HISTORY)
    with ui.element("div").classes("gp-columns"):
        with ui.element("div"):
            _certificates(context, await context.house.work(lambda: certificate_rows(settings)))
        with ui.element("div"):
            await _alarms(context)


async def _status(context: Context) -> Row | None:
    settings = context.house.settings()
    try:
        said = await context.house.ask("status")
    except (NotRunning, Refused):
        return None
    return await context.house.work(lambda: status_row(settings, said))


async def _notes(context: Context, status: Row | None) -> None:
    """What needs somebody, worst first."""
    if status is None:
        Text("p", words.NOT_RUNNING, "gp-note bad").props("role=status")
        return
    workers = count(status["workers"], *words.WORKERS)
    started = context.local_time(status["started_at"])
    text = words.RUNNING.format(at=started, generation=status["generation"], workers=workers)
    with ui.element("p").classes("gp-quiet"):
        Text("span", f"{text} ")
        link(words.WHO_COULD, "/weaknesses")
    if status["selftest"].get("state") == "failed":
        failed = "; ".join(status["selftest"]["failed"])
        Text("p", words.SELFTEST_FAILED.format(text=failed), "gp-note bad").props("role=alert")
    for server, problem in status["trouble"].items():
        text = words.DISK_TROUBLE if server == "disk" else words.TROUBLE
        Text("p", text.format(server=server, problem=problem), "gp-note bad").props("role=alert")
    try:
        contained: list[Row] = await context.house.ask("contained")
    except (NotRunning, Refused):
        contained = []
    if contained:
        with ui.element("p").classes("gp-note warn"):
            accounts = count(len(contained), *words.ACCOUNTS)
            Text("span", f"{words.CONTAINED.format(accounts=accounts)} ")
            link(words.SEE, "/contained")


def _figures(found: list[Step], status: Row | None, *, oldest: float) -> None:
    out = total(found, "out")
    logins = total(found, "login")
    queue = status["queue"]["total"] if status else None
    figures = [
        (words.IN, total(found, "in")[""], ""),
        (words.OUT, out["relayed"] + out["delivered"], ""),
        (words.REFUSED, sum(total(found, "refused").values()), ""),
        (words.FAILED_LOGINS, sum(logins.values()) - logins["welcome"], ""),
        (words.QUEUE, queue, words.OLDEST.format(age=span(oldest)) if queue and oldest else ""),
        (words.SESSIONS, status["sessions"] if status else None, ""),
    ]
    with ui.element("div").classes("gp-cardrow"):
        for name, number, more in figures:
            if number is not None:
                with ui.element("div").classes("gp-figure"):
                    Text("span", name, "gp-quiet")
                    Text("strong", f"{number:,}")
                    if more:
                        Text("span", more, "gp-quiet")


def _certificates(context: Context, rows: list[Row]) -> None:
    section(words.CERTIFICATES)
    if not rows:
        empty(words.NO_CERTIFICATES, words.NO_CERTIFICATES_REMEDY)

    def left(row: Row) -> None:
        if "problem" in row:
            Text("span", words.UNREADABLE, "gp-state bad")
            return
        days = row["days_left"]
        kind = "bad" if days < _BAD_DAYS else "warn" if days < _SOON_DAYS else "good"
        Text("span", count(days, *words.DAYS) if days >= 0 else words.ENDED, f"gp-state {kind}")

    def name(row: Row) -> None:
        link(row["name"], "/certificates")

    def ends(row: Row) -> str:
        return context.local_time(row["not_after"])[:10] if "not_after" in row else ""

    columns = [Column(words.NAME, name), Column(words.ENDS, ends), Column(words.LEFT, left)]
    Table(words.CERTIFICATES, columns, rows)


async def _alarms(context: Context) -> None:
    section(words.ALARMS)
    try:
        rows: list[Row] = await context.house.ask("events")
    except (NotRunning, Refused):
        rows = []
    if not rows:
        empty(words.NO_ALARMS, words.NO_ALARMS_REMEDY)
    Table(
        words.ALARMS,
        [
            Column(words.WHEN, lambda row: context.local_time(row["at"])[:16], "gp-nowrap"),
            Column(words.WHAT, lambda row: f"{words.EVENTS.get(row['event'], row['event'])}: {row['text']}"),
        ],
        rows[:_EVENTS],
    )
