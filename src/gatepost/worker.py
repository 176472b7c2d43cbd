"""One shard: its listeners, its spool, its delivery. Shares nothing with its siblings but the sockets.

`python -m gatepost.worker FILE INDEX COUNT LINK LISTENERS` is started by the daemon alone: LINK is a
descriptor of the link to it, LISTENERS names the descriptors of the bound sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import dns.asyncresolver

from gatepost.admin.link import Link
from gatepost.admin.shard import ShardVerbs
from gatepost.config.load import load
from gatepost.config.schema import Settings
from gatepost.delivery.worker import Delivery
from gatepost.directory.build import directories
from gatepost.directory.directory import Unavailable
from gatepost.directory.password import Passwords
from gatepost.log import Log, LogWriter
from gatepost.login import Login, PeerFailures
from gatepost.server.admission import Running
from gatepost.server.listener import Listener
from gatepost.server.maildrop import Maildrops
from gatepost.server.pop3 import Pop3Conversation
from gatepost.server.sessions import Sessions
from gatepost.server.shard import Pop3VirtualServer, Shard, SmtpVirtualServer
from gatepost.server.smtp import SmtpConversation
from gatepost.server.tls import tls_server
from gatepost.store.accounts import Accounts
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.place import Place
from gatepost.store.spool import Spool
from gatepost.store.tracking import Tracking

_REFRESH_SECONDS = 1.0
_GRACE_SECONDS = 30.0
_LOG_SECONDS = 0.05

Ends = Mapping[str, Sequence[socket.socket]]


class Worker:
    """Serves from `start` until drained; built around one event loop."""

    def __init__(self, settings: Settings, index: int, count: int, log: Log) -> None:
        self._settings = settings
        self._index = index
        self._count = count
        self._log = log
        self._draining = asyncio.Event()
        place = Place(settings.state)
        loop = asyncio.get_running_loop()
        self._accounts = Accounts.open(place.accounts)
        self._passwords = Passwords()
        self._directories = directories(settings, self._accounts, self._passwords, log)
        self._tracking = Tracking(place.tracking, days=settings.tracking.days, report=log.warning)
        self._spools = [
            Spool(place.spool, worker=number, report=log.warning)
            for number in spools_of(place.spool, index, count)
        ]
        self._mailboxes = Mailboxes(place.mailboxes, settings.hostname)
        self._sessions = Sessions()
        self._login = Login(
            self._directories, PeerFailures(loop.time), log, decoy_key=self._accounts.unknown_names_key()
        )
        self._resolver = dns.asyncresolver.Resolver()
        self._maildrops = Maildrops(self._mailboxes)
        self._servers: list[SmtpVirtualServer | Pop3VirtualServer] = []
        self._listeners: list[Listener] = []

    async def run(self, ends: Ends, link_end: socket.socket) -> None:
        """Serves until the daemon says drain or is gone; then everything is finished or on the disk."""
        for spool in self._spools:
            await spool.open()
        self._tracking.start()
        deliveries = [self._delivery(spool) for spool in self._spools]
        delivering = [asyncio.create_task(delivery.run()) for delivery in deliveries]
        shard = Shard(
            self._settings, self._log, self._directories, self._login, self._spools[0], self._tracking,
            self._sessions, self._resolver,
        )  # fmt: skip
        await self._open(shard, ends)
        verbs = ShardVerbs(self._spools, self._sessions, self._draining.set)
        link = await Link.over(link_end, verbs.answer)
        await link.ask("ready")
        await self._until_told(link)
        await self._drain()
        for delivery in deliveries:
            await delivery.stop(_GRACE_SECONDS)
        await asyncio.gather(*delivering)
        for spool in self._spools:
            await spool.close()
        self._maildrops.close()
        self._tracking.close()
        self._passwords.close()
        self._accounts.close()
        await link.close()

    def _delivery(self, spool: Spool) -> Delivery:
        return Delivery(
            spool,
            self._settings,
            resolver=self._directories,
            local=self._mailboxes,
            tracking=self._tracking,
            log=self._log,
        )

    async def _open(self, shard: Shard, ends: Ends) -> None:
        for name, settings in self._settings.smtp.items():
            tls = tls_server(settings, self._settings.certificates)
            server = SmtpVirtualServer(settings, tls)
            listener = Listener(settings, tls, partial(SmtpConversation, shard, server))
            self._servers.append(server)
            self._listeners.append(listener)
            await listener.open(ends[f"smtp.{name}"])
        for name, collecting in self._settings.pop3.items():
            tls = tls_server(collecting, self._settings.certificates)
            pop3 = Pop3VirtualServer(collecting, tls, self._maildrops)
            listener = Listener(collecting, tls, partial(Pop3Conversation, shard, pop3))
            self._servers.append(pop3)
            self._listeners.append(listener)
            await listener.open(ends[f"pop3.{name}"])

    async def _until_told(self, link: Link) -> None:
        """Until drained or alone; meanwhile changes of the accounts are seen within a second."""
        gone = asyncio.create_task(link.closed.wait())
        told = asyncio.create_task(self._draining.wait())
        while not gone.done() and not told.done():
            await asyncio.wait({gone, told}, timeout=_REFRESH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            try:
                self._directories.refresh()
            except Unavailable as problem:
                self._log.warning("accounts-unreadable", problem=str(problem))
        gone.cancel()
        told.cancel()

    async def _drain(self) -> None:
        """Nothing new is accepted; open transactions are finished, within bounds."""
        for listener in self._listeners:
            listener.close()
        for server in self._servers:
            server.running = Running.DRAINING
        for session in self._sessions:
            session.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._sessions.all_ended(), _GRACE_SECONDS)
        for session in self._sessions:
            session.close("draining took too long")


def spools_of(folder: Path, index: int, count: int) -> list[int]:
    """The numbers of the spools this worker keeps: its own first, then those of workers there are no more."""
    try:
        there = [int(entry.name) for entry in os.scandir(folder) if entry.name.isdecimal()]
    except FileNotFoundError:
        there = []
    return [index, *sorted(number for number in there if number >= count and number % count == index)]


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed; it is no condition."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def serve(settings: Settings, index: int, count: int, ends: Ends, link: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: None)  # the daemon decides
    writer = LogWriter(sys.stderr.fileno(), lambda flush: loop.call_later(_LOG_SECONDS, flush))
    log = Log(writer, level=settings.log.level.level, form=settings.log.format).bind(worker=index)
    try:
        await Worker(settings, index, count, log).run(ends, link)
    finally:
        log.flush()


def main(arguments: list[str]) -> None:
    file, index, count, link, listeners = arguments
    ends = {
        name: [socket.socket(fileno=number) for number in numbers]
        for name, numbers in json.loads(listeners).items()
    }
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(load(Path(file)), int(index), int(count), ends, socket.socket(fileno=int(link))))


if __name__ == "__main__":
    main(sys.argv[1:])
