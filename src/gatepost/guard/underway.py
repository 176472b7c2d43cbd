"""Tries that are not decided yet: they may still turn out wrong. Pure."""

from __future__ import annotations

from gatepost.guard.trial import Place, Trial


class UnderWay:
    """At most one try a session. The same mark at the same place is one guess, however many try it."""

    def __init__(self) -> None:
        self._sessions: dict[str, Trial] = {}
        self._places: dict[Place, dict[bytes, int]] = {}

    def begin(self, session_id: str, trial: Trial) -> None:
        self.gone(session_id)
        self._sessions[session_id] = trial
        mark = trial.mark
        for bound in trial.bounds:
            marks = self._places.get(bound.place)
            if marks is None:
                self._places[bound.place] = {mark: 1}
            else:
                marks[mark] = marks.get(mark, 0) + 1

    def gone(self, session_id: str) -> Trial | None:
        """The try that was under way there, which is so no more."""
        trial = self._sessions.pop(session_id, None)
        if trial is None:
            return None
        mark, places = trial.mark, self._places
        for bound in trial.bounds:
            marks = places[bound.place]
            if marks[mark] > 1:
                marks[mark] -= 1
            elif len(marks) > 1:
                del marks[mark]
            else:
                del places[bound.place]
        return trial

    def expire(self, before: float) -> None:
        """Tries that began before then are gone."""
        while self._sessions:
            session_id = next(iter(self._sessions))
            if self._sessions[session_id].at >= before:
                return
            self.gone(session_id)

    def others(self, place: Place, mark: bytes) -> int:
        """How many different guesses but this one are under way there."""
        marks = self._places.get(place)
        return 0 if marks is None else len(marks) - (mark in marks)

    def sessions(self) -> list[str]:
        return list(self._sessions)
