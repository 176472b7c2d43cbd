"""Review and apply: the difference in words and in the file, dangers first; then file and reload."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nicegui import ui

from gatepost.admin.acts_config import Applied
from gatepost.admin.configuration import Stale, Unsafe, changes, digest
from gatepost.admin.difference import Change
from gatepost.admin.preview import Preview, in_the_file, new_ones, preview
from gatepost.config.fault import ConfigError
from gatepost.config.load import read_text
from gatepost.config.schema import Settings
from gatepost.console.acting import doing, say_refused
from gatepost.console.bench import Bench
from gatepost.console.dangers import show_faults, show_findings
from gatepost.console.merge import Conflict, merged
from gatepost.console.parts import dialog_frame, diff, progress, sentences
from gatepost.console.texts import review as words


@dataclass(slots=True)
class _Looked:
    """What was worked out: `there` is what the file holds now, `text` what it shall hold."""

    there: str
    text: str
    seen: Preview
    before: Preview
    changes: list[Change] = field(default_factory=list)
    theirs: list[Change] | None = None
    conflicts: tuple[Conflict, ...] = ()
    by_hand: bool = False


class Review:
    """The dialog over one bench. `undo`: the number of the generation that is being gone back to."""

    def __init__(self, bench: Bench, *, undo: int | None = None) -> None:
        self._bench = bench
        self._undo = undo
        self._mine_wins = False
        self._understood = False

    async def open(self) -> None:
        """The dialog is open and filled. It stands outside the bar, which may go."""
        with ui.context.client.content, dialog_frame(words.TITLE) as frame:
            self._frame = frame
        with frame.dialog:
            await self._fill()

    async def _fill(self) -> None:
        frame = self._frame
        frame.body.clear()
        frame.foot.clear()
        with frame.body:
            progress(words.LOOKING)
        house = self._bench.context.house
        work = self._bench.work
        async with work.changing:  # what was typed last is part of it
            pass
        looked = await house.work(lambda: self._look(work.base, work.text))
        frame.body.clear()
        with frame.body:
            self._show(looked)
        with frame.foot:
            self._buttons(looked)

    def _look(self, base: str, mine: str) -> _Looked:
        """Blocks: asks the accounts."""
        house = self._bench.context.house
        there, text, theirs = read_text(house.file), mine, None
        conflicts: tuple[Conflict, ...] = ()
        before = self._preview(there)
        if there != base:
            merge = merged(base, mine, there, mine_wins=self._mine_wins)
            text, conflicts = merge.text, merge.conflicts
            theirs = self._difference(self._preview(base).settings, before.settings)
        seen = self._preview(text)
        in_force, by_hand = self._in_force(there)
        changes = self._difference(in_force or before.settings, seen.settings)
        return _Looked(there, text, seen, before, changes, theirs, conflicts, by_hand)

    def _preview(self, text: str) -> Preview:
        house = self._bench.context.house
        return preview(text, house.file, house.accounts)

    def _in_force(self, there: str) -> tuple[Settings | None, bool]:
        """The settings in force, and whether the file has gone on since."""
        house = self._bench.context.house
        history = house.generations.history()
        if not history:
            return None, False
        try:
            return house.settings(), house.generations.text(history[-1].number) != there
        except (ConfigError, OSError):
            return None, False

    def _difference(self, before: Settings | None, after: Settings | None) -> list[Change]:
        if before is None or after is None:
            return []
        return changes(before, after, self._bench.context.house.accounts)

    # showing

    def _show(self, looked: _Looked) -> None:
        with ui.element("div"):
            if looked.theirs is not None:
                self._show_theirs(looked)
            show_faults(looked.seen)
            show_findings(looked.seen.findings.errors, looked.seen)
            self._heading(words.IN_WORDS)
            if looked.by_hand:
                ui.label(words.BY_HAND).classes("gp-note")
            sentences([change.text for change in looked.changes], empty=words.ONLY_WORDING)
            self._show_warnings(looked)
            self._heading(words.IN_FILE)
            diff(in_the_file(looked.there, looked.text), empty=words.NO_CHANGE)

    def _show_theirs(self, looked: _Looked) -> None:
        with ui.element("div").classes("gp-note warn").props("role=status"):
            ui.label(words.MEANWHILE).classes("text-weight-bold")
            sentences([change.text for change in looked.theirs or ()], empty=words.MEANWHILE_SAME)
        if looked.conflicts or self._mine_wins:
            self._show_conflicts(looked.conflicts)

    def _show_conflicts(self, conflicts: tuple[Conflict, ...]) -> None:
        with ui.element("div").classes("gp-note bad").props("role=alert"):
            ui.label(words.CONFLICT).classes("text-weight-bold")
            for one in conflicts:
                mine, theirs = _said(one.mine), _said(one.theirs)
                ui.label(words.CONFLICT_ROW.format(key=one.key, mine=mine, theirs=theirs)).classes("gp-break")
            options = {False: words.KEEP_THEIRS, True: words.KEEP_MINE}
            ui.radio(options, value=self._mine_wins, on_change=self._choose).props("inline")

    async def _choose(self, event: Any) -> None:
        self._mine_wins = bool(event.value)
        await self._fill()

    def _show_warnings(self, looked: _Looked) -> None:
        fresh = [one for one in new_ones(looked.seen.findings, looked.before.findings)
                 if one in looked.seen.findings.warnings]  # fmt: skip
        if fresh:
            self._heading(words.WARNINGS)
            show_findings(fresh, looked.seen)
            self._understood = False
            ui.checkbox(words.UNDERSTOOD).bind_value(self, "_understood")
        else:
            self._understood = True

    def _heading(self, text: str) -> None:
        with ui.element("h3"):
            ui.label(text)

    def _buttons(self, looked: _Looked) -> None:
        ui.button(words.CANCEL, on_click=self._frame.dialog.close).props("flat")
        apply = ui.button(words.APPLY, on_click=lambda: self._apply(looked))
        if not looked.seen.may_be_applied or (looked.text == looked.there and not looked.by_hand):
            apply.disable()
        else:
            apply.bind_enabled_from(self, "_understood")

    async def _apply(self, looked: _Looked) -> None:
        try:
            applied = await doing(words.APPLYING, lambda: self._act(looked))
        except Stale:
            await self._fill()
            return
        except (ConfigError, Unsafe, OSError) as problem:
            say_refused(words.REFUSED.format(problem=problem))
            return
        if applied is not None:
            self._frame.dialog.close()
            self._bench.discard()
            context = self._bench.context
            context.drafts.say(context.visitor.key, _words(applied))
            ui.navigate.reload()  # the tree and what others changed

    async def _act(self, looked: _Looked) -> Applied:
        config = self._bench.context.acts.config
        if self._undo is not None and looked.text == self._bench.work.text:
            return await config.undo(self._undo, base=digest(looked.there))
        return await config.apply(looked.text, base=digest(looked.there))


def _said(value: object) -> str:
    return words.GONE if value is None else str(value)


def _words(applied: Applied) -> str:
    text = words.IN_FORCE.format(number=applied.generation)
    if applied.after_restart:
        text += " " + words.RESTART.format(keys=", ".join(applied.after_restart))
    return text
