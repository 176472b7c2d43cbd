"""When a directory that does not answer is worth an alarm. Pure: times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.guard.event import Event, EventKind
from gatepost.guard.rhythms import span_text


@dataclass(slots=True)
class _Outage:
    began: float
    told: bool = False


class Outages:
    """Of directories by their names; each outage is told once, after `after_seconds`."""

    def __init__(self, after_seconds: float) -> None:
        self.after_seconds = after_seconds
        self._outages: dict[str, _Outage] = {}

    def look(self, name: str, problem: str | None, now: float) -> Event | None:
        """`problem` None: it answers."""
        if problem is None:
            self._outages.pop(name, None)
            return None
        outage = self._outages.setdefault(name, _Outage(now))
        outage.began = min(outage.began, now)  # a clock that was set back
        if outage.told or now - outage.began < self.after_seconds:
            return None
        outage.told = True
        return Event(
            EventKind.DIRECTORY_DOWN,
            name,
            f"the directory {name} has not answered for {span_text(now - outage.began)}, and nobody of it "
            f"can log in anew: {problem}; `gatepost directory test` tries each step",
        )

    def keep(self, names: frozenset[str]) -> None:
        """There are no others any more."""
        self._outages = {name: outage for name, outage in self._outages.items() if name in names}
