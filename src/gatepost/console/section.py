"""One table of the file as a panel: what it says, and a dialog that changes all of its keys together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nicegui import ui
from nicegui.element import Element
from pydantic import BaseModel

from gatepost.admin.actor import SignInAgain
from gatepost.config.edit import Draft
from gatepost.config.fault import Fault
from gatepost.config.source import KeyPath
from gatepost.console.acting import sign_in_again
from gatepost.console.bench import Bench
from gatepost.console.candidate import Candidate, is_about
from gatepost.console.described import key_of, keys_of
from gatepost.console.fields import Setting, fields, readable, said
from gatepost.console.parts import dialog_frame, heading
from gatepost.console.table import Text, facts
from gatepost.console.texts import access as buttons
from gatepost.console.texts import fields as words
from gatepost.console.texts import sections as own

Trying = Callable[[Candidate, Element], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Section:
    """The table at `path`. `without`: keys that nobody changes here.

    `fixed` stands in it whatever is typed. `trying` tries what the dialog holds, in a place of its own.
    """

    title: str
    model: type[BaseModel]
    path: KeyPath
    without: tuple[str, ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    trying: Trying | None = None

    @property
    def keys(self) -> list[str]:
        return list(keys_of(self.model, without=self.without))


def show_facts(bench: Bench, section: Section) -> None:
    """What stands in the table; that nothing does."""
    rows = []
    for name in section.keys:
        value = bench.value((*section.path, *name.split(".")))
        if value is not None:
            rows.append((key_of(section.model, name).label, _shown(section.model, name, value)))
    if rows:
        facts(rows)
    else:
        Text("p", own.AS_EVERYBODY, "gp-quiet")


def _shown(model: type[BaseModel], name: str, value: object) -> str:
    if isinstance(value, bool):
        return own.YES if value else own.NO
    if isinstance(value, list):
        return ", ".join(map(str, value)) or own.NOTHING
    key = key_of(model, name)
    return words.CHOICES.get(f"{key.id}.{value}", readable(value, key.unit))


def remove(bench: Bench, path: KeyPath) -> None:
    """The table is out of the draft, and what is empty above it, too."""
    draft = bench.work.draft()
    draft.delete(path)
    while len(path := path[:-1]) and draft.value(path) == {}:
        draft.delete(path)
    bench.take(draft)


def open_section(bench: Bench, section: Section, done: Callable[[], object]) -> None:
    """The dialog over the table is open, which is made when it is not there; `done` after OK."""
    _Dialog(bench, section, done).open()


class _Dialog:
    def __init__(self, bench: Bench, section: Section, done: Callable[[], object]) -> None:
        self._section = section
        self._done = done
        self._candidate = Candidate(bench)
        self._settings: list[Setting] = []

    def open(self) -> None:
        section = self._section
        draft = Draft(self._candidate.file, self._candidate.text)
        self._is_new = draft.value(section.path) is None
        if self._is_new:
            draft.make(section.path)
            for key, value in section.fixed:
                draft.set((*section.path, key), value)
            self._candidate.text = draft.text
        with dialog_frame(section.title) as frame:
            with frame.body, ui.element("div"):
                self._problems = ui.element("div").props("role=alert")
                self._settings = self._fields()
                place = ui.element("div")
            with frame.foot:
                if section.trying is not None:
                    ui.button(own.TRY, on_click=lambda: self._try(place)).props("outline")
                    ui.space()
                ui.button(buttons.CANCEL, on_click=frame.dialog.close).props("flat")
                if self._candidate.may_change:
                    ui.button(buttons.OK, on_click=lambda: self._take(frame.dialog))

    def _fields(self) -> list[Setting]:
        """Those of inner tables stand below titles of their own."""
        section, made = self._section, []
        for table, keys in groupby(section.keys, lambda key: key.rpartition(".")[0]):
            if table:
                heading(own.TABLES.get(table, table), 3)
            made += fields(self._candidate, section.model, section.path, keys)
        return made

    async def _try(self, place: Element) -> None:
        assert self._section.trying is not None
        if await self._is_wrong():
            return
        try:
            await self._section.trying(self._candidate, place)
        except SignInAgain:
            self._taken()  # what was typed waits in the draft
            sign_in_again()

    async def _take(self, dialog: ui.dialog) -> None:
        if await self._is_wrong():
            return
        dialog.close()
        self._taken()
        self._done()

    def _taken(self) -> None:
        if self._is_new:
            draft = Draft(self._candidate.file, self._candidate.text)
            draft.space(self._section.path)
            self._candidate.text = draft.text
        self._is_new = False
        self._candidate.take()

    async def _is_wrong(self) -> bool:
        """Whether anything is; it is told then, at its field or above them."""
        faults = await self._candidate.faults()
        for setting in self._settings:
            setting.show([fault for fault in faults if is_about(setting.path, fault)])
        others = [one for one in faults if not any(is_about(it.path, one) for it in self._settings)]
        self._problems.clear()
        with self._problems:
            for fault in others:
                Text("p", _told(fault), "gp-note bad gp-break")
        return bool(faults)


def _told(fault: Fault) -> str:
    return words.ALSO_WRONG.format(key=fault.key, problem=said(fault)) if fault.key else said(fault)


def open_button(label: str, opens: Callable[[], object], of: str) -> ui.button:
    """A button that opens a dialog about something."""
    button = ui.button(label, on_click=opens).props("outline dense padding='4px 10px' aria-haspopup=dialog")
    button.props["aria-label"] = f"{label} {of}"
    return button


def names_of(bench: Bench, table: str) -> Sequence[str]:
    """The names of the tables in this table, in the file's order."""
    return list(bench.value((table,)) or {})
