"""In one worker: which devices were seen, until it is told to the one who watches all."""

from __future__ import annotations

from typing import Any

from gatepost.guard.attempt import Tried, Welcome
from gatepost.guard.sighting import DeviceKind, Sighting, Watched

Rows = list[list[Any]]


class Sightings:
    """A device that is seen ten times in a second is one row; `at` is left to whoever hears it."""

    def __init__(self) -> None:
        self._sent: dict[Watched, str] = {}
        self._logged_in: dict[Watched, str] = {}

    def sent(self, what: Watched, source: str) -> None:
        """It handed in a message."""
        self._sent[what] = source

    def tried(self, tried: Tried) -> None:
        """A login; that of a device is a use of its secret."""
        if isinstance(tried.outcome, Welcome) and tried.outcome.device is not None:
            what = Watched(DeviceKind.APP_PASSWORD, tried.outcome.identity.name, tried.outcome.device)
            self._logged_in[what] = str(tried.attempt.peer)

    def taken(self) -> Rows:
        """What was seen since it was last taken."""
        if not self._sent and not self._logged_in:
            return []
        rows = [
            [what.kind.value, what.of, what.label, source, sent]
            for seen, sent in ((self._logged_in, False), (self._sent, True))
            for what, source in seen.items()
        ]
        self._sent, self._logged_in = {}, {}
        return rows


def sighting_of(row: list[Any], now: float) -> Sighting:
    """What a worker's row says."""
    kind, of, label, source, sent = row
    return Sighting(Watched(DeviceKind(kind), str(of), str(label)), str(source), now, sent=bool(sent))
