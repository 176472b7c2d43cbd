"""Listening sockets, bound before anything is served."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

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


def shared_ports(ends: Iterable[tuple[str, int]]) -> frozenset[int]:
    """The ports that are listened on both at a wildcard address and at an address of its own."""
    hosts: dict[tuple[bool, int], set[bool]] = {}
    for host, port in ends:
        hosts.setdefault((":" in host, port), set()).add(host in _WILDCARDS)
    return frozenset(port for (_, port), kinds in hosts.items() if port and len(kinds) == 2)
