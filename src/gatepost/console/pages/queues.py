"""Mail that waits: all of it by pages, narrowed by conditions, with every verb."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from nicegui import ui

from gatepost.admin.link import NotRunning, Refused
from gatepost.admin.queue import BadFilter, Filter
from gatepost.admin.queue_page import QueuePage, queue_page
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.queue_rows import Verbs, columns
from gatepost.console.saying import count, size
from gatepost.console.search import Condition, search, turning
from gatepost.console.table import Table, Text, empty, heading
from gatepost.console.texts import mail as words
from gatepost.console.texts import table as table_words

Row = dict[str, Any]
_PATH: Final = "/queues"
_PAGE: Final = 50
_FIRST_LOOK_SECONDS: Final = 0.3
_CONDITIONS: Final = (
    Condition("sender", words.SENDER),
    Condition("rcpt", words.RECIPIENT),
    Condition("domain", words.DOMAIN),
    Condition("user", words.USER),
    Condition("peer", words.PEER),
    Condition("state", words.STATE, words.STATES),
    Condition("order", words.ORDER, {"oldest": words.OLDEST_FIRST}, otherwise=words.NEWEST_FIRST),
)


@page(_PATH, words.QUEUES, "queues")
async def queues(context: Context) -> None:
    """The queue."""
    heading(words.QUEUES, words.ABOUT_QUEUES)
    try:
        counts = (await context.house.ask("status"))["workers"]
        totals = (
            {key: sum(one["queue"][key] for one in counts) for key in counts[0]["queue"]} if counts else {}
        )
        search(_PATH, _CONDITIONS, context.query)
        await _listed(context, _wanted(context.query), totals)
    except NotRunning:
        empty(words.NOT_RUNNING, words.START_IT)
    except (BadFilter, Refused) as problem:
        Text("p", problem, "gp-note bad").props("role=alert")


def _wanted(query: Mapping[str, str]) -> Filter:
    """Raises BadFilter."""
    names = ("user", "peer", "sender", "rcpt", "domain", "state")
    return Filter(**{name: query[name] for name in names if query.get(name)})


async def _listed(context: Context, wanted: Filter, totals: Mapping[str, int]) -> None:
    total = totals.get("total", 0)
    if total:
        numbers = {key: f"{totals[key]:,}" for key in ("active", "deferred", "held")}
        text = words.TOTALS.format(
            total=count(total, *words.MESSAGES), size=size(totals["size_bytes"]), **numbers
        )
        Text("p", text)
    search_for = _Search(context, wanted, total)
    began = time.monotonic()
    await search_for.look()
    while not search_for.is_over and time.monotonic() - began < _FIRST_LOOK_SECONDS:
        await search_for.look()
    search_for.show()


class _Search:
    """Looks on, a part of the queue at a time, until the page is full or nothing is left."""

    def __init__(self, context: Context, wanted: Filter, total: int) -> None:
        self._context = context
        self._wanted = wanted
        self._total = total
        self._rows: list[Row] = []
        self._looked = 0
        self._next = context.query.get("after")
        self.is_over = False

    async def look(self) -> None:
        """What was found since is among the rows. Raises NotRunning, Refused."""
        found: QueuePage = await queue_page(
            self._context.house.ask,
            self._wanted,
            after=self._next,
            limit=_PAGE - len(self._rows),
            newest_first=self._context.query.get("order") != "oldest",
        )
        self._rows += found.rows
        self._looked += found.looked_at
        self._next = found.next
        self.is_over = found.next is None or len(self._rows) >= _PAGE

    def show(self) -> None:
        """The rows found so far, and what is still being found."""
        may_act = any(self._context.acts.may(f"queue-{verb}") for verb in words.DOING)
        self._above = ui.element("div")
        self._table = Table(
            words.QUEUE_CAPTION, columns(self._context), self._rows, key=lambda row: str(row["id"]),
            choose=may_act, on_choose=lambda: self._verbs.look(),
        )  # fmt: skip
        self._below = ui.element("div")
        with self._above:
            self._verbs = Verbs(
                self._context, lambda: self._table.chosen, self._wanted if self._total else None
            )
        self._above.set_visibility(self._table.count > 0)
        if self.is_over:
            self._end()
            return
        with self._below:
            self._progress = Text("p", "", "gp-quiet").props("role=status")
        self._say()
        ui.timer(0.01, self._go_on, once=True)

    def _say(self) -> None:
        self._progress.set_text(words.LOOKED.format(looked=f"{self._looked:,}", total=f"{self._total:,}"))

    async def _go_on(self) -> None:
        while not self.is_over:
            before = len(self._rows)
            try:
                await self.look()
            except (NotRunning, Refused) as problem:
                self._progress.set_text(str(problem))
                return
            self._table.add(self._rows[before:])
            self._above.set_visibility(self._table.count > 0)
            self._say()
        self._below.clear()
        self._end()

    def _end(self) -> None:
        with self._below:
            if not self._rows and self._wanted == Filter():
                empty(words.QUEUE_EMPTY, words.QUEUE_EMPTY_REMEDY)
            elif not self._rows:
                empty(table_words.NOTHING_MATCHES, table_words.LESS_NARROW)
            turning(_PATH, self._context.query, self._next)
