"""Who is told at once of what should be known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nicegui import ui

from gatepost.config.alarms import Alarm
from gatepost.console.acting import doing, say_refused
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.named import Named, show_named
from gatepost.console.page import page
from gatepost.console.section import open_button
from gatepost.console.table import heading
from gatepost.console.texts import sections as words
from gatepost.console.working import working


@page("/alarms", words.ALARMS, "alarms")
def alarms(context: Context) -> None:
    """The tables `[alarms.NAME]`; each can be told a test."""
    with working(context) as bench:
        heading(words.ALARMS, words.ABOUT_ALARMS)
        show_named(bench, _ALARMS)


def _verbs(bench: Bench, name: str, redraw: Callable[[], object]) -> None:
    context = bench.context
    if context.acts.may("alarm-test"):
        open_button(words.TELL, lambda: _tell(context, name), name).props(remove="aria-haspopup")


async def _tell(context: Context, name: str) -> None:
    if name not in context.house.settings().alarms:
        say_refused(words.APPLY_FIRST)
        return
    rows: list[dict[str, Any]] | None = await doing(
        words.TELLING.format(name=name), lambda: context.acts.alarm.test(name)
    )
    for row in rows or ():
        if row["told"]:
            ui.notify(words.TOLD.format(**row), type="positive", close_button=True, timeout=10_000)
        else:
            say_refused(words.NOT_TOLD.format(**row))


_ALARMS: Final = Named(
    "alarms",
    Alarm,
    words.NO_ALARMS,
    words.ALARM_NAME,
    words.ALARM_HINT,
    words.ADD_ALARM,
    verbs=_verbs,
)
