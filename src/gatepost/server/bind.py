"""Listening sockets, bound before anything is served."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gatepost.config.schema import Settings

_BACKLOG = 4096
_WILDCARDS = ("0.0.0.0", "::")


class CannotListen(Exception):
    """An address is taken, not this machine's, or not allowed; the text says which and what to do."""


def listening_socket(host: str, port: int, *, shares_port: bool = False) -> socket.socket:
    """A non-blocking TCP socket that listens on `host` (an address) and `port` (0: any free one).

    `shares_port`: another listener of ours has the same port on all addresses, or on one of them.
    Linux allows both only with SO_REUSEPORT, and gives connections to the one that names the address.

    Raises CannotListen.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets made with this protocol number
    end = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shares_port:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        end.bind((host, port))
        end.listen(_BACKLOG)
    except OSError as problem:
        end.close()
        raise CannotListen(_explained(host, port, problem)) from None
    end.setblocking(False)
    return end


def _explained(host: str, port: int, problem: OSError) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    match problem.errno:
        case 98:
            return f"cannot listen on {where}: another program has it (`ss -ltnp` shows which)"
        case 99:
            return f"cannot listen on {where}: this machine has no such address"
        case 13:
            return f"cannot listen on {where}: ports below 1024 need root or CAP_NET_BIND_SERVICE"
        case number:
            return f"cannot listen on {where}: {os.strerror(number or 0)}"


@dataclass(frozen=True, slots=True)
class Opening:
    """An address that a virtual server wants. `key` is the same as long as it is the same address."""

    key: str
    server: str
    host: str
    port: int


def openings(settings: Settings, off: Collection[str] = ()) -> list[Opening]:
    """The addresses of all virtual servers (`smtp.NAME`, `pop3.NAME`) that are not in `off`."""
    found = []
    for protocol, servers in (("smtp", settings.smtp), ("pop3", settings.pop3)):
        for name, server in servers.items():
            for index, end in enumerate(server.listen):
                key = f"{end.host} {end.port}" if end.port else f"{protocol}.{name} {index} {end.host}"
                if f"{protocol}.{name}" not in off:
                    found.append(Opening(key, f"{protocol}.{name}", end.host, end.port))
    return found


def shared_ports(wanted: Iterable[Opening]) -> frozenset[int]:
    """The ports that are listened on both at a wildcard address and at an address of its own."""
    hosts: dict[tuple[bool, int], set[bool]] = {}
    for one in wanted:
        hosts.setdefault((":" in one.host, one.port), set()).add(one.host in _WILDCARDS)
    return frozenset(port for (_, port), kinds in hosts.items() if port and len(kinds) == 2)
