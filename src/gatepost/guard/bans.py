"""Sources an administrator shut out. Pure; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from gatepost.guard.source import peer_of
from gatepost.policy.facts import Peer
from gatepost.policy.principal import Network, PrincipalError, parse_network


class NotASource(ValueError):
    """The text is neither an address nor a network; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Ban:
    """`until` None: for ever."""

    network: Network
    until: float | None = None
    note: str = ""
    by: str = ""
    at: float = 0.0


def network(text: str) -> Network:
    """The network or single address that `text` names, IPv4 out of its IPv6 clothes. Raises NotASource."""
    try:
        return ip_network(peer_of(text)) if "/" not in text else parse_network(text.strip())
    except PrincipalError as problem:
        raise NotASource(str(problem)) from None
    except ValueError:
        raise NotASource(f"{text!r} is no address; write one, or a network like 192.0.2.0/24") from None


class Bans:
    """Looked up by prefix length, so that the question costs as many steps as there are lengths."""

    def __init__(self, bans: Iterable[Ban] = ()) -> None:
        self._bans: dict[tuple[int, int], dict[int, Ban]] = {}
        for ban in bans:
            self.add(ban)

    def add(self, ban: Ban) -> None:
        self._bans.setdefault(_size(ban.network), {})[_prefix(ban.network)] = ban

    def remove(self, network: Network) -> bool:
        """Whether there was a ban of exactly this network."""
        size = _size(network)
        row = self._bans.get(size, {})
        gone = row.pop(_prefix(network), None)
        if not row:
            self._bans.pop(size, None)
        return gone is not None

    def covering(self, peer: Peer, now: float) -> Ban | None:
        if not self._bans:
            return None
        bits = 32 if peer.version == 4 else 128
        for (version, shift), row in self._bans.items():
            if version == peer.version and shift <= bits:
                ban = row.get(int(peer) >> shift)
                if ban is not None and (ban.until is None or ban.until > now):
                    return ban
        return None

    def __iter__(self) -> Iterator[Ban]:
        for row in list(self._bans.values()):
            yield from list(row.values())

    def __len__(self) -> int:
        return sum(map(len, self._bans.values()))


class Networks:
    """Whether a peer is in one of them."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._bans = Bans(Ban(one) for one in networks)

    def __contains__(self, peer: Peer) -> bool:
        return self._bans.covering(peer, 0.0) is not None


def _size(network: Network) -> tuple[int, int]:
    return network.version, network.max_prefixlen - network.prefixlen


def _prefix(network: Network) -> int:
    return int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
