"""A draft of a dialog's own: keys that only make sense together are changed, then taken as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tomlkit.exceptions import TOMLKitError

from gatepost.admin.preview import Preview
from gatepost.config.edit import Draft, EditError
from gatepost.config.fault import Fault, written
from gatepost.config.source import KeyPath
from gatepost.console.bench import Bench, Values


class Candidate:
    """Begins as the session's draft, which stays as it is until `take`."""

    def __init__(self, bench: Bench) -> None:
        self.context = bench.context
        self._bench = bench
        self._values = Values()
        self._known: set[tuple[str, str]] | None = None
        self.file = bench.work.file
        self.text = bench.work.text

    @property
    def may_change(self) -> bool:
        return self._bench.may_change

    def value(self, path: KeyPath) -> Any:
        """What stands at the key, as plain values; None when nothing does."""
        return self._values.at(self.text, path)

    async def change(self, edit: Callable[[Draft], None]) -> tuple[Fault, ...]:
        """The edit is made whatever comes of it; the faults it leaves are those of the whole candidate."""
        draft = Draft(self.file, self.text)
        try:
            edit(draft)
        except (EditError, TOMLKitError, ValueError) as problem:
            return (Fault(self.file, 0, "", str(problem), ""),)
        self.text = draft.text
        return await self.faults()

    def about(self, path: KeyPath, faults: Sequence[Fault]) -> Sequence[Fault]:
        """Those of this key alone: others may be about to be changed."""
        return [fault for fault in faults if is_about(path, fault)]

    async def faults(self) -> tuple[Fault, ...]:
        """What is wrong that was not before."""
        if self._known is None:
            before = await self._bench.look(self._bench.work.text)
            self._known = {(fault.key, fault.problem) for fault in before.faults}
        after = await self.preview()
        return tuple(fault for fault in after.faults if (fault.key, fault.problem) not in self._known)

    async def preview(self) -> Preview:
        """What it would be as the configuration."""
        return await self._bench.look(self.text)

    def take(self) -> None:
        """It is the session's draft."""
        self._bench.take(Draft(self.file, self.text))


def is_about(path: KeyPath, fault: Fault) -> bool:
    """Whether the fault is told of this key or of something in it."""
    key = written(path)
    return fault.key == key or fault.key.startswith((f"{key}.", f"{key}["))
