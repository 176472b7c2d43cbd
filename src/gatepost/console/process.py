"""The process of console and API. `python -m gatepost.console.process BEGIN` is started by the daemon alone.

BEGIN is JSON: the file, the text in force, the descriptors of the listening socket and of the link to
the daemon, and the daemon's process id. The process lives as long as the link.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import ssl
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from gatepost.admin.house import House
from gatepost.admin.link import Link, Value
from gatepost.config.console import Console
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.console.api.app import api_app
from gatepost.console.doors import Server, end_text, socket_server, unix_socket, web_server
from gatepost.console.foreign import Foreign
from gatepost.console.lifeline import hang_on
from gatepost.console.office import Office
from gatepost.console.people import People
from gatepost.console.sessions import Sessions
from gatepost.console.web import socket_app, web_app
from gatepost.directory.password import Passwords
from gatepost.guard.guard import Guard
from gatepost.guard.post import Post
from gatepost.log import Log, LogWriter
from gatepost.server.certificate import key_pair, load, server_context
from gatepost.store.accounts import Accounts
from gatepost.store.attempts import Attempts
from gatepost.store.consoledb import ConsoleStore
from gatepost.store.place import Place

_LOG_SECONDS: Final = 0.05
_RENEW_SECONDS: Final = 60.0


class Process:
    """Both doors open from `run` until the daemon is gone."""

    def __init__(self, file: Path, settings: Settings, log: Log) -> None:
        place = Place(settings.state)
        self._place = place
        self._settings = settings
        self._log = log
        self._tls: ssl.SSLContext | None = None
        self._file = file
        self._accounts = Accounts.open(place.accounts)
        self._passwords = Passwords()
        self._attempts = Attempts(place.attempts, days=settings.guard.records_days, report=log.warning)
        self._guard = Post(
            Guard(settings.guard, clock=time.monotonic, wall=time.time, domains=settings.domains),
            clock=time.monotonic,
            wall=time.time,
        )
        self._people = People(settings, self._accounts, self._passwords, self._guard, self._attempts, log)
        store = ConsoleStore(place.console)
        sessions = Sessions(store, self._people, self._console, self._accounts.version)
        house = House(file, place, self._accounts)
        self._office = Office(
            house, lambda: self._settings, self._people, sessions, store, self._passwords, log
        )

    def _console(self) -> Console:
        assert self._settings.console is not None
        return self._settings.console

    async def run(self, door: socket.socket, link_end: socket.socket) -> None:
        """Raises OSError, ValueError when the certificate cannot be used."""
        link = await Link.over(link_end, self._hear)
        self._attempts.start()
        self._guard.hear(await link.ask("guard-everything"))
        self._guard.join(link)
        api = api_app(self._office)
        self._tls = _context(self._settings)
        web = web_server(web_app(self._office, api), self._tls)
        local = socket_server(socket_app(api))
        serving = [
            asyncio.create_task(web.serve([door])),
            asyncio.create_task(local.serve([unix_socket(self._place.api)])),
        ]
        self._log.event("console-ready", listen=end_text(door))
        gone = asyncio.create_task(link.closed.wait())
        renewing = asyncio.create_task(self._renew())
        await asyncio.wait({gone, *serving}, return_when=asyncio.FIRST_COMPLETED)
        renewing.cancel()
        await _ended(serving, web, local)
        self._place.api.unlink(missing_ok=True)
        self._attempts.close()
        self._passwords.close()
        self._accounts.close()

    async def _renew(self) -> None:
        """The certificate that lies on the disk is shown, looked at once a minute; until cancelled."""
        known = _stamps(self._settings)
        while self._tls is not None:
            await asyncio.sleep(_RENEW_SECONDS)
            stamps = _stamps(self._settings)
            if stamps != known:
                known = stamps
                try:
                    await asyncio.to_thread(_load, self._tls, self._settings)
                    self._log.event("certificate-taken-up", server="console")
                except (OSError, ValueError) as problem:
                    self._log.error("certificate-unusable", server="console", problem=str(problem))

    async def _hear(self, verb: str, fields: dict[str, Value]) -> Value:
        """What the daemon says to all."""
        if verb == "guard":
            self._guard.hear(fields)
        elif verb == "changed":
            self._change(in_force(fields["text"], self._file))
        return None

    def _change(self, settings: Settings) -> None:
        """These settings are in force. What cannot be used of them is told, and the rest goes on."""
        if settings.console is None:
            return  # the daemon ends this process
        self._settings = settings
        self._log.change(settings.log.level.level, settings.log.format)
        self._guard.change(settings.guard, settings.domains)
        try:
            self._people.change(settings)
            self._office.sessions.forget_roles()
            if self._tls is not None:
                _load(self._tls, settings)
        except (OSError, ValueError) as problem:
            self._log.error("console-not-changed", problem=str(problem))


async def _ended(serving: list[asyncio.Task[None]], *servers: Server) -> None:
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving, return_exceptions=True)


def _context(settings: Settings) -> ssl.SSLContext | None:
    """The context of the named certificate; None: in clear, which only the loopback is."""
    if settings.console is None or settings.console.certificate is None:
        return None
    return server_context([key_pair(settings.certificates[settings.console.certificate])], ssl.SSLContext)


def _load(context: ssl.SSLContext, settings: Settings) -> None:
    """New connections see the certificate as it is now. Raises OSError, ValueError."""
    if settings.console is not None and settings.console.certificate is not None:
        load(context, key_pair(settings.certificates[settings.console.certificate]))


def _stamps(settings: Settings) -> list[tuple[int, int]]:
    """When the files of the certificate were written, and their sizes."""
    name = None if settings.console is None else settings.console.certificate
    one = None if name is None else settings.certificates.get(name)
    files = () if one is None else (one.chain, one.key, one.pfx)
    return [(stat.st_mtime_ns, stat.st_size) for stat in (f.stat() for f in files if f and f.exists())]


def in_force(text: str, file: Path) -> Settings:
    """The settings of the generation. Raises OSError, ConfigError."""
    return load_text(Path(text).read_text("utf-8"), file)


async def serve(begin: Mapping[str, Value]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: None)  # the daemon decides
    settings = in_force(begin["text"], Path(begin["file"]))
    writer = LogWriter(sys.stderr.fileno(), partial(loop.call_later, _LOG_SECONDS))
    log = Log(writer, level=settings.log.level.level, form=settings.log.format).bind(process="console")
    logging.getLogger().addHandler(Foreign(log))
    try:
        process = Process(Path(begin["file"]), settings, log)
        await process.run(socket.socket(fileno=begin["door"]), socket.socket(fileno=begin["link"]))
    finally:
        log.flush()


def main(arguments: list[str]) -> None:
    begin = json.loads(arguments[0])
    hang_on(begin["parent"])
    asyncio.run(serve(begin))


if __name__ == "__main__":
    main(sys.argv[1:])
