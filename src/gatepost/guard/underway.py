"""Tries that are not decided yet: they may still turn out wrong. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.guard.ledger import Scope

Place = tuple[Scope, bytes]


@dataclass(frozen=True, slots=True)
class _Begun:
    mark: bytes
    places: Sequence[Place]
    at: float


class UnderWay:
    """At most one try a session. The same mark at the same place is one guess, however many try it."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Begun] = {}
        self._places: dict[Place, dict[bytes, int]] = {}

    def begin(self, session_id: str, mark: bytes, places: Sequence[Place], now: float) -> None:
        self.gone(session_id)
        self._sessions[session_id] = _Begun(mark, places, now)
        for place in places:
            marks = self._places.setdefault(place, {})
            marks[mark] = marks.get(mark, 0) + 1

    def gone(self, session_id: str) -> None:
        begun = self._sessions.pop(session_id, None)
        if begun is None:
            return
        for place in begun.places:
            marks = self._places[place]
            marks[begun.mark] -= 1
            if not marks[begun.mark]:
                del marks[begun.mark]
            if not marks:
                del self._places[place]

    def expire(self, before: float) -> None:
        """Tries that began before then are gone."""
        while self._sessions:
            session_id, oldest = next(iter(self._sessions.items()))
            if oldest.at >= before:
                return
            self.gone(session_id)

    def others(self, place: Place, mark: bytes) -> int:
        """How many different guesses but this one are under way there."""
        marks = self._places.get(place)
        return 0 if marks is None else len(marks) - (mark in marks)

    def sessions(self) -> list[str]:
        return list(self._sessions)
