"""What every source and every name has done wrong, in counts. Pure: the time is an argument.

`now` is seconds on any clock. Only the time between two calls counts: a clock that steps back has
stood still, one that steps forward has let time pass, and neither locks anybody out for longer.
The memory is bounded: of each scope so many are remembered, and the one that has been harmless the
longest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

MARK_BYTES: Final = 12
_STRIKES_SECONDS: Final = 7 * 86_400.0
_STRIKES_MOST: Final = 30
_MARKS_MOST: Final = 1_024  # of one source; no limit is meant to be higher, and more only counts as this


class Offence(Enum):
    """What is counted."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - an offence, not a password
    DECOY = "decoy"
    AUTH_NOT_OFFERED = "auth-not-offered"
    UNKNOWN_RECIPIENT = "unknown-recipient"
    RUBBISH = "rubbish"
    SILENT = "silent"

    __hash__ = object.__hash__  # a member is only itself; Enum's own goes through Python each time


class Scope(Enum):
    """By what it is counted."""

    HOST = "host"
    SMALL = "small-network"
    LARGE = "network"
    NAME = "name"
    PAIR = "name-from-host"
    ALL = "all"

    __hash__ = object.__hash__


@dataclass(slots=True)
class _Count:
    begins: float
    number: int


@dataclass(slots=True)
class Tally:
    """What one source or one name has done. Times are the ledger's own.

    `marks` are the distinct wrong passwords, 12 bytes each. `strikes`: how often it was refused.
    """

    marks: bytes = b""
    marks_begin: float = 0.0
    counts: dict[Offence, _Count] | None = None
    until: float = 0.0
    strikes: int = 0
    latest: float = 0.0


class _Shelf:
    """The tallies of one scope: harmless ones apart from refused ones, each the longest unused first."""

    __slots__ = ("_bound", "_harmless", "_refused", "changed", "kept")

    def __init__(self, bound: int) -> None:
        self.changed: dict[bytes, None] = {}
        self.kept: set[bytes] = set()  # what is on a disk, as far as we know
        self._bound = bound
        self._harmless: OrderedDict[bytes, Tally] = OrderedDict()
        self._refused: OrderedDict[bytes, Tally] = OrderedDict()

    def find(self, key: bytes) -> Tally | None:
        return self._harmless.get(key) or self._refused.get(key)

    def touched(self, key: bytes, now: float) -> Tally:
        """The tally, made when there is none; it is the last to be forgotten now."""
        self.changed[key] = None
        tally = self._harmless.get(key)
        if tally is not None and tally.until <= now:
            self._harmless.move_to_end(key)
            tally.latest = now
            return tally
        tally = self._harmless.pop(key, None) or self._refused.pop(key, None) or Tally()
        tally.latest = now
        (self._refused if tally.until > now else self._harmless)[key] = tally
        if len(self) > self._bound:
            self._forget_one()
        return tally

    def _forget_one(self) -> None:
        """The longest harmless; or a refused one where those fill half the room: new ones must count."""
        crowded = len(self._refused) * 2 > self._bound
        which = self._refused if crowded or not self._harmless else self._harmless
        self._gone(which.popitem(last=False)[0])

    def refused(self, key: bytes, tally: Tally) -> None:
        self.changed[key] = None
        self._harmless.pop(key, None)
        self._refused[key] = tally

    def release(self, now: float) -> None:
        """Those whose time is over are harmless again, and the first to be forgotten."""
        over = [key for key, tally in self._refused.items() if tally.until <= now]
        for key in over:
            self._harmless[key] = self._refused.pop(key)
            self._harmless.move_to_end(key, last=False)

    def restore(self, key: bytes, tally: Tally, now: float) -> None:
        (self._refused if tally.until > now else self._harmless)[key] = tally
        self.kept.add(key)

    def forget(self, key: bytes) -> bool:
        known = self._harmless.pop(key, None) or self._refused.pop(key, None)
        if known is not None:
            self._gone(key)
        return known is not None

    def _gone(self, key: bytes) -> None:
        if key in self.kept:
            self.changed[key] = None
        else:
            self.changed.pop(key, None)

    def __iter__(self) -> Iterator[tuple[bytes, Tally]]:
        yield from self._harmless.items()
        yield from self._refused.items()

    def __len__(self) -> int:
        return len(self._harmless) + len(self._refused)


BOUNDS: Final[Mapping[Scope, int]] = {
    Scope.HOST: 100_000,
    Scope.SMALL: 50_000,
    Scope.LARGE: 50_000,
    Scope.NAME: 50_000,
    Scope.PAIR: 20_000,
    Scope.ALL: 1,
}


class Ledger:
    """Counts over `windows`: seconds from an offence on in which further ones of its kind add up."""

    def __init__(self, windows: Mapping[Offence, float], bounds: Mapping[Scope, int] = BOUNDS) -> None:
        self._windows = {offence: float(windows[offence]) for offence in Offence}
        self._shelves = {scope: _Shelf(bounds[scope]) for scope in Scope}
        self._wrong_window = self._windows[Offence.WRONG_PASSWORD]
        self._given: float | None = None
        self._time = 0.0

    def note(self, scope: Scope, key: bytes, offence: Offence, now: float, mark: bytes | None = None) -> int:
        """The offence is counted; the new count. The same `mark` counts once."""
        at = self.at(now)
        if mark is not None:
            return self.guessed(scope, key, at, mark)
        tally = self._shelves[scope].touched(key, at)
        if tally.counts is None:
            tally.counts = {}
        count = tally.counts.get(offence)
        if count is None or at - count.begins >= self._windows[offence]:
            count = tally.counts[offence] = _Count(at, 0)
        count.number += 1
        return count.number

    # in the ledger's own time: for who asks much of one moment

    def guessed(self, scope: Scope, key: bytes, at: float, mark: bytes) -> int:
        """The wrong password is counted; how many different ones there are now."""
        tally = self._shelves[scope].touched(key, at)
        marks = tally.marks
        if not marks or at - tally.marks_begin >= self._wrong_window:
            tally.marks, tally.marks_begin = mark, at
            return 1
        if len(marks) < _MARKS_MOST * MARK_BYTES and not _has(marks, mark):
            tally.marks = marks = marks + mark
        return len(marks) // MARK_BYTES

    def find(self, scope: Scope, key: bytes) -> Tally | None:
        return self._shelves[scope].find(key)

    def wrong(self, tally: Tally | None, at: float) -> int:
        """How many different wrong passwords within the window."""
        if tally is None or not tally.marks or at - tally.marks_begin >= self._wrong_window:
            return 0
        return len(tally.marks) // MARK_BYTES

    def has_in(self, tally: Tally, mark: bytes, at: float) -> bool:
        """Whether this very password was wrong before, within the window."""
        return at - tally.marks_begin < self._wrong_window and _has(tally.marks, mark)

    # in anybody's time

    def count(self, scope: Scope, key: bytes, offence: Offence, now: float) -> int:
        """How often within the window. Wrong passwords: how many different ones."""
        at = self.at(now)
        tally = self._shelves[scope].find(key)
        return 0 if tally is None else self._count(tally, offence, at)

    def _count(self, tally: Tally, offence: Offence, at: float) -> int:
        if offence is Offence.WRONG_PASSWORD:
            is_old = at - tally.marks_begin >= self._windows[offence]
            return 0 if is_old else len(tally.marks) // MARK_BYTES
        count = tally.counts.get(offence) if tally.counts else None
        return 0 if count is None or at - count.begins >= self._windows[offence] else count.number

    def has(self, scope: Scope, key: bytes, mark: bytes, now: float) -> bool:
        """Whether this very password was wrong before, within the window."""
        at = self.at(now)
        tally = self._shelves[scope].find(key)
        return tally is not None and self.has_in(tally, mark, at)

    def forgive(self, scope: Scope, key: bytes, tag: bytes) -> None:
        """The wrong passwords whose marks begin with `tag` never were."""
        tally = self._shelves[scope].find(key)
        if tally is not None and tally.marks:
            self._shelves[scope].changed[key] = None
            marks = (tally.marks[at : at + MARK_BYTES] for at in range(0, len(tally.marks), MARK_BYTES))
            tally.marks = b"".join(mark for mark in marks if not mark.startswith(tag))

    def refuse(self, scope: Scope, key: bytes, now: float, seconds: float, most_seconds: float) -> float:
        """It is refused from now on, twice as long as the time before; for how many seconds.

        Its counts begin anew. Refused ones of the last week count.
        """
        at = self.at(now)
        shelf = self._shelves[scope]
        tally = shelf.find(key) or shelf.touched(key, at)
        if tally.strikes and at - tally.until > _STRIKES_SECONDS:
            tally.strikes = 0
        lasting = min(seconds * 2.0**tally.strikes, max(most_seconds, seconds))
        tally.strikes = min(tally.strikes + 1, _STRIKES_MOST)
        tally.until = max(tally.until, at + lasting)
        tally.marks, tally.counts = b"", None
        shelf.refused(key, tally)
        return tally.until - at

    def prolong(self, scope: Scope, key: bytes, now: float, seconds: float) -> None:
        """What is refused stays so for `seconds` from now at least."""
        at = self.at(now)
        tally = self._shelves[scope].find(key)
        if tally is not None and tally.until > at:
            self._shelves[scope].changed[key] = None
            tally.until = max(tally.until, at + seconds)

    def refused_seconds(self, scope: Scope, key: bytes, now: float) -> float:
        """For how long it is refused still; 0 when it is not."""
        at = self.at(now)
        tally = self._shelves[scope].find(key)
        return max(0.0, tally.until - at) if tally is not None else 0.0

    def pardon(self, scope: Scope, key: bytes) -> bool:
        """Nothing is known against it; whether there was anything."""
        return self._shelves[scope].forget(key)

    def refused(self, scope: Scope, now: float) -> Iterator[tuple[bytes, float]]:
        """All that are refused now, with the seconds that are left."""
        at = self.at(now)
        for key, tally in list(self._shelves[scope]):
            if tally.until > at:
                yield key, tally.until - at

    def tidy(self, now: float) -> None:
        """Call it now and then: refused ones whose time is over may be forgotten from now on."""
        at = self.at(now)
        for shelf in self._shelves.values():
            shelf.release(at)

    def size(self, scope: Scope) -> int:
        return len(self._shelves[scope])

    def changed(self, now: float, most: int) -> dict[str, list[object] | None]:
        """Up to so many sources and names of which something changed since they were last asked for.

        As JSON can hold it, for `restore`; None: nothing is known of it. Of marks only the number is there:
        nothing on the disk says what was tried.
        """
        at, parts = self.at(now), dict[str, list[object] | None]()
        for scope, shelf in self._shelves.items():
            while shelf.changed and len(parts) < most:
                key = shelf.changed.popitem()[0]
                tally = shelf.find(key)
                (shelf.kept.discard if tally is None else shelf.kept.add)(key)
                parts[f"{scope.value} {key.hex()}"] = None if tally is None else _part(tally, at)
        return parts

    def not_kept(self, keys: Iterable[str]) -> None:
        """They are asked for again."""
        for key in keys:
            scope, _, name = key.partition(" ")
            shelf = self._shelves[Scope(scope)]
            shelf.changed[bytes.fromhex(name)] = None
            shelf.kept.add(bytes.fromhex(name))  # perhaps: nobody knows how far it came

    def restore(self, key: str, part: Any, now: float, elapsed_seconds: float) -> None:
        """What was told of it so long ago is so again. Raises ValueError for rubbish."""
        at, scope_name = self.at(now), key.partition(" ")[0]
        shelf, name = self._shelves[Scope(scope_name)], bytes.fromhex(key.partition(" ")[2])
        try:
            tally = _tally(part, at - max(0.0, elapsed_seconds))
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"no part of a ledger: {problem}") from None
        shelf.restore(name, tally, at)

    def at(self, now: float) -> float:
        """The ledger's own time, which never goes back."""
        if self._given is not None and now > self._given:
            self._time += now - self._given
        self._given = now
        return self._time


def _part(tally: Tally, at: float) -> list[object]:
    counts = {
        offence.value: [at - count.begins, count.number] for offence, count in (tally.counts or {}).items()
    }
    return [
        len(tally.marks) // MARK_BYTES, at - tally.marks_begin, counts, tally.until - at, tally.strikes,
        at - tally.latest,
    ]  # fmt: skip


def _tally(part: Any, at: float) -> Tally:
    """As `_part` told it then; `at` is that moment."""
    marks, marks_age, counts, left, strikes, age = part
    return Tally(
        b"".join(_anonymous(number) for number in range(min(int(marks), _MARKS_MOST))),
        at - float(marks_age),
        {Offence(name): _Count(at - float(begun), int(number)) for name, (begun, number) in counts.items()}
        or None,
        at + float(left),
        int(strikes),
        at - float(age),
    )


def _anonymous(number: int) -> bytes:
    """A mark that is no password's: real ones are keyed hashes."""
    return b"\0" * 4 + number.to_bytes(MARK_BYTES - 4, "big")


def _has(marks: bytes, mark: bytes) -> bool:
    at = marks.find(mark)
    while at > 0 and at % MARK_BYTES:
        at = marks.find(mark, at + 1)
    return at >= 0
