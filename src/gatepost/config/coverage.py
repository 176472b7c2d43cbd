"""Which access entry speaks of everybody that another speaks of. Pure comparison, no client needed."""

from __future__ import annotations

from gatepost.policy.access import Entry, Kind
from gatepost.policy.principal import Network, Principal

_LOGGED_IN = frozenset({Kind.AUTHENTICATED, Kind.USER, Kind.GROUP})


def covers(outer: Entry, inner: Entry) -> bool:
    """Whether `outer` holds for every client for which `inner` holds. A no may be a "cannot tell"."""
    if outer.tls and not inner.tls:
        return False
    return _to_covers(outer.to, inner.to) and _from_covers(outer, inner)


def may_meet(one: Entry, other: Entry) -> bool:
    """Whether some client could be meant by both. A yes may be a "cannot tell"."""
    if {one.to.kind, other.to.kind} & {Kind.ANONYMOUS} and {one.to.kind, other.to.kind} & _LOGGED_IN:
        return False
    mine, others = _places(one), _places(other)
    if mine is None or others is None:
        return True
    return any(network.overlaps(place) for network in mine for place in others)


def _to_covers(outer: Principal, inner: Principal) -> bool:
    if outer.kind is Kind.ANYONE:
        return True
    if outer.kind is Kind.AUTHENTICATED:
        return inner.kind in _LOGGED_IN
    if outer.kind is Kind.NET and inner.network is not None:
        return _within(inner.network, outer.network)
    return outer.kind is inner.kind and outer.name == inner.name


def _from_covers(outer: Entry, inner: Entry) -> bool:
    if outer.networks is None:
        return True
    places = _places(inner)
    if places is None:
        return False
    return all(any(_within(place, network) for network in outer.networks) for place in places)


def _places(entry: Entry) -> tuple[Network, ...] | None:
    """Networks outside which the entry does not hold; None when it may hold anywhere."""
    if entry.networks is not None:
        return entry.networks
    return None if entry.to.network is None else (entry.to.network,)


def _within(inner: Network, outer: Network | None) -> bool:
    # subnet_of raises for two versions, and the types of the two are not known to be one.
    if outer is None or inner.version != outer.version:
        return False
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen
