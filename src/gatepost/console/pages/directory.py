"""Each step to each directory, tried one after the other and shown as it comes."""

from __future__ import annotations

from nicegui import ui

from gatepost.admin.directory import Step, steps
from gatepost.admin.silence import silent_log
from gatepost.config.schema import DirectoryKind
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.saying import count
from gatepost.console.table import Text, empty, heading
from gatepost.console.texts import people as words


@page("/directory", words.DIRECTORY, "directory")
def directory(context: Context) -> None:
    """A field for a person, a button, and the steps below."""
    heading(words.DIRECTORY, words.ABOUT_DIRECTORY)
    if all(one.kind is not DirectoryKind.LDAP for one in context.house.settings().directory.values()):
        empty(words.NO_DIRECTORY, words.NO_DIRECTORY_REMEDY)
        return

    async def test() -> None:
        button.disable()
        place.clear()
        try:
            await _tried(context, place, str(person.value or "").strip() or None)
        finally:
            button.enable()

    with ui.element("div").classes("gp-search"):
        person = ui.input(words.PERSON).props("dense outlined autocomplete=off spellcheck=false")
        person.on("keydown.enter", test)
        button = ui.button(words.TRY, icon="o_checklist", on_click=test).props("unelevated")
    place = ui.element("div")


async def _tried(context: Context, place: ui.element, person: str | None) -> None:
    context.actor.require("directory-test")
    failed = 0
    with place:
        told = Text("p", words.TRYING, "gp-quiet").props("role=status")
        shown = ui.element("ol").classes("gp-steps")
    with silent_log() as log:
        async for step in steps(context.house.settings(), log, person):
            failed += step.good is False
            with shown:
                _step(step)
    told.classes(remove="gp-quiet", add=f"gp-note {'bad' if failed else 'good'}")
    told.set_text(words.SOME_FAILED.format(failed=count(failed, *words.STEPS)) if failed else words.ALL_WELL)


def _step(step: Step) -> None:
    kind = {True: "good", False: "bad", None: ""}[step.good]
    with ui.element("li").classes(kind):
        Text("strong", f"{step.directory}: {step.step} {words.GOOD[step.good]}")
        Text("div", step.text, "gp-break")
