"""Which addresses are our own, so that mail is never relayed to ourselves."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address


class OwnAddresses:
    """Where this server listens, and what it calls itself.

    `listening` is pairs of address and port; `0.0.0.0` and `::` mean every address of this machine.
    """

    def __init__(self, hostname: str, listening: Iterable[tuple[str, int]]) -> None:
        self._hostname = hostname.lower().rstrip(".")
        self._listening = frozenset((str(ip_address(host)), port) for host, port in listening)

    def is_named(self, name: str) -> bool:
        """The name is our own hostname: it may resolve to an address of a router before us."""
        return name.lower().rstrip(".") == self._hostname

    def holds(self, address: str, port: int) -> bool:
        """A connection to this address and port would reach ourselves."""
        address = str(ip_address(address))
        if (address, port) in self._listening:
            return True
        wildcards = ("0.0.0.0", "::")
        return any((wildcard, port) in self._listening for wildcard in wildcards) and _is_local(address)


def _is_local(address: str) -> bool:
    """An address can be bound here exactly when it is this machine's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
