"""What an import comes to: the sections of a new file, each setting with what became of the old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

TomlValue = str | int | bool | Sequence[str] | Sequence[int]


class ImportFault(Exception):
    """An export cannot be read; the text names file, line, what is wrong, and what to do."""

    def __init__(self, file: Path, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"{file}:{line}: {problem}; {remedy}")


class Fate(Enum):
    """What became of a setting. DECIDE: only a person can say; until then it is left out, closed."""

    CARRIED = "carried"
    CHANGED = "changed"
    DROPPED = "dropped"
    DECIDE = "DECIDE"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence about one setting. `origin` is where the old one stands: `MetaBase.xml:12`."""

    fate: Fate
    text: str
    origin: str = ""

    def __str__(self) -> str:
        place = f" ({self.origin})" if self.origin else ""
        return f"{self.fate.value}: {self.text}{place}"


@dataclass(frozen=True, slots=True)
class Setting:
    key: str
    value: TomlValue
    note: Note


@dataclass(frozen=True, slots=True)
class AccessLine:
    """An entry of an access table; not `live`: written behind a `#`."""

    entry: Mapping[str, TomlValue]
    note: Note
    live: bool = True


@dataclass(slots=True)
class Section:
    """One table of the new file; `live` False puts all of it behind `#`."""

    path: tuple[str, ...]
    title: str
    settings: list[Setting] = field(default_factory=list)
    access: list[AccessLine] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    live: bool = True

    def set(self, key: str, value: TomlValue, fate: Fate, text: str, origin: str = "") -> None:
        """The key has the value, once: the first who says it is heard."""
        if self.value(key) is None:
            self.settings.append(Setting(key, value, Note(fate, text, origin)))

    def value(self, key: str) -> TomlValue | None:
        return next((one.value for one in self.settings if one.key == key), None)

    def note(self, fate: Fate, text: str, origin: str = "") -> None:
        self.notes.append(Note(fate, text, origin))

    def all_notes(self) -> Iterator[Note]:
        yield from (one.note for one in self.settings)
        yield from (one.note for one in self.access)
        yield from self.notes


@dataclass(slots=True)
class Plan:
    """The whole file. Sections are by path, and in the order in which they came."""

    top: Section = field(default_factory=lambda: Section((), ""))
    sections: dict[tuple[str, ...], Section] = field(default_factory=dict)

    def section(self, path: tuple[str, ...], title: str) -> Section:
        """The section, made when it is not there."""
        return self.sections.setdefault(path, Section(path, title))

    def has(self, *path: str) -> bool:
        return path in self.sections

    def notes(self) -> Iterator[Note]:
        yield from self.top.all_notes()
        for section in self.sections.values():
            yield from section.all_notes()

    def undecided(self) -> list[Note]:
        return [note for note in self.notes() if note.fate is Fate.DECIDE]
