"""In one worker: what its users may still send, who of them is contained, and what they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from gatepost.guard.allowance import Allowances, Unused
from gatepost.guard.sightings import Sightings
from gatepost.policy.allotment import Allotment

_SENT_AT_ONCE: Final = 200
_TIDY_EVERY: Final = 60

# None: go on. Seconds: wait so long. An awaitable of either when others must be asked.
Wait = float | Awaitable[float | None] | None


class Line(Protocol):
    """The way to the custody of all workers."""

    async def ask(self, verb: str, **fields: Any) -> Any: ...
    def tell(self, verb: str, **fields: Any) -> None: ...


class Conduct:
    """`clock` counts seconds. Before `join` nobody is contained and nothing is told."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._allowances = Allowances(clock)
        self.sightings = Sightings()
        self.take = self._allowances.take  # once or twice a message: no call between
        self._line: Line | None = None
        self._contained: frozenset[str] = frozenset()
        self._sent: list[list[Any]] = []
        self._refused: dict[str, int] = {}
        self._allowed: dict[str, list[int]] = {}
        self._flushes = 0

    def join(self, line: Line) -> None:
        self._line = line
        self._allowances.join(line)

    def part(self) -> None:
        self._line = None
        self._allowances.part()

    def hear(self, contained: Sequence[str]) -> None:
        """These and no others are contained."""
        self._contained = frozenset(contained)

    def is_contained(self, user: str) -> bool:
        return user in self._contained

    def take_domain(self, user: str, domain: str, most: int) -> Wait:
        """Counts the domain among those the user sent to within a day; answers as `take` does."""
        return self._allowances.take_domain(user, domain, most)

    def give_back(self, user: str, use: str) -> None:
        """The last that was taken is not used."""
        self._allowances.give_back(user, use)

    def call_back(self, user: str, use: str) -> Unused | None:
        """What was leased and not used; it is not this worker's any more."""
        return self._allowances.call_back(user, use)

    async def close(self) -> None:
        """All is told and given back; nobody is served any more."""
        self.flush()
        await self._allowances.close()

    def sent(self, user: str, peer: str, recipients: Sequence[str]) -> None:
        """A message was taken in from the user; it is told with the next `flush`."""
        self._sent.append([user, peer, *recipients])
        if len(self._sent) >= _SENT_AT_ONCE:
            self.flush()

    def refused_by_next_hop(self, user: str) -> None:
        """A recipient of the user's mail was refused for good."""
        self._refused[user] = self._refused.get(user, 0) + 1

    def allowed(self, user: str, given: Allotment) -> None:
        """So much the administrator gave to the user or its groups, apart from everybody."""
        recipients = given.recipients_per_day or given.recipients_per_hour or 0
        self._allowed[user] = [recipients, given.domains_per_day or recipients]

    def flush(self) -> None:
        """Call it about once a second."""
        if self._line is not None and (self._sent or self._refused or self._allowed):
            self._line.tell("conduct", sent=self._sent, refused=self._refused, allowed=self._allowed)
        self._sent, self._refused, self._allowed = [], {}, {}
        seen = self.sightings.taken()
        if seen and self._line is not None:
            self._line.tell("sightings", seen=seen)
        self._flushes += 1
        if self._flushes % _TIDY_EVERY == 0:
            self._allowances.tidy()
