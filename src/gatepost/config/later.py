"""What this version does not do yet. A setting for it is refused, never ignored: this is the one list.

When the behaviour comes, its line here goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gatepost.config.fault import Complaint
from gatepost.config.source import KeyPath


@dataclass(frozen=True, slots=True)
class Later:
    """A key that may not be set; `*` stands for any name or index.

    `value` None: not at all. Else only values that are it, or begin with it where it ends in `:`.
    """

    path: KeyPath
    value: str | None = None

    def is_meant_by(self, value: object) -> bool:
        if self.value is None:
            return True
        if not isinstance(value, str):
            return False
        return value.startswith(self.value) if self.value.endswith(":") else value == self.value


LATER: Final = (Later(("tracking", "subjects")),)


def too_early(raw: Mapping[str, object]) -> Iterator[Complaint]:
    """A complaint for each thing in the file that this version cannot do."""
    for later in LATER:
        for path, value in _found(raw, later.path):
            if later.is_meant_by(value):
                what = "" if later.value is None else f"{value!r} is "
                yield Complaint(path, f"{what}not available in this version", "take it out")


def _found(value: object, pattern: KeyPath, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """The places that the pattern names, with what stands there."""
    if not pattern:
        yield path, value
        return
    for key, inner in _children(value):
        if pattern[0] in ("*", key):
            yield from _found(inner, pattern[1:], (*path, key))


def _children(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
