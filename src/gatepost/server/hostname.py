"""The peer's host names by forward-confirmed reverse DNS (RFC 1912 §2.1)."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver
import dns.reversename

from gatepost.policy.facts import UNKNOWN, Peer, UnknownType

_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)
_NAMES_LIMIT = 10


async def confirmed_hostnames(
    peer: Peer, resolver: dns.asyncresolver.Resolver, *, timeout_seconds: float = 5.0
) -> frozenset[str] | UnknownType:
    """The names whose address records point back at `peer`, lower case, without the final dot.

    Empty when it has none; UNKNOWN when DNS did not answer in time.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            names = await _pointers(peer, resolver)
            confirmed = await asyncio.gather(*(_points_back(name, peer, resolver) for name in names))
    except (TimeoutError, dns.exception.DNSException, OSError):
        return UNKNOWN
    return frozenset(name for name, yes in zip(names, confirmed, strict=True) if yes)


async def _pointers(peer: Peer, resolver: dns.asyncresolver.Resolver) -> list[str]:
    try:
        answer = await resolver.resolve(dns.reversename.from_address(str(peer)), "PTR")
    except _NOTHING:
        return []
    return [str(record.target).rstrip(".").lower() for record in answer][:_NAMES_LIMIT]


async def _points_back(name: str, peer: Peer, resolver: dns.asyncresolver.Resolver) -> bool:
    kind = dns.rdatatype.A if peer.version == 4 else dns.rdatatype.AAAA
    try:
        answer = await resolver.resolve(name, kind)
    except _NOTHING:
        return False
    return any(ip_address(record.address) == peer for record in answer)
