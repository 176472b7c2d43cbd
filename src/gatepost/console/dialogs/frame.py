"""What all dialogs of the Access tab have: a candidate text, its meaning beside the boxes, OK and Cancel.

Nothing of the draft changes before OK; nothing of the file before it is reviewed and applied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nicegui import ui

from gatepost.config.edit import Draft
from gatepost.console.access.writing import Server, read_entries, write_entries
from gatepost.console.bench import Bench
from gatepost.console.meaning import Meaning
from gatepost.console.parts import dialog_frame
from gatepost.console.texts import access as words
from gatepost.policy.access import Entry

LeftAlone = Callable[[tuple[Entry, ...]], Sequence[Entry]]


def nothing_left(entries: tuple[Entry, ...]) -> Sequence[Entry]:
    """For dialogs that are not about the table."""
    return ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a dialog's text comes from, and where it goes on OK: the draft, or the dialog below."""

    text: Callable[[], str]
    take: Callable[[Draft], object]


class AccessDialog:
    """`left_alone` are the entries that the dialog cannot show, to be said."""

    def __init__(
        self, bench: Bench, server: Server, origin: Origin, left_alone: LeftAlone = nothing_left
    ) -> None:
        self.bench = bench
        self.server = server
        self._origin = origin
        self._left_alone = left_alone
        self.candidate = Draft(bench.work.file, origin.text())

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The candidate's access table."""
        return read_entries(self.candidate, self.server) or ()

    async def put(self, entries: tuple[Entry, ...]) -> None:
        """The candidate's table is this; what it means is shown."""
        write_entries(self.candidate, self.server, entries)
        await self.show()

    async def show(self) -> None:
        """What the candidate means is shown."""
        await self._meaning.show(self.candidate.text, self._left_alone(self.entries))

    async def take(self, draft: Draft) -> None:
        """What a dialog above this one gives back."""
        self.candidate = Draft(self.bench.work.file, draft.text)
        await self.show()

    async def open(self, title: str, fill: Callable[[], None]) -> None:
        """`fill` makes the boxes."""
        with dialog_frame(title, two=True) as frame:
            with frame.body:
                with ui.element("div"):
                    fill()
                self._meaning = Meaning(self.bench, self.server, self.bench.work.base)
            with frame.foot:
                ui.button(words.CANCEL, on_click=frame.dialog.close).props("flat")
                done = ui.button(words.OK, on_click=lambda: self._close(frame.dialog))
                if not self.bench.may_change:
                    done.disable()
        await self.show()

    async def _close(self, dialog: ui.dialog) -> None:
        dialog.close()
        taken = self._origin.take(self.candidate)
        if hasattr(taken, "__await__"):
            await taken
