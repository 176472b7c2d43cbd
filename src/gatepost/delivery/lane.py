"""The queue of one next hop and its connections.

Connections are opened while parcels wait, up to a limit; each takes parcels by itself as fast as its
host answers. When no host can be reached all that waits is deferred in one go and the lane rests for a
while: what comes meanwhile is deferred at once, so that a dead next hop costs the others nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from gatepost.delivery.nexthop import NextHop
from gatepost.delivery.parcel import Parcel, Problem
from gatepost.delivery.transaction import Transaction
from gatepost.mail.outcome import Outcome

_MAX_HANDED_BACK = 3
# So many connections in a row that carried nothing are as good as none.
_MAX_FRUITLESS = 3
# So many parcels wait for each busy connection rather than for an idle one, which they would cost a write
# and a read of its own: behind another's content they go for nothing. But not for longer than this.
_WAITING_FOR_BUSY = 3
_PATIENCE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """`rest_seconds` is the first rest of a dead next hop; it doubles up to `max_rest_seconds`."""

    connections: int = 20
    at_once: int = 5
    rest_seconds: float = 15.0
    max_rest_seconds: float = 300.0


class Carrier(Protocol):
    """An open connection that carries parcels. Lost already, `carry` tells `gone`."""

    def carry(self) -> None:
        """It was idle and a parcel waits: it takes what waits."""

    def close(self) -> None:
        """It says QUIT after the transaction in hand."""

    def abort(self, reason: str) -> None:
        """It is cut off; what it carries is deferred."""


class NoCarrier(Exception):
    """No connection could be opened. `host` names the last one tried."""

    def __init__(self, problem: Problem, host: str | None = None) -> None:
        super().__init__(problem.text)
        self.problem = problem
        self.host = host


class Settle(Protocol):
    """Hears outcomes. `more`: others follow."""

    def __call__(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None: ...


Open = Callable[["Lane"], Awaitable[Carrier]]


class Lane:
    """All parcels for one next hop. `settle` hears the outcomes and whether DSN requests went with them."""

    def __init__(
        self,
        hop: NextHop,
        open_carrier: Open,
        settle: Settle,
        *,
        clock: Callable[[], float],
        limits: LaneLimits,
    ) -> None:
        self.hop = hop
        self._open = open_carrier
        self._settle = settle
        self._clock = clock
        self._limits = limits
        self._waiting: deque[Parcel] = deque()
        self._carriers: set[Carrier] = set()
        self._idle: list[Carrier] = []
        self._openings: set[asyncio.Task[None]] = set()
        self._allowed = limits.connections
        self._rest_until = 0.0
        self._rests = 0
        self._fruitless = 0
        self._reason: NoCarrier | None = None
        self._stopping = False
        self._patience: asyncio.TimerHandle | None = None
        self.done = 0  # parcels settled or sent back

    @property
    def is_unused(self) -> bool:
        return not (self._waiting or self._carriers or self._openings)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, parcel: Parcel) -> None:
        """The parcel waits, is being carried, or was deferred at once because the lane rests."""
        if self._reason is not None:
            if self._clock() < self._rest_until:
                self._refuse(parcel, self._reason)
                return
            self._reason = None
        self._waiting.append(parcel)
        idle = self._idle
        if not idle:
            self._grow()
        elif len(self._waiting) > _WAITING_FOR_BUSY * (len(self._carriers) - len(idle)):
            idle.pop().carry()
        elif self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._waited)

    def _waited(self) -> None:
        """What waits still is carried by who is idle."""
        self._patience = None
        while self._idle and self._waiting:
            self._idle.pop().carry()
        if self._waiting:
            self._grow()

    # what carriers call

    def next_parcel(self) -> Parcel | None:
        """The parcel to carry next; None: nothing waits."""
        return self._waiting.popleft() if self._waiting and not self._stopping else None

    def settled(self, transaction: Transaction) -> None:
        """A transaction is over. Recipients left over wait again, first in the queue."""
        parcel = transaction.parcel
        self.done += 1
        if transaction.left_over and not self._stopping:
            parcel.recipients = transaction.left_over
            self._waiting.appendleft(parcel)
            self._settle(parcel, transaction.outcomes, more=True)
        else:
            self._settle(parcel, transaction.outcomes, more=False)

    def obstructed(self, parcel: Parcel, problem: Problem, host: str | None) -> None:
        """The parcel cannot be offered to this host at all."""
        self.done += 1
        self._settle(parcel, parcel.all(problem, host), more=False)

    def handed_back(self, parcel: Parcel, reason: str, host: str) -> None:
        """The connection ended before the host was told of the parcel: another one may carry it."""
        parcel.handed_back += 1
        if parcel.handed_back > _MAX_HANDED_BACK or self._stopping:
            self.obstructed(parcel, Problem(451, "4.4.2", reason), host)
        else:
            self._waiting.appendleft(parcel)

    def idle(self, carrier: Carrier) -> None:
        self._idle.append(carrier)

    def gone(self, carrier: Carrier, fruitless: Problem | None) -> None:
        """The connection is over; another one is opened when parcels wait.

        `fruitless`: it broke before it had carried anything, for this reason.
        """
        self._carriers.discard(carrier)
        self._fruitless = 0 if fruitless is None else self._fruitless + 1
        if carrier in self._idle:
            self._idle.remove(carrier)
        if not self._carriers:
            self._allowed = self._limits.connections
        if fruitless is not None and self._fruitless >= _MAX_FRUITLESS:
            self._failed(NoCarrier(fruitless))
        self._grow()

    # opening

    def _grow(self) -> None:
        while self._wants_more():
            task = asyncio.get_running_loop().create_task(self._open_one())
            self._openings.add(task)
            task.add_done_callback(self._opened)

    def _wants_more(self) -> bool:
        waiting = len(self._waiting)
        # one alone until it is known that there is somebody
        at_once = self._limits.at_once if self._carriers else 1
        if self._stopping or len(self._openings) >= min(waiting, at_once):
            return False
        # the first few at once, then one for every ten that wait: a fast host needs no more
        wanted = min(waiting, at_once) + max(0, waiting - at_once) // 10
        return len(self._carriers) + len(self._openings) < min(wanted, self._allowed)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._openings.discard(task)
        if not task.cancelled() and task.exception() is None:
            self._grow()

    async def _open_one(self) -> None:
        try:
            carrier = await self._open(self)
        except NoCarrier as reason:
            self._failed(reason)
            return
        except Exception as error:  # the top of a task: what waits must not wait for ever
            self._failed(NoCarrier(Problem(451, "4.3.0", f"internal error: {type(error).__name__}")))
            return
        if not self._fruitless:
            self._rests = 0
        self._carriers.add(carrier)
        carrier.carry()

    def _failed(self, reason: NoCarrier) -> None:
        if self._carriers:
            # it takes no more connections than it has; those go on
            self._allowed = len(self._carriers)
            return
        if reason.problem.code < 500:
            rest = min(self._limits.rest_seconds * 2**self._rests, self._limits.max_rest_seconds)
            self._rests = min(self._rests + 1, 16)
            self._rest_until = self._clock() + rest
            self._reason = reason
        waiting, self._waiting = self._waiting, deque()
        for parcel in waiting:
            self._refuse(parcel, reason)

    def _refuse(self, parcel: Parcel, reason: NoCarrier) -> None:
        self.obstructed(parcel, reason.problem, reason.host)

    # the end

    def stop(self) -> list[Parcel]:
        """No new transaction begins; gives back what was not begun. Idle connections are closed."""
        self._stopping = True
        if self._patience is not None:
            self._patience.cancel()
        for task in self._openings:
            task.cancel()
        for carrier in tuple(self._carriers):
            carrier.close()
        waiting, self._waiting = self._waiting, deque()
        return list(waiting)

    def abort(self, reason: str) -> None:
        """What is still under way is deferred, for this reason."""
        for carrier in tuple(self._carriers):
            carrier.abort(reason)
