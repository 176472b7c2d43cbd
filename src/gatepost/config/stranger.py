"""COULD A STRANGER RELAY? The access page is asked as one, from everywhere.

An access table tells peers apart only by the networks it names. Between two neighbouring borders of
those networks all addresses get the same answer, so asking one of each region asks for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import pairwise
from typing import Final

from gatepost.config.finding import Stranger
from gatepost.config.schema import Settings, SmtpServer, TlsMode
from gatepost.mail.address import Address
from gatepost.policy.access import Entry, Right, Table, may
from gatepost.policy.facts import Facts, Peer
from gatepost.policy.principal import Network

# Nobody outside the house has an address in these: RFC 1918, RFC 6598, RFC 4193, loopback, link-local.
PRIVATE: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
# No connection comes from these: "this network", multicast, reserved; IPv4-mapped peers are unmapped.
_NO_PEERS: Final[tuple[Network, ...]] = tuple(
    map(ip_network, ("0.0.0.0/8", "224.0.0.0/3", "::/128", "::ffff:0:0/96", "ff00::/8"))
)
# Shown where they stand for their region, since readers know them as examples (RFC 5737, RFC 3849).
_EXAMPLES: Final[tuple[Peer, ...]] = (ip_address("198.51.100.7"), ip_address("2001:db8::7"))


@dataclass(frozen=True, slots=True)
class OpenRelay:
    """The entry that lets the stranger through. `regions` is how many regions of peers it opens."""

    server: SmtpServer
    entry: Entry
    stranger: Stranger
    regions: int


def open_relays(settings: Settings) -> Iterator[OpenRelay]:
    """Each entry by which a stranger could relay, with one stranger who could."""
    for server in settings.smtp.values():
        through: dict[Entry, list[Facts]] = {}
        for facts in _strangers(server):
            entry = _relaying_entry(server.access, facts)
            if entry is not None:
                through.setdefault(entry, []).append(facts)
        for entry, all_facts in through.items():
            stranger = _shown(server, all_facts, settings)
            yield OpenRelay(server, entry, stranger, len({facts.peer for facts in all_facts}))


def _relaying_entry(table: Table, facts: Facts) -> Entry | None:
    """The entry that gives relay, when the client gets as far as naming a recipient."""
    if not (may(Right.CONNECT, facts, table).allowed and may(Right.SUBMIT, facts, table).allowed):
        return None
    verdict = may(Right.RELAY, facts, table)
    return verdict.entry if verdict.allowed else None


def _strangers(server: SmtpServer) -> Iterator[Facts]:
    in_clear = server.tls in (TlsMode.OFF, TlsMode.OFFER)
    over_tls = server.tls is not TlsMode.OFF
    for peer in public_peers(_networks(server.access)):
        if in_clear:
            yield Facts(peer, tls=False, hostnames=frozenset())
        if over_tls:
            yield Facts(peer, tls=True, hostnames=frozenset())


def _networks(table: Table) -> Iterator[Network]:
    for entry in table.entries:
        yield from entry.networks or ()
        if entry.to.network is not None:
            yield entry.to.network


def public_peers(named: Iterable[Network]) -> list[Peer]:
    """One address of every region between the borders of `named` that strangers can come from."""
    inner = (*PRIVATE, *_NO_PEERS)
    networks = (*named, *inner)
    regions = [*_regions(networks, 4), *_regions(networks, 6)]
    return [_example(region) for region in regions if not any(region.first in net for net in inner)]


@dataclass(frozen=True, slots=True)
class _Region:
    first: Peer
    last: int


def _regions(networks: Iterable[Network], version: int) -> Iterator[_Region]:
    mine = [network for network in networks if network.version == version]
    borders = {0, 2**32 if version == 4 else 2**128}
    for network in mine:
        borders |= {int(network.network_address), int(network.broadcast_address) + 1}
    ordered = sorted(borders)
    for begins, ends in pairwise(ordered):
        yield _Region(IPv4Address(begins) if version == 4 else IPv6Address(begins), ends - 1)


def _example(region: _Region) -> Peer:
    for example in _EXAMPLES:
        if example.version == region.first.version and int(region.first) <= int(example) <= region.last:
            return example
    return region.first


def _shown(server: SmtpServer, all_facts: list[Facts], settings: Settings) -> Stranger:
    facts = next((facts for facts in all_facts if facts.peer in _EXAMPLES), all_facts[0])
    domain = next(name for name in _elsewhere() if name not in settings.domains)
    return Stranger(
        server.name, facts.peer, facts.tls, Address("stranger", "sender.example"), Address("victim", domain)
    )


def _elsewhere() -> Iterator[str]:
    yield "else.example"
    number = 1
    while True:
        yield f"else{number}.example"
        number += 1
