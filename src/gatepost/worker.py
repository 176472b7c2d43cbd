"""One shard: its listeners, its spool, its delivery. Shares nothing with its siblings but the sockets.

`python -m gatepost.worker BEGIN` is started by the supervisor alone; BEGIN is JSON: the file and the
text in force, the worker's number, the descriptors of the link and of the listening sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

import dns.asyncresolver

from gatepost.admin.link import Link, Refused, Value
from gatepost.admin.shard import ShardVerbs
from gatepost.config.load import ConfigError, load_text
from gatepost.config.schema import Settings
from gatepost.delivery.callahead import callahead
from gatepost.delivery.deliveries import Deliveries
from gatepost.delivery.worker import exchangers_of
from gatepost.directory.build import directories
from gatepost.directory.devices import Devices
from gatepost.directory.directory import Directories, Unavailable
from gatepost.directory.granted import TokenIssuers
from gatepost.directory.password import Passwords
from gatepost.directory.tickets import ticket_acceptor, token_issuers
from gatepost.guard.conduct import Conduct
from gatepost.guard.guard import Guard
from gatepost.guard.post import Post
from gatepost.guard.record import recorder
from gatepost.log import Log, LogWriter
from gatepost.login import Login
from gatepost.meter import Meter
from gatepost.server.admission import Running
from gatepost.server.bind import openings
from gatepost.server.listener import Doors
from gatepost.server.maildrop import Maildrops
from gatepost.server.renewal import Renewal
from gatepost.server.room import Room
from gatepost.server.sessions import Sessions
from gatepost.server.shard import Shard
from gatepost.server.virtual import VirtualServers, virtual_servers
from gatepost.store.accounts import Accounts
from gatepost.store.attempts import Attempts
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.place import Place
from gatepost.store.spool import Spool
from gatepost.store.tracking import Tracking

# A message leaves some ten behind for a second; what goes round in circles is seldom and small.
_OBJECTS_BETWEEN_COLLECTIONS = 5_000
_REFRESH_SECONDS = 1.0
_GRACE_SECONDS = 30.0
_LOG_SECONDS = 0.05
_MESSAGE_BYTES = 1 << 16
_MOST_SOCKETS = 250


class Worker:
    """Serves from `run` until drained. What outlives a reload is built here, once."""

    def __init__(
        self, settings: Settings, index: int, count: int, passage: socket.socket, log: Log, meter: Meter
    ) -> None:
        self._index = index
        self._log = log
        self._meter = meter
        self._passage = passage
        self._draining = asyncio.Event()
        place = Place(settings.state)
        self._accounts = Accounts.open(place.accounts)
        self._passwords = Passwords()
        self._tracking = Tracking(
            place.tracking,
            days=settings.tracking.days,
            size_bytes=settings.tracking.size_bytes,
            report=log.warning,
            failed=self._failed,
        )
        self._attempts = Attempts(place.attempts, days=settings.guard.records_days, report=log.warning)
        self._spools = [
            Spool(place.spool, worker=number, report=log.warning)
            for number in spools_of(place.spool, index, count)
        ]
        self._mailboxes = Mailboxes(place.mailboxes, settings.hostname, report=log.warning)
        self._maildrops = Maildrops(self._mailboxes)
        self._guard = Post(
            Guard(settings.watching, clock=time.monotonic, wall=time.time, domains=settings.domains),
            clock=time.monotonic,
            wall=time.time,
            note=self._attempts.offended,
        )
        self._conduct = Conduct(time.monotonic)
        self._sessions = Sessions(self._guard.gone)
        self._resolver = dns.asyncresolver.Resolver()
        self._doors = Doors()
        self._arrived: dict[str, socket.socket] = {}
        self._all_directories: WeakSet[Directories] = WeakSet()
        self._settings = settings
        self._renewal = Renewal(lambda: self._serving.tls_servers, log)
        self._prepared: VirtualServers | None = None
        self._issuers: TokenIssuers | None = None
        self._deliveries = Deliveries(self._spools, self._mailboxes, self._tracking, log)

    def _made(self, settings: Settings, fields: Mapping[str, Value]) -> VirtualServers:
        """The virtual servers of these settings, ready to be opened. Raises OSError, ValueError."""
        directory = directories(settings, self._accounts, self._passwords, self._log)
        self._all_directories.add(directory)
        self._issuers = token_issuers(settings, self._log, self._issuers)
        login = Login(
            directory,
            self._guard,
            self._log,
            decoy_key=self._accounts.unknown_names_key(),
            devices=Devices(directory, self._accounts.app_passwords, partial(datetime.now, UTC)),
            note=recorder(self._attempts.note, time.time, self._conduct.sightings.tried),
            acceptor=ticket_acceptor(settings, self._log),
            issuers=self._issuers,
        )
        shard = Shard(
            settings,
            self._log,
            directory,
            login,
            self._spools[0],
            self._tracking,
            self._sessions,
            self._resolver,
            self._guard,
            self._conduct,
            Room(settings.mailboxes, self._mailboxes),
            callahead(settings, exchangers_of, self._log),
            self._meter,
        )
        return virtual_servers(
            shard, self._maildrops, off=fields.get("off", ()), paused=fields.get("paused", ())
        )

    async def run(self, begin: Mapping[str, Value], link_end: socket.socket) -> None:
        """Serves until the daemon says drain or is gone; then everything is finished or on the disk."""
        for spool in self._spools:
            await spool.open()
        self._tracking.start()
        self._attempts.start()
        self._generation = begin["generation"]
        self._serving = self._made(self._settings, begin)
        self._deliveries.start(self._serving.settings, self._serving.directories)
        await self._open(self._serving, {k: socket.socket(fileno=n) for k, n in begin["listeners"].items()})
        verbs = ShardVerbs(
            self._spools, self._sessions, self._draining.set, self._meter, note=self._note_order
        )
        for verb, act in (
            ("prepare", self._prepare),
            ("take-over", self._take_over),
            ("abandon", self._abandon),
            ("status", partial(self._status, verbs)),
            ("certificates-look", self._look_at_certificates),
            ("queue-bounce", partial(verbs.bounce, self._deliveries.give_up)),
            ("guard", self._hear_guard),
            ("contained", self._hear_contained),
            ("quota-call-back", self._call_back),
        ):
            verbs.add(verb, act)
        link = await Link.over(link_end, verbs.answer)
        self._guard.hear(await link.ask("guard-everything"))
        self._guard.join(link)
        self._conduct.hear(await link.ask("contained-all"))
        self._conduct.join(link)
        await link.ask("ready")
        # What is there now stays for good: the collector need not look through it again and again.
        gc.freeze()
        await self._until_told(link)
        await self._drain()
        await self._deliveries.stop(_GRACE_SECONDS)
        await self._conduct.close()
        for spool in self._spools:
            await spool.close()
        self._maildrops.close()
        self._tracking.close()
        self._attempts.close()
        self._passwords.close()
        self._accounts.close()
        await link.close()

    # taking over a configuration, in two steps: all workers can, then all do

    async def _prepare(self, fields: dict[str, Value]) -> Value:
        """Everything of the new configuration is made, nothing is changed. Raises Refused."""
        self._receive_sockets()
        try:
            settings = in_force(fields)
            prepared = self._made(settings, fields)
        except (ConfigError, OSError, ValueError) as problem:
            raise Refused(str(problem)) from None
        there = self._doors.keys | self._arrived.keys()
        missing = [one.key for one in openings(settings, prepared.off) if one.key not in there]
        if missing:
            raise Refused(f"worker {self._index} did not get the sockets of {', '.join(missing)}")
        self._prepared = prepared
        return True

    async def _take_over(self, fields: dict[str, Value]) -> Value:
        """What was prepared is in force; open sessions keep what they began with."""
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            # started anew between the two steps: only a fresh start has the right sockets
            os.kill(os.getpid(), signal.SIGKILL)
            return None
        prepared.inherit(self._serving)
        self._serving = prepared
        self._generation = fields["generation"]
        tracking = prepared.settings.tracking
        self._tracking.change(days=tracking.days, size_bytes=tracking.size_bytes)
        self._log.change(prepared.settings.log.level.level, prepared.settings.log.format)
        self._guard.change(prepared.settings.watching, prepared.settings.domains)
        arrived, self._arrived = self._arrived, {}
        await self._open(prepared, arrived)
        await self._deliveries.change(prepared.settings, prepared.directories)
        return True

    async def _status(self, verbs: ShardVerbs, fields: dict[str, Value]) -> Value:
        return {"worker": self._index, "generation": self._generation, **verbs.status(fields)}

    def _note_order(self, queue_id: str, what: str, why: str) -> None:
        self._tracking.note_event(queue_id, what, why, time.time())

    async def _hear_guard(self, fields: dict[str, Value]) -> Value:
        self._guard.hear(fields)
        return True

    async def _hear_contained(self, fields: dict[str, Value]) -> Value:
        self._conduct.hear(fields["users"])
        return True

    def _failed(self, queue_id: str) -> None:
        """A recipient was refused for good: it counts among the habits of whoever sent it."""
        item = next((found for spool in self._spools if (found := spool.find(queue_id))), None)
        if item is not None and item.user is not None:
            self._conduct.refused_by_next_hop(item.user)

    async def _call_back(self, fields: dict[str, Value]) -> Value:
        return self._conduct.call_back(fields["user"], fields["use"])

    async def _abandon(self, fields: dict[str, Value]) -> Value:
        self._prepared = None
        for end in self._arrived.values():
            end.close()
        self._arrived = {}
        return True

    async def _look_at_certificates(self, fields: dict[str, Value]) -> Value:
        return await self._renewal.look()

    async def _open(self, serving: VirtualServers, arrived: Mapping[str, socket.socket]) -> None:
        wanted = openings(serving.settings, serving.off)
        await self._doors.take_over({one.key: serving.targets[one.server] for one in wanted}, arrived)

    def _receive_sockets(self) -> None:
        """Sockets that were sent before this was asked are here."""
        while True:
            try:
                keys, numbers, _, _ = socket.recv_fds(self._passage, _MESSAGE_BYTES, _MOST_SOCKETS)
            except BlockingIOError:
                return
            if not keys:
                return
            for key, number in zip(json.loads(keys), numbers, strict=True):
                self._arrived[key] = socket.socket(fileno=number)

    # living and ending

    async def _until_told(self, link: Link) -> None:
        """Until drained or alone; meanwhile changes of the accounts are seen within a second."""
        gone = asyncio.create_task(link.closed.wait())
        told = asyncio.create_task(self._draining.wait())
        renewing = asyncio.create_task(self._renewal.run())
        while not gone.done() and not told.done():
            await asyncio.wait({gone, told}, timeout=_REFRESH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            self._conduct.flush()
            self._guard.flush()
            for directory in tuple(self._all_directories):
                try:
                    directory.refresh()
                except Unavailable as problem:
                    self._log.warning("accounts-unreadable", problem=str(problem))
        if gone.done():
            self._guard.part()
            self._conduct.part()
        for task in (gone, told, renewing):
            task.cancel()

    async def _drain(self) -> None:
        """Nothing new is accepted; open transactions are finished, within bounds."""
        self._doors.close()
        self._serving.set_running(Running.DRAINING)
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


def in_force(fields: Mapping[str, Value]) -> Settings:
    """The settings of the text that is named. Raises OSError, ConfigError."""
    return load_text(Path(fields["text"]).read_text("utf-8"), Path(fields["file"]))


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed; it is no condition."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def serve(begin: Mapping[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: None)  # the daemon decides
    settings = in_force(begin)
    writer = LogWriter(sys.stderr.fileno(), partial(loop.call_later, _LOG_SECONDS))
    index, meter = int(begin["index"]), Meter()
    log = Log(writer, level=settings.log.level.level, form=settings.log.format, hear=meter.hear)
    log = log.bind(worker=index)
    passage = socket.socket(fileno=begin["passage"])
    passage.setblocking(False)
    try:
        worker = Worker(settings, index, int(begin["count"]), passage, log, meter)
        await worker.run(begin, socket.socket(fileno=begin["link"]))
    finally:
        log.flush()


def main(arguments: list[str]) -> None:
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(json.loads(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
