"""The process of console and API. `python -m gatepost.console.process BEGIN` is started by the daemon alone.

BEGIN is JSON: the file, the text in force, the descriptors of the listening socket and of the link to
the daemon. The process lives as long as the link.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from gatepost.admin.house import House
from gatepost.admin.link import Link, Value
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.console.api.app import api_app
from gatepost.console.doors import Server, socket_server, unix_socket, web_server
from gatepost.console.office import Office
from gatepost.console.web import socket_app, web_app
from gatepost.log import Log, LogWriter
from gatepost.server.certificate import key_pair, server_context
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

_LOG_SECONDS: Final = 0.05


class Process:
    """Both doors open from `run` until the daemon is gone."""

    def __init__(self, file: Path, settings: Settings, log: Log) -> None:
        place = Place(settings.state)
        self._place = place
        self._settings = settings
        self._log = log
        self._accounts = Accounts.open(place.accounts)
        self._office = Office(House(file, place, self._accounts), log)

    async def run(self, door: socket.socket, link_end: socket.socket) -> None:
        """Raises OSError, ValueError when the certificate cannot be used."""
        link = await Link.over(link_end, self._hear)
        api = api_app(self._office)
        web = web_server(web_app(self._office, api), _tls(self._settings))
        local = socket_server(socket_app(api))
        serving = [
            asyncio.create_task(web.serve([door])),
            asyncio.create_task(local.serve([unix_socket(self._place.api)])),
        ]
        self._log.event("console-ready", listen=str(door.getsockname()))
        gone = asyncio.create_task(link.closed.wait())
        await asyncio.wait({gone, *serving}, return_when=asyncio.FIRST_COMPLETED)
        await _ended(serving, web, local)
        self._place.api.unlink(missing_ok=True)
        self._accounts.close()

    async def _hear(self, verb: str, fields: dict[str, Value]) -> Value:
        return None


async def _ended(serving: list[asyncio.Task[None]], *servers: Server) -> None:
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving, return_exceptions=True)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """The context of the named certificate; None: in clear, which only the loopback is."""
    assert settings.console is not None
    name = settings.console.certificate
    if name is None:
        return None
    return server_context([key_pair(settings.certificates[name])], ssl.SSLContext)


def _in_force(begin: Mapping[str, Value]) -> Settings:
    return load_text(Path(begin["text"]).read_text("utf-8"), Path(begin["file"]))


async def serve(begin: Mapping[str, Value]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: None)  # the daemon decides
    settings = _in_force(begin)
    writer = LogWriter(sys.stderr.fileno(), partial(loop.call_later, _LOG_SECONDS))
    log = Log(writer, level=settings.log.level.level, form=settings.log.format).bind(process="console")
    try:
        process = Process(Path(begin["file"]), settings, log)
        await process.run(socket.socket(fileno=begin["door"]), socket.socket(fileno=begin["link"]))
    finally:
        log.flush()


def main(arguments: list[str]) -> None:
    asyncio.run(serve(json.loads(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
