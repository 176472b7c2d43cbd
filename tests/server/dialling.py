"""Connections of a test's clients, all of which are closed when the server is."""

from __future__ import annotations

import asyncio
from typing import Any

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_dialled: list[asyncio.StreamWriter] = []


async def dialled(host: str, port: int, **how: Any) -> Ends:
    """As asyncio.open_connection."""
    ends = await asyncio.open_connection(host, port, **how)
    _dialled.append(ends[1])
    return ends


async def hang_up() -> None:
    """No connection is open that was dialled in this loop."""
    for writer in _dialled:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for writer in _dialled), return_exceptions=True)
    _dialled.clear()
