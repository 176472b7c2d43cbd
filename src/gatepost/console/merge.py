"""Two changed the same file: the changes of the one are made again on the text of the other. Pure.

Settings are compared key by key, access tables atom by atom, so that two who gave rights to two groups
both did. What both set to different values is a conflict: the other's value stands until told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatepost.config.edit import Draft
from gatepost.config.fault import written
from gatepost.config.source import KeyPath
from gatepost.console.access.atoms import atoms, changed
from gatepost.console.access.writing import read_entries, write_entries

_PROTOCOLS: Final = ("smtp", "pop3")


@dataclass(frozen=True, slots=True)
class Conflict:
    """`mine` and `theirs` are values, None where the key was taken out."""

    path: KeyPath
    mine: Any
    theirs: Any

    @property
    def key(self) -> str:
        """As one writes it."""
        return written(self.path)


@dataclass(frozen=True, slots=True)
class Merge:
    """`text` is theirs with mine on it."""

    text: str
    conflicts: tuple[Conflict, ...] = ()


def merged(base: str, mine: str, theirs: str, *, mine_wins: bool = False) -> Merge:
    """My changes since `base`, made on `theirs`. With `mine_wins` conflicts are decided for me."""
    old, new, other = (Draft(Path("gatepost.toml"), text) for text in (base, mine, theirs))
    was, want, there = (dict(_flat(draft.value(()))) for draft in (old, new, other))
    result = Draft(Path("gatepost.toml"), theirs)
    conflicts = []
    for path in [*(want.keys() - was.keys()), *was]:
        mine_now, their_now, before = want.get(path), there.get(path), was.get(path)
        if mine_now in (before, their_now):
            continue
        if _is_access(path) and _merge_access(result, (str(path[0]), str(path[1])), old, new):
            continue
        if their_now != before and not mine_wins:
            conflicts.append(Conflict(path, mine_now, their_now))
            continue
        _put(result, path, mine_now)
    for path in _tables(old.value(())):
        if new.value(path) is None and result.value(path) == {}:
            result.delete(path)
    return Merge(result.text, tuple(sorted(conflicts, key=lambda one: one.key)))


def _is_access(path: KeyPath) -> bool:
    return len(path) == 3 and path[0] in _PROTOCOLS and path[2] == "access"


def _merge_access(result: Draft, server: tuple[str, str], old: Draft, new: Draft) -> bool:
    """Whether the tables could be read, and so merged."""
    if new.value(server) is None or result.value(server) is None:
        return False
    before, wanted, there = (read_entries(draft, server) for draft in (old, new, result))
    if before is None or wanted is None or there is None:
        return False
    gone = atoms(before).keys() - atoms(wanted).keys()
    come = [atom for atom in atoms(wanted) if atom not in atoms(before)]
    write_entries(result, server, changed(there, gone, come))
    return True


def _put(result: Draft, path: KeyPath, value: Any) -> None:
    if value is not None:
        result.set(path, value)
    elif result.value(path) is not None:
        result.delete(path)


def _flat(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every key that holds no table, with what it holds; lists are values."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    else:
        yield path, value


def _tables(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every table, the inner ones first."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _tables(inner, (*path, str(key)))
        if path:
            yield path
