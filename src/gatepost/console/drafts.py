"""The file as somebody is changing it in the console: kept from page to page, applied as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gatepost.config.edit import Draft
from gatepost.config.load import read_text


@dataclass(slots=True)
class Work:
    """`base` is the text the changes began from, `text` the text with them."""

    file: Path
    base: str
    text: str

    @property
    def is_changed(self) -> bool:
        return self.text != self.base

    def draft(self) -> Draft:
        """The text, for changing. What is changed in it is not kept before `take`."""
        return Draft(self.file, self.text)

    def take(self, draft: Draft) -> None:
        """The changes made to the draft are part of the work."""
        self.text = draft.text


@dataclass(slots=True)
class Drafts:
    """The work of each session; two people never share one."""

    file: Path
    _works: dict[str, Work] = field(default_factory=dict)
    _words: dict[str, str] = field(default_factory=dict)

    def of(self, session: str) -> Work:
        """What the session has begun, else the file as it stands. Raises ConfigError."""
        work = self._works.get(session)
        if work is None or not work.is_changed:
            text = read_text(self.file)
            work = self._works[session] = Work(self.file, text, text)
        return work

    def begun(self, session: str) -> Work | None:
        """What the session has changed, if anything."""
        work = self._works.get(session)
        return work if work is not None and work.is_changed else None

    def say(self, session: str, words: str) -> None:
        """The next page of the session says so."""
        self._words[session] = words

    def said(self, session: str) -> str:
        """What is to be said, once; empty: nothing."""
        return self._words.pop(session, "")

    def forget(self, session: str) -> None:
        """The session has changed nothing."""
        self._works.pop(session, None)
