"""Where an attempt comes from, in the sizes it is counted by. Pure.

IPv4: the address, its /26 and its /24. IPv6: the /64, which one machine has all of, its /56 and its
/48. An IPv4 address in IPv6 clothes is the IPv4 address (RFC 4291 §2.5.5.2); a zone (RFC 4007 §11)
says nothing of who it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from gatepost.policy.facts import Peer
from gatepost.policy.principal import Network

_V4_BYTES = 4
_HOST_BYTES = 8  # of an IPv6 address: its /64


@dataclass(frozen=True, slots=True)
class Source:
    """Keys of one peer. `host` is what is treated as one machine."""

    host: bytes
    small: bytes
    large: bytes

    @property
    def is_ipv4(self) -> bool:
        return len(self.host) == _V4_BYTES


def host(peer: Peer) -> bytes:
    """The key of the machine: 4 bytes of IPv4, 8 of IPv6."""
    packed = peer.packed
    if len(packed) == _V4_BYTES:
        return packed
    if isinstance(peer, IPv6Address) and (mapped := peer.ipv4_mapped) is not None:
        return mapped.packed
    return packed[:_HOST_BYTES]


def is_ipv4(key: bytes) -> bool:
    """Whether the key is of a machine with an IPv4 address."""
    return len(key) == _V4_BYTES


def source(peer: Peer) -> Source:
    return source_of(host(peer))


def source_of(key: bytes) -> Source:
    """The source whose machine has the key `key`."""
    if len(key) == _V4_BYTES:
        return Source(key, key[:3] + bytes([key[3] & 0xC0]), key[:3])
    return Source(key, key[:7], key[:6])


def peer_of(text: str) -> Peer:
    """The peer that `text` names, unmapped and without a zone. Raises ValueError."""
    address = ip_address(text.strip().strip("[]").partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def network_of(key: bytes) -> Network:
    """The network that a machine's key stands for: a /32, or a /64."""
    if len(key) == _V4_BYTES:
        return IPv4Network((key, 32))
    return IPv6Network((key + bytes(8), 64))


def shown(key: bytes) -> str:
    """A machine's key as people write it."""
    network = network_of(key)
    return str(network.network_address) if len(key) == _V4_BYTES else str(network)
