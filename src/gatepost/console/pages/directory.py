"""Where accounts are: the directories in the order in which they are asked, and each step to each, tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from nicegui import ui
from nicegui.element import Element

from gatepost.admin.actor import SignInAgain
from gatepost.admin.directory import steps
from gatepost.admin.silence import silent_log
from gatepost.config.edit import Draft
from gatepost.config.headers import reordered
from gatepost.config.schema import Directory, DirectoryKind, Settings
from gatepost.console.acting import say_refused, sign_in_again
from gatepost.console.bench import Bench
from gatepost.console.candidate import Candidate
from gatepost.console.context import Context
from gatepost.console.named import Named, show_named
from gatepost.console.page import page
from gatepost.console.section import Trying, names_of
from gatepost.console.steps import Step, show_steps
from gatepost.console.table import Text, heading, section
from gatepost.console.texts import people as words
from gatepost.console.texts import sections as own
from gatepost.console.working import working

_TABLE: Final = "directory"


@page("/directory", own.DIRECTORIES, "directory")
def directory(context: Context) -> None:
    """A panel for each directory, then the test."""
    with working(context) as bench:
        heading(own.DIRECTORIES, own.ABOUT_DIRECTORIES)
        show_named(bench, _DIRECTORIES)
        section(own.TEST)
        Text("p", words.ABOUT_DIRECTORY, "gp-quiet")
        _test(bench)


def _order(bench: Bench) -> list[str]:
    """Gatepost's own accounts are asked first where the file does not place them."""
    names = list(names_of(bench, _TABLE))
    return names if own.LOCAL in names else [own.LOCAL, *names]


def _verbs(bench: Bench, name: str, redraw: Callable[[], object]) -> None:
    names = _order(bench)
    at = names.index(name)
    if not bench.may_change or len(names) == 1:
        return
    for icon, label, by in (("o_arrow_upward", own.MOVE_UP, -1), ("o_arrow_downward", own.MOVE_DOWN, 1)):
        button = ui.button(icon=icon, on_click=_moving(bench, names, at, by, redraw))
        button.props("flat dense round")
        button.props["aria-label"] = label.format(name=name)
        if not 0 <= at + by < len(names):
            button.disable()


def _moving(
    bench: Bench, names: list[str], at: int, by: int, redraw: Callable[[], object]
) -> Callable[[], None]:
    def move() -> None:
        order = [name for name in names if name != names[at]]
        order.insert(at + by, names[at])
        draft = bench.work.draft()
        if draft.value((_TABLE, own.LOCAL)) is None:
            draft.make((_TABLE, own.LOCAL))
            draft.space((_TABLE, own.LOCAL))
        text = reordered(draft.text, _TABLE, order)
        if text is None:
            say_refused(own.NO_ORDER)
            return
        bench.take(Draft(bench.work.file, text))
        redraw()

    return move


# the test


def _trying(name: str) -> Trying:
    async def trying(candidate: Candidate, place: Element) -> None:
        candidate.context.actor.require("config-apply")  # a secret may go to whatever server is named
        settings = (await candidate.preview()).settings
        assert settings is not None  # it was asked before
        only = settings.model_copy(update={_TABLE: {name: settings.directory[name]}})
        await _try(only, place, None)

    return trying


def _test(bench: Bench) -> None:
    async def test() -> None:
        button.disable()
        try:
            settings = await _settings(bench)
            if settings is not None:
                await _try(settings, place, str(person.value or "").strip() or None)
        except SignInAgain:
            sign_in_again()
        finally:
            button.enable()

    with ui.element("div").classes("gp-search"):
        person = ui.input(words.PERSON).props("dense outlined autocomplete=off spellcheck=false")
        person.on("keydown.enter", test)
        button = ui.button(words.TRY, icon="o_checklist", on_click=test).props("unelevated")
    place = ui.element("div")


async def _settings(bench: Bench) -> Settings | None:
    """Those of the draft where there is one, else those in force; None: that was said."""
    context = bench.context
    if not bench.work.is_changed:
        context.actor.require("directory-test")
        return context.house.settings()
    context.actor.require("config-apply")
    settings = (await bench.look(bench.work.text)).settings
    if settings is None:
        say_refused(own.NOT_VALID)
    return settings


async def _try(settings: Settings, place: Element, person: str | None) -> None:
    if all(one.kind is not DirectoryKind.LDAP for one in settings.directory.values()):
        place.clear()
        with place:
            Text("p", words.NO_DIRECTORY, "gp-empty")
        return

    async def each() -> AsyncIterator[tuple[str, Step]]:
        with silent_log() as log:
            async for step in steps(settings, log, person):
                yield step.directory, step

    await show_steps(place, each())


_DIRECTORIES: Final = Named(
    _TABLE,
    Directory,
    "",
    own.DIRECTORY_NAME,
    own.DIRECTORY_HINT,
    own.ADD_DIRECTORY,
    without=("kind",),
    fixed=(("kind", DirectoryKind.LDAP.value),),
    trying=_trying,
    verbs=_verbs,
    order=_order,
    about=lambda name: own.ABOUT_LOCAL if name == own.LOCAL else "",
)
