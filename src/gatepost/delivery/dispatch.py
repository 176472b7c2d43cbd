"""Splits jobs into parcels, one for each next hop, and gives each to the lane of its hop.

Fair between hops: each has its own queue and connections. The jobs in memory are few while all hops are
quick; what waits for a slow one does not count among them, and more than a share of it is put back into
the spool until its turn. So a dead or slow next hop never keeps others from their mail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gatepost.delivery.nexthop import Kind, NextHop
from gatepost.delivery.parcel import Errand, Parcel, Problem
from gatepost.delivery.route import Routing, Unroutable
from gatepost.mail.outcome import Outcome

_LANES = 1_000
_DOMAINS = 10_000
# A lane whose parcels wait longer than this is slow.
_QUICK_SECONDS = 2.0
_EARLIEST_TURN_SECONDS = 1.0
_LATEST_TURN_SECONDS = 60.0


class AnyLane(Protocol):
    """A queue of parcels for one next hop."""

    @property
    def waiting(self) -> int: ...

    @property
    def done(self) -> int: ...

    @property
    def is_unused(self) -> bool: ...

    def add(self, parcel: Parcel) -> None: ...

    def stop(self) -> list[Parcel]: ...

    def abort(self, reason: str) -> None: ...


class Settle(Protocol):
    """Hears what became of a parcel."""

    def __call__(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None: ...


class Dispatcher:
    """`make_lane` makes the lane of a next hop. `postpone` takes parcels that are to come again after so
    many seconds: their lane is slow and has more than `lane_limit` waiting.
    """

    def __init__(
        self,
        routing: Routing,
        make_lane: Callable[[NextHop], AnyLane],
        *,
        settle: Settle,
        postpone: Callable[[Parcel, float], None],
        lane_limit: int,
    ) -> None:
        self._routing = routing
        self._make_lane = make_lane
        self._settle = settle
        self._postpone = postpone
        self._lane_limit = lane_limit
        self._lanes: dict[NextHop, AnyLane] = {}
        self._done: dict[AnyLane, int] = {}
        self._turns: dict[AnyLane, float] = {}  # of slow lanes: when their put off parcels come again
        # The hot path: by the domain as it stands in the envelope.
        self._by_domain: dict[str, tuple[NextHop, AnyLane]] = {}

    def send(self, errand: Errand) -> None:
        """Every remaining recipient is on its way, or settled already."""
        job = errand.job
        if len(job.remaining) == 1:
            domain = job.envelope.recipients[job.remaining[0]].address.domain
            known = self._by_domain.get(domain)
            if known is not None:
                hop, lane = known
                if self._turns:
                    self._add(lane, Parcel(errand, job.remaining, hop))
                else:
                    lane.add(Parcel(errand, job.remaining, hop))
                return
        parcels = self._split(errand)
        errand.open_parcels = len(parcels)
        for parcel in parcels:
            self.route(parcel)
        if len(parcels) == 1 and len(job.remaining) == 1:
            self._remember(job.envelope.recipients[job.remaining[0]].address.domain, parcels[0].hop)

    def route(self, parcel: Parcel) -> None:
        """The parcel is in the lane of its next hop."""
        self._add(self._lane(parcel.hop), parcel)

    def hand_over(self, parcel: Parcel, recipients: Sequence[int], hop: NextHop) -> None:
        """Some recipients of a parcel go to another next hop instead."""
        parcel.errand.open_parcels += 1
        self.route(Parcel(parcel.errand, recipients, hop))

    def look_round(self, seconds: float) -> int:
        """Which lanes were slow in the last `seconds` is known now; how many parcels wait in those."""
        before, self._done = self._done, {lane: lane.done for lane in self._lanes.values()}
        self._turns = {}
        waiting = 0
        for lane, done in self._done.items():
            if lane not in before:
                continue  # too new to be judged
            pace = (done - before[lane]) / seconds
            if lane.waiting > max(self._lane_limit // 10, pace * _QUICK_SECONDS):
                # half of its share will be gone by then
                turn = self._lane_limit / 2 / pace if pace else _LATEST_TURN_SECONDS
                self._turns[lane] = min(max(turn, _EARLIEST_TURN_SECONDS), _LATEST_TURN_SECONDS)
                waiting += lane.waiting
        return waiting

    def stop(self) -> list[Parcel]:
        """No lane begins anything new; gives back what was not begun."""
        return [parcel for lane in self._lanes.values() for parcel in lane.stop()]

    def abort(self, reason: str) -> None:
        """What is still under way is deferred."""
        for lane in tuple(self._lanes.values()):
            lane.abort(reason)

    def _split(self, errand: Errand) -> list[Parcel]:
        job = errand.job
        by_hop: dict[NextHop, list[int]] = {}
        unroutable: list[int] = []
        for index in job.remaining:
            domain = job.envelope.recipients[index].address.domain
            try:
                by_hop.setdefault(self._routing.to(domain), []).append(index)
            except Unroutable:
                unroutable.append(index)
        parcels = [Parcel(errand, indexes, hop) for hop, indexes in by_hop.items()]
        if unroutable:
            errand.open_parcels = len(parcels) + 1
            lost = Parcel(errand, unroutable, NextHop(Kind.MX))
            self._settle(lost, lost.all(_NO_ADDRESS), more=False)
        return parcels

    def _add(self, lane: AnyLane, parcel: Parcel) -> None:
        if self._turns and lane.waiting >= self._lane_limit and lane in self._turns:
            self._postpone(parcel, self._turns[lane])
        else:
            lane.add(parcel)

    def _lane(self, hop: NextHop) -> AnyLane:
        lane = self._lanes.get(hop)
        if lane is None:
            if len(self._lanes) >= _LANES:
                self._prune()
            lane = self._lanes[hop] = self._make_lane(hop)
        return lane

    def _remember(self, domain: str, hop: NextHop) -> None:
        if len(self._by_domain) >= _DOMAINS:
            self._by_domain.clear()
        self._by_domain[domain] = hop, self._lane(hop)

    def _prune(self) -> None:
        self._by_domain.clear()
        self._lanes = {hop: lane for hop, lane in self._lanes.items() if not lane.is_unused}


_NO_ADDRESS = Problem(550, "5.1.2", "the domain is not an address in brackets")
