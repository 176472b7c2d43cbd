"""Splits jobs into parcels, one for each next hop, and gives each to the lane of its hop.

Fair between hops: each has its own queue and connections, and no queue may hold more than its share of
the jobs in memory, so that a dead or slow next hop never keeps others from their mail.
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


class AnyLane(Protocol):
    """A queue of parcels for one next hop."""

    @property
    def waiting(self) -> int: ...

    @property
    def is_unused(self) -> bool: ...

    def add(self, parcel: Parcel) -> None: ...

    def stop(self) -> list[Parcel]: ...

    def abort(self, reason: str) -> None: ...


class Settle(Protocol):
    """Hears what became of a parcel."""

    def __call__(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None: ...


class Dispatcher:
    """`make_lane` makes the lane of a next hop; `postpone` takes parcels whose lane is full."""

    def __init__(
        self,
        routing: Routing,
        make_lane: Callable[[NextHop], AnyLane],
        *,
        settle: Settle,
        postpone: Callable[[Parcel], None],
        lane_limit: int,
    ) -> None:
        self._routing = routing
        self._make_lane = make_lane
        self._settle = settle
        self._postpone = postpone
        self._lane_limit = lane_limit
        self._lanes: dict[NextHop, AnyLane] = {}
        # The hot path: by the domain as it stands in the envelope.
        self._by_domain: dict[str, AnyLane] = {}

    def send(self, errand: Errand) -> None:
        """Every remaining recipient is on its way, or settled already."""
        job = errand.job
        if len(job.remaining) == 1:
            domain = job.envelope.recipients[job.remaining[0]].address.domain
            lane = self._by_domain.get(domain)
            if lane is not None:
                self._add(lane, Parcel(errand, job.remaining, self._routing.to(domain)))
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
        if lane.waiting >= self._lane_limit:
            self._postpone(parcel)
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
        self._by_domain[domain] = self._lane(hop)

    def _prune(self) -> None:
        self._by_domain.clear()
        self._lanes = {hop: lane for hop, lane in self._lanes.items() if not lane.is_unused}


_NO_ADDRESS = Problem(550, "5.1.2", "the domain is not an address in brackets")
