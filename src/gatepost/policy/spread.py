"""TO HOW MANY DIFFERENT PLACES a user sends within a day. Pure: the time is an argument.

`now` is seconds on any clock that does not step back.
"""

from __future__ import annotations

from collections import OrderedDict


class Spread:
    """Of each user the places it sent to, each until `lasts_seconds` after it was last counted."""

    def __init__(self, lasts_seconds: float) -> None:
        self._lasts_seconds = lasts_seconds
        self._users: dict[str, OrderedDict[str, float]] = {}

    def take(self, user: str, place: str, most: int, now: float) -> float | None:
        """Counts the place and answers None; or counts nothing and answers how many seconds to wait."""
        places = self._users.setdefault(user, OrderedDict())
        _forget(places, now)
        if place not in places and len(places) >= most:
            return next(iter(places.values())) - now
        places[place] = now + self._lasts_seconds
        places.move_to_end(place)
        return None

    def forget_idle(self, now: float) -> None:
        """Call it now and then."""
        for user, places in list(self._users.items()):
            _forget(places, now)
            if not places:
                del self._users[user]


def _forget(places: OrderedDict[str, float], now: float) -> None:
    while places and (first := next(iter(places.items())))[1] <= now:
        del places[first[0]]
