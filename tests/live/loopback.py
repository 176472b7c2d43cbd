"""Addresses of this machine that no other test has."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator

_PER_PROCESS = 64
_numbers = itertools.count()


def address(*ports: int) -> str:
    """An address in 127.0.0.0/8 that is this process's own and where `ports` are free to bind."""
    for number in _numbers:
        candidate = _address(os.getpid() * _PER_PROCESS + number)
        if all(_free(candidate, port) for port in ports):
            return candidate
    raise AssertionError("unreachable: the numbers do not end")


def addresses(*ports: int) -> Iterator[str]:
    """One such address after another, for whoever is beaten to the one before."""
    while True:
        yield address(*ports)


def _address(number: int) -> str:
    # 127.64.0.0/10 upwards: low addresses are what people and packages use.
    return f"127.{64 + (number >> 16) % 128}.{number >> 8 & 255}.{number & 255}"


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
