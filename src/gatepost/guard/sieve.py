"""A filter for listening sockets that drops what comes from some hosts before the kernel answers. Pure.

It is a program for the classic BPF machine, which Linux runs over the first packet of each connection
(linux/filter.h, socket(7) SO_ATTACH_FILTER): no right is needed for it. Hosts are found in a tree of short
rows, so that some thousand cost some tens of nanoseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from ipaddress import IPv4Network
from typing import Final

from gatepost.guard.source import is_ipv4

HOSTS_AT_MOST: Final = {4: 3_200, 6: 700}
NETWORKS_AT_MOST: Final = 200
"""A program has 4,096 steps."""

_LOAD, _IF_EQUAL, _IF_MORE, _IF_AT_LEAST, _GO, _END = 0x20, 0x15, 0x25, 0x35, 0x05, 0x06
_IN_NETWORK_HEADER: Final = 0xFFF00000  # SKF_NET_OFF
_SOURCE_4, _SOURCE_6 = 12, 8  # where the source address stands in the header (RFC 791, RFC 8200)
_ROW: Final = 64
_DROP: Final = (_END, 0, 0, 0)
_TAKE: Final = (_END, 0, 0, 0xFFFFFFFF)

Step = tuple[int, int, int, int]


def sieve(hosts: Collection[bytes], version: int, networks: Collection[IPv4Network] = ()) -> bytes:
    """The program that drops these hosts (as `source.host` names them) and networks of one IP version."""
    ours = [host for host in hosts if is_ipv4(host) == (version == 4)]
    steps = _steps_4(ours, networks) if version == 4 else _steps_6(ours)
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _steps_4(hosts: Sequence[bytes], networks: Collection[IPv4Network]) -> list[Step]:
    steps: list[Step] = [(_LOAD, 0, 0, _IN_NETWORK_HEADER + _SOURCE_4)]
    for network in networks:
        first, last = int(network.network_address), int(network.broadcast_address)
        steps += [(_IF_AT_LEAST, 0, 2, first), (_IF_MORE, 1, 0, last), _DROP]
    numbers = sorted(int.from_bytes(host, "big") for host in hosts)
    rows = [numbers[at : at + _ROW] for at in range(0, len(numbers), _ROW)]
    return [*steps, *(_tree(rows) if rows else [_TAKE])]


def _tree(rows: Sequence[Sequence[int]]) -> list[Step]:
    if len(rows) == 1:
        return _row(rows[0])
    middle = len(rows) // 2
    low, high = _tree(rows[:middle]), _tree(rows[middle:])
    # a condition jumps 255 steps at most, `_GO` as far as it likes
    return [(_IF_AT_LEAST, 0, 1, rows[middle][0]), (_GO, 0, 0, len(low)), *low, *high]


def _row(numbers: Sequence[int]) -> list[Step]:
    count = len(numbers)
    found: list[Step] = [(_IF_EQUAL, count - at, 0, number) for at, number in enumerate(numbers)]
    return [*found, _TAKE, _DROP]


def _steps_6(hosts: Sequence[bytes]) -> list[Step]:
    """By the /64, in its two halves."""
    steps: list[Step] = []
    for host in hosts:
        high, low = struct.unpack("!II", host)
        steps += [
            (_LOAD, 0, 0, _IN_NETWORK_HEADER + _SOURCE_6),
            (_IF_EQUAL, 0, 3, high),
            (_LOAD, 0, 0, _IN_NETWORK_HEADER + _SOURCE_6 + 4),
            (_IF_EQUAL, 0, 1, low),
            _DROP,
        ]
    return [*steps, _TAKE]
