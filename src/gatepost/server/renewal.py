"""Certificates that change on disk are taken up by themselves; what is broken is told and not taken up."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable

from gatepost.log import Log
from gatepost.server.tls import TlsServer

_LOOK_SECONDS = 60.0


class Renewal:
    """Looks after the certificates of `servers()`, which are those in force."""

    def __init__(self, servers: Callable[[], Iterable[TlsServer]], log: Log) -> None:
        self._servers = servers
        self._log = log
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Looks once a minute, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> list[str]:
        """New connections see what lies on disk now. The files that had changed, broken or not."""
        async with self._looking:
            taken: dict[str, None] = {}
            broken: dict[tuple[str, str], None] = {}
            for server in list(self._servers()):
                if not server.is_outdated():
                    continue
                files = " ".join(map(str, server.files))
                try:
                    # PKCS#12 takes its time to open, on purpose
                    server.show(await asyncio.to_thread(server.read))
                    taken[files] = None
                except (OSError, ValueError, ssl.SSLError) as problem:
                    broken[files, str(problem)] = None
            for files in taken:
                self._log.event("certificate-taken-up", files=files)
            for files, why in broken:
                self._log.error("certificate-unusable", files=files, problem=why, going_on="the old one")
            return [*taken, *(files for files, _ in broken)]
