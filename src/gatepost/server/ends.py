"""The listening sockets of a Gatepost, bound once for all its workers and kept over reloads."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from gatepost.server.bind import CannotListen, Opening, listening_socket, shared_ports


class Ends:
    """By the key of the address. `trouble`: virtual servers that cannot have theirs, and why."""

    def __init__(self) -> None:
        self.sockets: dict[str, socket.socket] = {}
        self.trouble: dict[str, str] = {}

    def bind_what_can_be(self, wanted: Sequence[Opening]) -> None:
        """A virtual server has all its addresses, or stands in `trouble` and has none.

        Raises CannotListen when nobody has any.
        """
        for one in wanted:
            try:
                self.sockets[one.key] = _bound(one, wanted)
            except CannotListen as problem:
                self.trouble[one.server] = str(problem)
        if wanted and not self.sockets:
            raise CannotListen("; ".join(self.trouble.values()))
        for one in wanted:
            if one.server in self.trouble and one.key in self.sockets:
                self.sockets.pop(one.key).close()

    def bound_anew(self, wanted: Sequence[Opening]) -> dict[str, socket.socket]:
        """Sockets for the addresses that are not open yet. Raises CannotListen; then none is left."""
        fresh: dict[str, socket.socket] = {}
        try:
            for one in wanted:
                if one.key not in self.sockets:
                    fresh[one.key] = _bound(one, wanted)
        except CannotListen:
            for end in fresh.values():
                end.close()
            raise
        return fresh

    def close_unwanted(self, wanted: Sequence[Opening]) -> None:
        """Only what is wanted is open."""
        keys = {one.key for one in wanted}
        for key in self.sockets.keys() - keys:
            self.sockets.pop(key).close()

    def unbound(self, wanted: Sequence[Opening]) -> set[str]:
        """Virtual servers that miss an address."""
        return {one.server for one in wanted if one.key not in self.sockets}

    def addresses(self, wanted: Sequence[Opening]) -> dict[str, list[str]]:
        """Where each virtual server listens, `host:port`."""
        found: dict[str, list[str]] = {one.server: [] for one in wanted}
        for one in wanted:
            if one.key in self.sockets:
                found[one.server].append(_address(self.sockets[one.key]))
        return found

    def close(self) -> None:
        self.close_unwanted([])


def _bound(one: Opening, wanted: Sequence[Opening]) -> socket.socket:
    return listening_socket(one.host, one.port, shares_port=one.port in shared_ports(wanted))


def _address(end: socket.socket) -> str:
    host, port = end.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
