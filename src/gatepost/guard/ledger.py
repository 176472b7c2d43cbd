"""What every source and every name has done wrong, in counts. Pure: the time is an argument.

`now` is seconds on any clock. Only the time between two calls counts: a clock that steps back has
stood still, one that steps forward has let time pass, and neither locks anybody out for longer.
The memory is bounded: of each scope so many are remembered, and the one that has been harmless the
longest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

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

    __slots__ = ("_bound", "_harmless", "_refused")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._harmless: OrderedDict[bytes, Tally] = OrderedDict()
        self._refused: OrderedDict[bytes, Tally] = OrderedDict()

    def find(self, key: bytes) -> Tally | None:
        return self._harmless.get(key) or self._refused.get(key)

    def touched(self, key: bytes, now: float) -> Tally:
        """The tally, made when there is none; it is the last to be forgotten now."""
        tally = self._harmless.pop(key, None) or self._refused.pop(key, None) or Tally()
        tally.latest = now
        (self._refused if tally.until > now else self._harmless)[key] = tally
        if len(self) > self._bound:
            self._forget_one()
        return tally

    def _forget_one(self) -> None:
        """The longest harmless; or a refused one where those fill half the room: new ones must count."""
        crowded = len(self._refused) * 2 > self._bound
        (self._refused if crowded or not self._harmless else self._harmless).popitem(last=False)

    def refused(self, key: bytes, tally: Tally) -> None:
        self._harmless.pop(key, None)
        self._refused[key] = tally

    def release(self, now: float) -> None:
        """Those whose time is over are harmless again, and the first to be forgotten."""
        over = [key for key, tally in self._refused.items() if tally.until <= now]
        for key in over:
            self._harmless[key] = self._refused.pop(key)
            self._harmless.move_to_end(key, last=False)

    def forget(self, key: bytes) -> bool:
        known = self._harmless.pop(key, None) or self._refused.pop(key, None)
        return known is not None

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
        self._given: float | None = None
        self._time = 0.0

    def note(self, scope: Scope, key: bytes, offence: Offence, now: float, mark: bytes | None = None) -> int:
        """The offence is counted; the new count. The same `mark` counts once."""
        at = self._at(now)
        tally = self._shelves[scope].touched(key, at)
        if mark is not None:
            return self._note_mark(tally, offence, at, mark)
        if tally.counts is None:
            tally.counts = {}
        count = tally.counts.get(offence)
        if count is None or at - count.begins >= self._windows[offence]:
            count = tally.counts[offence] = _Count(at, 0)
        count.number += 1
        return count.number

    def _note_mark(self, tally: Tally, offence: Offence, at: float, mark: bytes) -> int:
        if not tally.marks or at - tally.marks_begin >= self._windows[offence]:
            tally.marks, tally.marks_begin = b"", at
        if not _has(tally.marks, mark) and len(tally.marks) < _MARKS_MOST * MARK_BYTES:
            tally.marks += mark
        return len(tally.marks) // MARK_BYTES

    def count(self, scope: Scope, key: bytes, offence: Offence, now: float) -> int:
        """How often within the window. Wrong passwords: how many different ones."""
        at = self._at(now)
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
        at = self._at(now)
        tally = self._shelves[scope].find(key)
        if tally is None or at - tally.marks_begin >= self._windows[Offence.WRONG_PASSWORD]:
            return False
        return _has(tally.marks, mark)

    def forgive(self, scope: Scope, key: bytes, tag: bytes) -> None:
        """The wrong passwords whose marks begin with `tag` never were."""
        tally = self._shelves[scope].find(key)
        if tally is not None and tally.marks:
            marks = (tally.marks[at : at + MARK_BYTES] for at in range(0, len(tally.marks), MARK_BYTES))
            tally.marks = b"".join(mark for mark in marks if not mark.startswith(tag))

    def refuse(self, scope: Scope, key: bytes, now: float, seconds: float, most_seconds: float) -> float:
        """It is refused from now on, twice as long as the time before; for how many seconds.

        Its counts begin anew. Refused ones of the last week count.
        """
        at = self._at(now)
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
        at = self._at(now)
        tally = self._shelves[scope].find(key)
        if tally is not None and tally.until > at:
            tally.until = max(tally.until, at + seconds)

    def refused_seconds(self, scope: Scope, key: bytes, now: float) -> float:
        """For how long it is refused still; 0 when it is not."""
        at = self._at(now)
        tally = self._shelves[scope].find(key)
        return max(0.0, tally.until - at) if tally is not None else 0.0

    def pardon(self, scope: Scope, key: bytes) -> bool:
        """Nothing is known against it; whether there was anything."""
        return self._shelves[scope].forget(key)

    def refused(self, scope: Scope, now: float) -> Iterator[tuple[bytes, float]]:
        """All that are refused now, with the seconds that are left."""
        at = self._at(now)
        for key, tally in list(self._shelves[scope]):
            if tally.until > at:
                yield key, tally.until - at

    def tidy(self, now: float) -> None:
        """Call it now and then: refused ones whose time is over may be forgotten from now on."""
        at = self._at(now)
        for shelf in self._shelves.values():
            shelf.release(at)

    def size(self, scope: Scope) -> int:
        return len(self._shelves[scope])

    def snapshot(self, now: float) -> list[list[object]]:
        """All of it as JSON can hold it, for `restore`.

        Marks are left out and only their number kept: nothing on the disk says what was tried.
        """
        at = self._at(now)
        rows: list[list[object]] = []
        for scope, shelf in self._shelves.items():
            for key, tally in shelf:
                counts = {
                    offence.value: [at - count.begins, count.number]
                    for offence, count in (tally.counts or {}).items()
                }
                rows.append(
                    [
                        scope.value, key.hex(), len(tally.marks) // MARK_BYTES, at - tally.marks_begin,
                        counts, tally.until - at, tally.strikes, at - tally.latest,
                    ]
                )  # fmt: skip
        return rows

    def restore(self, rows: list[list[object]], now: float, elapsed_seconds: float) -> None:
        """Counts are as they were at the snapshot, `elapsed_seconds` later. Raises ValueError for rubbish."""
        at = self._at(now)
        elapsed = max(0.0, elapsed_seconds)
        for row in rows:
            self._restore(row, at, elapsed)

    def _restore(self, row: list[object], at: float, elapsed: float) -> None:
        try:
            scope, key, marks, marks_age, counts, left, strikes, age = row
            tally = self._shelves[Scope(scope)].touched(bytes.fromhex(str(key)), at)
            tally.marks = b"".join(_anonymous(number) for number in range(min(int(marks), _MARKS_MOST)))  # type: ignore[call-overload]
            tally.marks_begin = at - float(marks_age) - elapsed  # type: ignore[arg-type]
            tally.counts = {
                Offence(name): _Count(at - float(begun) - elapsed, int(number))
                for name, (begun, number) in dict(counts).items()  # type: ignore[call-overload]
            } or None
            tally.until = at + float(left) - elapsed  # type: ignore[arg-type]
            tally.strikes = int(strikes)  # type: ignore[call-overload]
            tally.latest = at - float(age) - elapsed  # type: ignore[arg-type]
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"no row of a ledger: {problem}") from None
        if tally.until > at:
            self._shelves[Scope(scope)].refused(bytes.fromhex(str(key)), tally)

    def _at(self, now: float) -> float:
        """The ledger's own time, which never goes back."""
        if self._given is not None and now > self._given:
            self._time += now - self._given
        self._given = now
        return self._time


def _anonymous(number: int) -> bytes:
    """A mark that is no password's: real ones are keyed hashes."""
    return b"\0" * 4 + number.to_bytes(MARK_BYTES - 4, "big")


def _has(marks: bytes, mark: bytes) -> bool:
    at = marks.find(mark)
    while at > 0 and at % MARK_BYTES:
        at = marks.find(mark, at + 1)
    return at >= 0
