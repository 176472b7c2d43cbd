"""Who could relay through a virtual server, and by which entry.

The access page is asked for every user an entry may mean, and for whoever is not logged in, from
every place the table tells apart: the networks it names and elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from gatepost.config.schema import SmtpServer, TlsMode
from gatepost.policy.access import Effect, Entry, Kind, Network, Principal, Right, Table, Verdict, may
from gatepost.policy.facts import ClientCertificate, Facts, Identity, Peer
from gatepost.policy.reasons import Reason

_ELSEWHERE = (ip_address("198.51.100.7"), ip_address("2001:db8::7"), ip_address("192.0.2.7"))
_STEPS = (Right.CONNECT, Right.SUBMIT, Right.RELAY)
_LOGGED_IN = frozenset({Kind.AUTHENTICATED, Kind.USER, Kind.GROUP})


@dataclass(frozen=True, slots=True)
class Place:
    """Where all peers get the same answers. `network` None: outside all networks the table names."""

    network: Network | None
    peer: Peer

    def __str__(self) -> str:
        return "elsewhere" if self.network is None else str(self.network)


@dataclass(frozen=True, slots=True)
class Relayer:
    """Somebody an entry may mean. `reason` is why not, when `entries` is empty.

    `identity` None: whoever is not logged in, as a `principal` of host or certificate if that is set.
    `places` are where it works from; `over_tls`: only over TLS.
    """

    identity: Identity | None
    principal: Principal | None
    entries: tuple[Entry, ...]
    places: tuple[str, ...]
    over_tls: bool
    reason: Reason
    entry: Entry | None = None

    @property
    def may(self) -> bool:
        return bool(self.entries)


@dataclass(slots=True)
class _Found:
    entries: dict[Entry, None] = field(default_factory=dict)
    places: dict[str, None] = field(default_factory=dict)
    in_clear: bool = False
    last: Verdict | None = None


def relay_entries(table: Table) -> tuple[Entry, ...]:
    """The entries that allow relay, in the file's order."""
    found = (e for e in table.entries if e.effect is Effect.ALLOW and Right.RELAY in e.rights)
    return tuple(sorted(found, key=lambda entry: entry.line))


def strangers(server: SmtpServer) -> Iterator[Relayer]:
    """Who relays without a login: hosts of networks, named hosts, holders of certificates."""
    yield from (one for one in (_ask(server, None, None),) if one.may)
    for entry in relay_entries(server.access):
        if entry.to.kind in (Kind.HOST, Kind.CERTIFICATE):
            yield _ask(server, None, entry.to)


def users(server: SmtpServer, identities: Iterable[Identity]) -> Iterator[Relayer]:
    """Each of them, with the entries by which it relays, or why it does not."""
    for identity in identities:
        yield _ask(server, identity, None)


def means_every_user(server: SmtpServer) -> bool:
    """Whether users may relay whom no entry names, by themselves or by a group."""
    open_entries = {entry for entry in relay_entries(server.access) if entry.to.kind not in _NAMING}
    by_anybody = {entry for one in strangers(server) for entry in one.entries}
    return bool(open_entries - by_anybody)


_NAMING = frozenset({Kind.USER, Kind.GROUP, Kind.ANONYMOUS, Kind.HOST, Kind.CERTIFICATE})


def _ask(server: SmtpServer, identity: Identity | None, principal: Principal | None) -> Relayer:
    found = _Found()
    for facts, place in _situations(server, identity, principal):
        verdict = _verdict(server.access, facts)
        if verdict.allowed and verdict.entry is not None:
            found.entries[verdict.entry] = None
            found.places[str(place)] = None
            found.in_clear |= not facts.tls
        else:
            found.last = _telling(found.last, verdict)
    reason = Reason.ALLOWED if found.entries else Reason.AUTH_NOT_OFFERED
    if not found.entries and found.last is not None:
        reason = found.last.reason
    return Relayer(
        identity,
        principal,
        tuple(found.entries),
        tuple(found.places),
        bool(found.entries) and not found.in_clear,
        reason,
        None if found.entries or found.last is None else found.last.entry,
    )


def _telling(old: Verdict | None, new: Verdict) -> Verdict:
    """The refusal that says most: one that an entry made."""
    return new if old is None or (old.entry is None and new.entry is not None) else old


def _verdict(table: Table, facts: Facts) -> Verdict:
    """On relay, when the client gets as far as naming a recipient; else on what stops it."""
    before_login = replace(facts, identity=None)
    for right in _STEPS:
        verdict = may(right, before_login if right is Right.CONNECT else facts, table)
        if not verdict.allowed:
            break
    return verdict


def _situations(
    server: SmtpServer, identity: Identity | None, principal: Principal | None
) -> Iterator[tuple[Facts, Place]]:
    """Every place and channel in which the client could be; none where it could not log in."""
    in_clear = server.tls in (TlsMode.OFF, TlsMode.OFFER) and not _is_certificate(principal)
    channels = [False] if in_clear and (identity is None or server.auth_in_clear) else []
    channels += [True] if server.tls is not TlsMode.OFF else []
    if identity is not None and not server.auth:
        return
    for place in places(server.access):
        for tls in channels:
            facts = Facts(place.peer, tls=tls, identity=identity, hostnames=frozenset())
            if principal is not None and principal.kind is Kind.HOST:
                facts = replace(facts, hostnames=frozenset({principal.name}))
            elif principal is not None:
                shown = ClientCertificate(principal.text.partition(":")[2], frozenset({principal.name}))
                facts = replace(facts, certificate=shown)
            yield facts, place


def _is_certificate(principal: Principal | None) -> bool:
    return principal is not None and principal.kind is Kind.CERTIFICATE


def places(table: Table) -> tuple[Place, ...]:
    """One peer of each place the table tells apart, those outside all its networks last.

    Networks nest or are apart, so the smallest one that holds a peer says which others do.
    """
    named = {network for entry in table.entries for network in (*(entry.networks or ()), entry.to.network)}
    networks = sorted((n for n in named if n is not None), key=lambda n: (n.version, n.prefixlen, n))
    found: dict[Network | None, Peer] = {}
    for peer in (*_borders(networks), *_ELSEWHERE):
        holding = [network for network in networks if peer in network]
        found.setdefault(max(holding, key=lambda n: n.prefixlen, default=None), peer)
    ordered: list[Network | None] = [network for network in networks if network in found]
    if None in found:
        ordered.append(None)
    return tuple(Place(network, found[network]) for network in ordered)


def _borders(networks: Iterable[Network]) -> Iterator[Peer]:
    """The first address of each network and the one behind its last: every region begins with one."""
    for network in networks:
        make, bits = (IPv4Address, 32) if network.version == 4 else (IPv6Address, 128)
        yield network.network_address
        behind = int(network.broadcast_address) + 1
        if behind < 1 << bits:
            yield make(behind)


def by_name(paths: Mapping[str, tuple[str, ...]], entries: Iterable[Entry]) -> tuple[str, ...]:
    """The way through groups by which the first of the entries means a user; empty without one."""
    for entry in entries:
        if entry.to.kind is Kind.GROUP:
            return paths.get(entry.to.name, ())
    return ()
