"""What is weak here, worst first, and who could relay; looked at anew each time the page opens."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from gatepost.admin.audit import survey_now
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.table import Column, Table, Text, empty, facts, heading, section
from gatepost.console.texts import looking as words

Row = dict[str, Any]
_SHOWN: Final = 100


@page("/weaknesses", words.WEAKNESSES, "weaknesses")
def weaknesses(context: Context) -> None:
    """The page is there at once; what is found comes when everything was looked at."""
    heading(words.WEAKNESSES, words.ABOUT_WEAKNESSES)
    with ui.element("div") as place:
        Text("p", words.LOOKING, "gp-quiet").props("role=status")
        ui.linear_progress(show_value=False).props(f'indeterminate aria-label="{words.LOOKING}"')

    async def look() -> None:
        found, problem = None, ""
        try:
            house = context.house
            found = await house.work(lambda: survey_now(house.settings(), house.accounts))
        except Exception as fault:  # the top of a task: directories, disks and files fail in many ways
            problem = str(fault) or type(fault).__name__
        place.clear()
        with place:
            if found is None:
                Text("p", words.FAILED.format(problem=problem), "gp-note bad").props("role=alert")
            else:
                _show(found.row())

    ui.timer(0.01, look, once=True)


def _show(row: Row) -> None:
    if not row["weaknesses"]:
        empty(words.NOTHING_WEAK, words.NOTHING_WEAK_REMEDY)
    for one in row["weaknesses"]:
        _weakness(one)
    for server, relayers in row["relayers"].items():
        section(words.RELAYERS.format(server=server))
        _relayers(relayers)


def _weakness(one: Row) -> None:
    kind = words.GRADES.get(one["severity"], "")
    with ui.element("div").classes(f"gp-note {kind}"):
        Text("span", one["severity"], f"gp-state {kind}")
        Text("strong", f" {one['text']}", "gp-break")
        facts(
            [
                (words.WHY, one["why"]),
                (words.REMEDY, one["remedy"]),
                (words.PLACES, ", ".join(one["where"])),
            ]
        )


def _relayers(rows: list[Row]) -> None:
    if not rows:
        Text("p", words.NOBODY_RELAYS, "gp-quiet")
    Table(
        words.RELAYERS,
        [
            Column(words.WHOEVER, lambda row: row["name"]),
            Column(
                words.MAY,
                lambda row: words.YES if row["may_relay"] else words.NO_BECAUSE.format(reason=row["reason"]),
            ),
            Column(words.THROUGH, _by),
        ],
        rows[:_SHOWN],
    )
    if len(rows) > _SHOWN:
        Text("p", words.FIRST_OF.format(shown=_SHOWN, all=f"{len(rows):,}"), "gp-quiet")


def _by(row: Row) -> str:
    lines = [words.LINE.format(line=entry["line"], text=entry["text"]) for entry in row["entries"] if entry]
    ways = [words.MEMBER_OF.format(way=" in ".join(way)) for way in row["through"]]
    return "; ".join([*lines, *ways])
