"""Where a page changes the draft: tries a change, looks at what would follow, tells who shows it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tomlkit.exceptions import TOMLKitError

from gatepost.admin.preview import Preview, preview
from gatepost.config.edit import Draft, EditError
from gatepost.config.fault import Fault
from gatepost.config.load import load_text
from gatepost.config.source import KeyPath
from gatepost.console.context import Context
from gatepost.console.drafts import Work

Edit = Callable[[Draft], None]


class Values:
    """What stands in a text of TOML, which is read anew only when it is another."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._document: dict[str, Any] = {}

    def at(self, text: str, path: KeyPath) -> Any:
        """What stands at the key, as plain values; None when nothing does."""
        if text != self._text:
            self._document, self._text = tomllib.loads(text), text
        found: Any = self._document
        for key in path:
            if not isinstance(found, Mapping) or key not in found:
                return None
            found = found[key]
        return found


class Bench:
    """One page at work on its session's draft. Raises ConfigError when the file is no TOML."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.work: Work = context.drafts.of(context.visitor.key)
        try:
            tomllib.loads(self.work.text)
        except tomllib.TOMLDecodeError:
            load_text(self.work.text, self.work.file)  # says it with its line
        self._values = Values()
        self._shown: list[Callable[[], object]] = []

    @property
    def may_change(self) -> bool:
        """Whether whoever looks could apply a change."""
        return self.context.acts.may("config-apply")

    def value(self, path: KeyPath) -> Any:
        """What stands at the key in the draft, as plain values; None when nothing does."""
        return self._values.at(self.work.text, path)

    def shows(self, refresh: Callable[[], object]) -> None:
        """`refresh` is called when the draft is another."""
        self._shown.append(refresh)

    def changed(self) -> None:
        """Everything that shows the draft shows it anew."""
        for refresh in self._shown:
            refresh()

    def take(self, draft: Draft) -> None:
        """The draft is the work."""
        if draft.text != self.work.text:
            self.work.take(draft)
            self.changed()

    def discard(self) -> None:
        """Nothing is changed any more."""
        self.context.drafts.forget(self.context.visitor.key)
        self.work = self.context.drafts.of(self.context.visitor.key)
        self.changed()

    async def forget_secrets(self) -> None:
        """Files of secrets that were written for what is discarded are gone. Raises OSError."""
        if self.may_change:
            drafts = self.context.drafts.store
            texts = await self.context.house.work(drafts.draft_texts)
            await self.context.acts.secret.forget(texts)

    async def look(self, text: str) -> Preview:
        """What the text would be as the configuration."""
        house = self.context.house
        return await house.work(lambda: preview(text, house.file, house.accounts))

    def about(self, path: KeyPath, faults: Sequence[Fault]) -> Sequence[Fault]:
        """All of them: the change was not made because of them."""
        return faults

    async def change(self, edit: Edit) -> tuple[Fault, ...]:
        """The faults the edit brings; without any it is part of the draft."""
        async with self.work.changing:
            return await self._change(edit)

    async def _change(self, edit: Edit) -> tuple[Fault, ...]:
        draft = self.work.draft()
        try:
            edit(draft)
        except (EditError, TOMLKitError, ValueError) as problem:
            return (Fault(self.work.file, 0, "", str(problem), ""),)
        if draft.text == self.work.text:
            return ()
        before, after = await self.look(self.work.text), await self.look(draft.text)
        known = {(fault.key, fault.problem) for fault in before.faults}
        faults = tuple(fault for fault in after.faults if (fault.key, fault.problem) not in known)
        if not faults:
            self.take(draft)
        return faults
