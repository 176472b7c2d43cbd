"""TO HOW MANY DIFFERENT PLACES a user sends within a day. Pure: the time is an argument.

`now` is seconds on any clock that does not step back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping


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

    def __contains__(self, user: str) -> bool:
        return user in self._users

    def snapshot(self, user: str, now: float) -> dict[str, float]:
        """The places, each with the seconds that it counts still."""
        return {
            place: round(until - now, 3) for place, until in self._users.get(user, {}).items() if until > now
        }

    def restore(self, user: str, places: Mapping[str, float], now: float) -> None:
        """As it was; `now` is the time of the snapshot on this clock. Raises ValueError for rubbish."""
        try:
            soonest_first = sorted(places.items(), key=lambda row: float(row[1]))
            self._users[user] = OrderedDict((place, now + float(left)) for place, left in soonest_first)
        except (AttributeError, TypeError) as problem:
            raise ValueError(f"no places: {problem}") from None

    def forget_idle(self, now: float) -> None:
        """Call it now and then."""
        for user, places in list(self._users.items()):
            _forget(places, now)
            if not places:
                del self._users[user]


def _forget(places: OrderedDict[str, float], now: float) -> None:
    while places and (first := next(iter(places.items())))[1] <= now:
        del places[first[0]]
