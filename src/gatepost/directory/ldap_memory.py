"""What a directory said of its people, and how long it is believed.

Facts are fresh for `facts_seconds`. After that they are learnt anew; while the directory is silent they
go on being believed until they are `stale_seconds` old, and no longer: then nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gatepost.directory.cache import Cache

_REMEMBERED: Final = 10_000
_RECHECK_SECONDS: Final = 1.0

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Ages:
    """How long facts are fresh, and how old they may be believed at all."""

    facts_seconds: float
    stale_seconds: float


@dataclass(frozen=True, slots=True)
class Learnt(Generic[V]):
    """A fact and when it was learnt."""

    fact: V
    at: float


class Memory(Generic[K, V]):
    """Facts by their key. `due` is when somebody who relies on one of them should ask anew."""

    def __init__(self, ages: Ages, clock: Callable[[], float]) -> None:
        self._ages = ages
        self._clock = clock
        self._facts: Cache[K, Learnt[V]] = Cache(_REMEMBERED)
        self.due = math.inf

    def fresh(self, key: K, *, seconds: float | None = None) -> V | None:
        """The fact while it needs no asking; `seconds` shortens how long that is."""
        learnt = self._facts.get(key)
        limit = self._ages.facts_seconds if seconds is None else min(seconds, self._ages.facts_seconds)
        return learnt.fact if learnt is not None and self._clock() - learnt.at < limit else None

    def believed(self, key: K) -> V | None:
        """The fact while it may be believed though the directory is silent; it is to be asked again soon."""
        learnt = self._facts.get(key)
        if learnt is None or self._clock() - learnt.at >= self._ages.stale_seconds:
            return None
        self.due = min(self.due, self._clock() + _RECHECK_SECONDS)
        return learnt.fact

    def put(self, key: K, fact: V) -> None:
        at = self._clock()
        self._facts.put(key, Learnt(fact, at))
        self.due = min(self.due, at + self._ages.facts_seconds)

    def forget(self, key: K) -> None:
        self._facts.forget(key)

    def ripened(self) -> bool:
        """Whether some fact is no longer fresh since the last time this was asked."""
        now = self._clock()
        if now < self.due:
            return False
        ends = (learnt.at + self._ages.facts_seconds for learnt in self._facts.answers())
        self.due = min((end for end in ends if end > now), default=math.inf)
        return True
