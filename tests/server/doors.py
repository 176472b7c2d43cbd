"""The doors of a worker as they are made from a configuration: with porter and load balancers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.server.bind import listening_socket
from gatepost.server.listener import Doors
from gatepost.server.maildrop import Maildrops
from gatepost.server.virtual import virtual_servers
from server.gate import Gate, gate


@dataclass(slots=True)
class House:
    """`ports` by `smtp.NAME` and `pop3.NAME`."""

    gate: Gate
    ports: dict[str, int]


@asynccontextmanager
async def doors(folder: Path, tables: str, **more: Any) -> AsyncIterator[House]:
    """All virtual servers in `tables`, on 127.0.0.1."""
    async with gate(folder, tables, **more) as here:
        maildrops = Maildrops(here.mailboxes)
        made = virtual_servers(here.shard, maildrops)
        ends = {key: listening_socket("127.0.0.1", 0) for key in made.targets}
        opened = Doors()
        await opened.take_over(made.targets, ends)
        try:
            yield House(here, {key: end.getsockname()[1] for key, end in ends.items()})
        finally:
            opened.close()
            for session in here.shard.sessions:
                session.close("test over")
            maildrops.close()
            for server in made.servers.values():
                if server.tls is not None:
                    server.tls.close()
