"""The file as somebody is changing it in the console: kept from page to page, applied as a whole.

It stands in the console's database under the administrator's name, so that neither a restart nor the end
of the session loses it; a week after the last change it is gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gatepost.config.edit import Draft
from gatepost.config.load import read_text
from gatepost.store.consoledb import ConsoleStore, DraftRow

KEPT_SECONDS: Final = 7 * 86_400.0


@dataclass(slots=True)
class Work:
    """`base` is the text the changes began from, `text` the text with them; `keep` is called with each."""

    file: Path
    base: str
    text: str
    keep: Callable[[Work], None] = lambda work: None
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a change is tried: the next one is made on what came of it."""

    @property
    def is_changed(self) -> bool:
        return self.text != self.base

    def draft(self) -> Draft:
        """The text, for changing. What is changed in it is not kept before `take`."""
        return Draft(self.file, self.text)

    def take(self, draft: Draft) -> None:
        """The changes made to the draft are part of the work."""
        self.put(draft.text)

    def put(self, text: str) -> None:
        """The text is the work."""
        self.text = text
        self.keep(self)


@dataclass(slots=True)
class Drafts:
    """The work of each administrator, by name; two people never share one. `clock` counts Unix seconds.

    Raises sqlite3.Error where the database cannot be read or written.
    """

    file: Path
    store: ConsoleStore
    clock: Callable[[], float] = time.time
    _works: dict[str, Work] = field(default_factory=dict)
    _words: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> Work:
        """What he has begun, else the file as it stands. Raises ConfigError."""
        work = self.begun(name)
        if work is None:
            text, work = read_text(self.file), self._works.get(name)
            if work is None or (work.base, work.text) != (text, text):
                work = self._works[name] = self._work(name, text, text)
        return work

    def begun(self, name: str) -> Work | None:
        """What he has changed, if anything."""
        work, row = self._works.get(name), self._row(name)
        if row is None:
            return None
        if work is None or (work.base, work.text) != (row.base, row.text):
            work = self._works[name] = self._work(name, row.base, row.text)
        return work

    def _row(self, name: str) -> DraftRow | None:
        return self.store.draft(name, changed_since=self.clock() - KEPT_SECONDS)

    def _work(self, name: str, base: str, text: str) -> Work:
        return Work(self.file, base, text, lambda work: self._keep(name, work))

    def _keep(self, name: str, work: Work) -> None:
        if not work.is_changed:
            self.store.forget_draft(name)
            return
        now = self.clock()
        self.store.forget_drafts(changed_before=now - KEPT_SECONDS)
        self.store.keep_draft(name, DraftRow(work.base, work.text), now)

    def say(self, name: str, words: str) -> None:
        """His next page says so."""
        self._words[name] = words

    def said(self, name: str) -> str:
        """What is to be said, once; empty: nothing."""
        return self._words.pop(name, "")

    def forget(self, name: str) -> None:
        """He has changed nothing."""
        self._works.pop(name, None)
        self.store.forget_draft(name)
