"""Listening sockets, bound before anything is served."""

from __future__ import annotations

import os
import socket

_BACKLOG = 4096


class CannotListen(Exception):
    """An address is taken, not this machine's, or not allowed; the text says which and what to do."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A non-blocking TCP socket that listens on `host` (an address) and `port` (0: any free one).

    Raises CannotListen.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets made with this protocol number
    end = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
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
