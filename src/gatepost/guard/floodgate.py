"""Hosts that are refused and knock on all the same, faster than a person could: the kernel drops them.

A refusal costs a tenth of a millisecond, so a few thousand a second leave no time for mail. The first knocks
are still answered; then their packets are dropped at the listening sockets, for some minutes or until the
refusal is over. Nobody's open connection is touched.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network
from typing import Final

from gatepost.guard.sieve import HOSTS_AT_MOST, NETWORKS_AT_MOST, sieve
from gatepost.guard.source import is_ipv4
from gatepost.log import Log

_DROPPED_SECONDS: Final = 600.0
_REMEMBERED: Final = 8_000
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27  # asm-generic/socket.h
_STEP_BYTES: Final = 8


class Floodgate:
    """`doors` are the listening sockets, which all workers share; `clock` counts seconds."""

    def __init__(
        self, doors: Callable[[], Iterable[socket.socket]], log: Log, clock: Callable[[], float]
    ) -> None:
        self._doors = doors
        self._log = log
        self._clock = clock
        self._until: OrderedDict[bytes | IPv4Network, float] = OrderedDict()
        self._is_shut = False

    def __len__(self) -> int:
        return len(self._until)

    def shut(self, hosts: Mapping[bytes, float], networks: Iterable[IPv4Network]) -> None:
        """Hosts, each for as many seconds at most, and networks are dropped at once."""
        now, before = self._clock(), len(self._until)
        for network in networks:
            if network.prefixlen == network.max_prefixlen:
                self._add(network.network_address.packed, now + _DROPPED_SECONDS)
            else:
                self._add(network, now + _DROPPED_SECONDS)
        for host, seconds in hosts.items():
            self._add(host, now + min(seconds, _DROPPED_SECONDS))
        while len(self._until) > _REMEMBERED:
            self._until.popitem(last=False)
        if len(self._until) > before:
            self._log.warning("flood-dropped", sources=len(self._until))
        self._set()

    def clear(self) -> None:
        """Everybody is heard again; who knocks too fast is found out again within a second or two."""
        self._until.clear()
        self._set()

    def tidy(self) -> None:
        """Call it now and then: whose time is over is heard again, and new doors get the filter too."""
        now = self._clock()
        for one in [one for one, until in self._until.items() if until <= now]:
            del self._until[one]
        self._set()

    def _add(self, one: bytes | IPv4Network, until: float) -> None:
        self._until[one] = until
        self._until.move_to_end(one)

    def _set(self) -> None:
        if not self._until and not self._is_shut:
            return
        self._is_shut = bool(self._until)
        latest = list(reversed(self._until))
        hosts = [one for one in latest if isinstance(one, bytes)]
        networks = [one for one in latest if isinstance(one, IPv4Network)][:NETWORKS_AT_MOST]
        for door in self._doors():
            version = 6 if door.family == socket.AF_INET6 else 4
            ours = [host for host in hosts if is_ipv4(host) == (version == 4)]
            try:
                _attach(door, ours[: HOSTS_AT_MOST[version]], networks if version == 4 else [], version)
            except OSError as problem:
                self._log.warning("flood-not-dropped", problem=str(problem))
                return


def _attach(door: socket.socket, hosts: list[bytes], networks: list[IPv4Network], version: int) -> None:
    """The door drops the networks, and as many of the hosts as the kernel has memory for. Raises OSError."""
    if not hosts and not networks:
        _detach(door)
        return
    while True:
        program = sieve(hosts, version, networks)
        steps = ctypes.create_string_buffer(program, len(program))
        told = struct.pack("=HxxxxxxQ", len(program) // _STEP_BYTES, ctypes.addressof(steps))
        try:
            door.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, told)
        except OSError as problem:
            # net.core.optmem_max bounds it, and the filter that is there still counts
            if problem.errno != errno.ENOMEM or not hosts:
                raise
            _detach(door)
            hosts = hosts[: len(hosts) // 2]
        else:
            return


def _detach(door: socket.socket) -> None:
    try:
        door.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
    except OSError as problem:
        if problem.errno != errno.ENOENT:
            raise
