"""History: every configuration that was in force, and the way back to any of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from gatepost.admin.configuration import changes
from gatepost.admin.generation import Generation
from gatepost.admin.preview import in_the_file
from gatepost.config.fault import ConfigError
from gatepost.config.load import load_text
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.parts import dialog_frame, diff, heading, progress, sentences
from gatepost.console.review import Review
from gatepost.console.texts import access as buttons
from gatepost.console.texts import pages as words
from gatepost.console.texts import review
from gatepost.console.working import working

_PAGE: Final = 25


@page("/history", words.HISTORY, "history")
def history(context: Context) -> None:
    """The list, the newest first."""
    with working(context) as bench:
        heading(words.HISTORY, 1)
        ui.label(words.HISTORY_HELP).classes("gp-quiet q-mb-md")
        found = context.house.generations.history()[::-1]
        if not found:
            ui.label(words.NO_HISTORY).classes("gp-empty")
            return
        number = context.query.get("page", "0")
        first = min(int(number) if number.isdigit() else 0, (len(found) - 1) // _PAGE) * _PAGE
        with ui.element("div").classes("gp-scroll"), ui.element("table").classes("gp-table"):
            _head()
            with ui.element("tbody"):
                for one in found[first : first + _PAGE]:
                    _row(bench, one, in_force=one is found[0])
        _pages(first // _PAGE, len(found))


def _head() -> None:
    with ui.element("thead"), ui.element("tr"):
        for word in (words.NUMBER, words.AT, words.BY):
            with ui.element("th").props("scope=col"):
                ui.label(word)
        ui.element("td")


def _row(bench: Bench, one: Generation, *, in_force: bool) -> None:
    with ui.element("tr"):
        for text in (str(one.number), bench.context.local_time(one.at), one.by):
            with ui.element("td"):
                ui.label(text).classes("gp-break")
        with ui.element("td"):
            if in_force:
                ui.label(words.NOW).classes("gp-good text-weight-bold")
                return
            ui.button(words.COMPARE, on_click=_comparing(bench, one.number)).props(
                f'flat dense aria-label="{words.COMPARE_ONE.format(number=one.number)}"'
            )
            if bench.may_change:
                ui.button(words.UNDO, on_click=_undoing(bench, one.number)).props(
                    f'flat dense aria-label="{words.UNDO_ONE.format(number=one.number)}"'
                )


def _pages(number: int, total: int) -> None:
    with ui.element("div").classes("gp-button-row"):
        if number:
            ui.link(words.NEWER, f"?page={number - 1}")
        if (number + 1) * _PAGE < total:
            ui.link(words.OLDER, f"?page={number + 1}")


def _undoing(bench: Bench, number: int) -> Callable[[], Awaitable[None]]:
    """The draft is the text of old, to be reviewed like any other change."""

    async def undo() -> None:
        bench.discard()
        bench.work.put(bench.context.house.generations.text(number))
        bench.changed()
        await Review(bench, undo=number).open()

    return undo


def _comparing(bench: Bench, number: int) -> Callable[[], Awaitable[None]]:
    async def compare() -> None:
        with dialog_frame(words.COMPARED.format(number=number)) as frame:
            with frame.body:
                progress(review.LOOKING)
            with frame.foot:
                ui.button(buttons.CLOSE, on_click=frame.dialog.close).props("flat")
        said, lines = await bench.context.house.work(lambda: _compared(bench, number))
        frame.body.clear()
        with frame.body, ui.element("div"):
            heading(review.IN_WORDS, 3)
            if said is None:
                ui.label(words.NOT_READABLE).classes("gp-note")
            else:
                sentences(said, empty=words.SAME)
            heading(review.IN_FILE, 3)
            diff(lines, empty=words.SAME)

    return compare


def _compared(bench: Bench, number: int) -> tuple[list[str] | None, list[str]]:
    """In words, None when that is not possible, and in the file. Blocks."""
    house = bench.context.house
    newest = house.generations.history()[-1].number
    then, now = house.generations.text(number), house.generations.text(newest)
    try:
        before, after = load_text(then, house.file), load_text(now, house.file)
    except ConfigError:
        return None, in_the_file(then, now)
    return [change.text for change in changes(before, after, house.accounts)], in_the_file(then, now)
