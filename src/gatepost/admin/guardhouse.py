"""The guard of all workers where it lives: its memory on the disk, its posts, the operator's verbs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from gatepost.admin.alarms import Alarms
from gatepost.admin.custody import Custody, Workers
from gatepost.admin.device_watch import DeviceWatch
from gatepost.admin.directory_watch import DirectoryWatch
from gatepost.admin.keeper import Keeper, ended
from gatepost.admin.link import Refused, Value
from gatepost.config.certificates import leaf_of
from gatepost.config.schema import Settings
from gatepost.guard import watch
from gatepost.guard.bans import Ban, Bans, NotASource, network
from gatepost.guard.event import Event
from gatepost.guard.floodgate import Floodgate
from gatepost.guard.guard import Guard
from gatepost.guard.ledger import Scope
from gatepost.guard.remembered import Remembered
from gatepost.guard.seat import Seat
from gatepost.guard.source import shown
from gatepost.guard.sources import KnownSource, KnownSources
from gatepost.guard.watch import QueueWatch
from gatepost.log import Log
from gatepost.store.disk import FREE_LEAST_BYTES
from gatepost.store.guarddb import BanRow, GuardStore, Memory, SourceRow

_KEEP_SECONDS: Final = 30.0
_BANS_LOGGED: Final = 20
_KEEP_COUNTS_SECONDS: Final = 3.0
_EVENTS: Final = "events"
Fields = dict[str, Value]


class GuardHouse:
    """`run` keeps what was learnt; a disk that fails costs only that."""

    def __init__(
        self,
        settings: Settings,
        store: GuardStore,
        log: Log,
        *,
        workers: Workers,
        doors: Callable[[], Iterable[socket.socket]] = tuple,
    ) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self._workers = workers
        self._queue = QueueWatch()
        self._alarms = Alarms(settings, log)
        self._fresh: list[SourceRow] = []
        self.custody = Custody(settings, store, log, workers, on_event=self._alarms.happened)
        self.devices = DeviceWatch(settings, store, log, self._happened)
        self._directories = DirectoryWatch(settings, log, self._happened)
        self._floodgate = Floodgate(doors, log, time.monotonic)
        self.seat = Seat(
            lambda fields: workers.tell_all("guard", **fields),
            on_event=self._happened,
            on_known=self._learnt,
            on_knocks=lambda them: self._floodgate.shut(them.hosts, them.networks),
        )
        self.guard = Guard(
            settings.watching,
            clock=time.monotonic,
            wall=time.time,
            domains=settings.domains,
            known=KnownSources(),
            bans=Bans(),
            listener=self.seat,
        )
        self.seat.seated(self.guard)
        self._keepers = [
            Keeper(store, kind, Remembered(ledger, time.monotonic), log)
            for kind, ledger in (("count", self.guard.ledger), ("spray", self.guard.names))
        ]

    def open(self) -> None:
        """What was known before is known again."""
        self.custody.open()
        try:
            self.guard.known.load(KnownSource(row.name, row.host, row.at) for row in self._store.sources())
            for row in self._store.bans():
                self.guard.bans.add(Ban(network(row.network), row.until, row.note, row.by, row.at))
            self.devices.open()
            events = self._store.memory(_EVENTS)
            self._alarms.recent.extend(events.value if events is not None else ())
        except (sqlite3.Error, ValueError) as problem:
            self._log.error("guard-memory-lost", problem=str(problem))
        for keeper in self._keepers:
            keeper.open()

    async def begin(self) -> None:
        """The workers are ready: how long the queue is now is what it grows from."""
        await self._look_at_queue()

    async def run(self) -> None:
        """Until cancelled; then everything is kept a last time."""
        beside = [asyncio.create_task(self.custody.run())]
        beside += [asyncio.create_task(keeper.run(_KEEP_COUNTS_SECONDS)) for keeper in self._keepers]
        try:
            while True:
                await asyncio.sleep(_KEEP_SECONDS)
                self.guard.tidy()
                self._floodgate.tidy()
                await asyncio.to_thread(self._keep, self._taken())
                await self._look()
                await self.devices.look()
                await self._directories.look()
        finally:
            self._directories.close()
            self.devices.keep()
            for task in beside:
                await ended(task)
            self._keep(self._taken())

    def change(self, settings: Settings) -> None:
        """These settings hold from now on."""
        self._settings = settings
        self.guard.change(settings.watching, settings.domains)
        self._floodgate.clear()
        self.custody.change(settings)
        self.devices.change(settings)
        self._directories.change(settings)
        self._alarms.change(settings)

    def hear(self, worker: int, verb: str, fields: Fields) -> Value | Awaitable[Value]:
        """The answer to a worker; `gone`: there is none any more. Raises KeyError for what is not ours."""
        if verb == "gone":
            self.seat.post_gone(worker)
            self.custody.worker_gone(worker)
            return None
        if verb == "sightings":
            self.devices.hear(fields)
            return None
        if verb.startswith("guard-"):
            return self.seat.hear(worker, verb, fields)
        return self.custody.hear(worker, verb, fields)

    @staticmethod
    def knows(verb: str) -> bool:
        """Whether it is a verb of the operator's that is answered here."""
        return verb in _VERBS or verb in ("contain", "release", "contained", "alarm-test")

    async def answer(self, verb: str, fields: Fields) -> Value:
        """The operator's verbs that are known here. Raises Refused."""
        if verb == "alarm-test":
            return await self._test_alarms(fields.get("name"))
        if verb not in _VERBS:
            return await self.custody.answer(verb, fields)
        try:
            return _VERBS[verb](self, fields)
        except NotASource as problem:
            raise Refused(str(problem), exit_code=2) from None

    # inside

    async def _look(self) -> None:
        """Whatever is wrong with queue, disk and certificates is told."""
        events = list(await asyncio.to_thread(self._looked))
        events.append(await self._look_at_queue())
        for event in events:
            if event is not None:
                self._alarms.happened(event)

    async def _look_at_queue(self) -> Event | None:
        workers = await self._workers.ask_all("status")
        length = sum(int(worker["queue"]["total"]) for worker in workers if worker)
        return self._queue.look(length, time.time())

    def _looked(self) -> Iterator[Event | None]:
        with contextlib.suppress(OSError):
            usage = shutil.disk_usage(self._settings.state)
            where, least = str(self._settings.state), 2 * FREE_LEAST_BYTES
            yield watch.disk(where, usage.free, usage.total, least)
        for name, one in self._settings.certificates.items():
            leaf = leaf_of(one)
            if leaf is not None:
                yield watch.certificate(name, leaf.not_valid_after_utc, datetime.now(UTC))

    async def _test_alarms(self, name: str | None) -> Value:
        if name is not None and name not in self._settings.alarms:
            raise Refused(f"there is no [alarms.{name}]", exit_code=3)
        return [report.row() for report in await self._alarms.test(name)]

    def _taken(self) -> list[SourceRow]:
        fresh, self._fresh = self._fresh, []
        return fresh

    def _keep(self, fresh: list[SourceRow]) -> None:
        try:
            self._store.keep_sources(fresh, forget_before=self.guard.forget_before)
            self._store.remember(_EVENTS, Memory(time.time(), list(self._alarms.recent)))
        except sqlite3.Error as problem:
            self._fresh = fresh + self._fresh
            self._log.error("guard-memory-not-kept", problem=str(problem))

    def _learnt(self, name: str, host: bytes, at: float) -> None:
        self._fresh.append(SourceRow(name, host, at))

    def _happened(self, event: Event) -> None:
        self._log.warning(event.kind.value, about=event.about, text=event.text)
        self._alarms.happened(event)

    def _ban(self, fields: Fields) -> Value:
        """All at once: a list of thousands is no rarity."""
        seconds, now = fields.get("seconds"), time.time()
        until = None if seconds is None else now + float(seconds)
        note, by = str(fields.get("note", "")), str(fields.get("by", ""))
        bans = [Ban(network(str(one)), until, note, by, now) for one in fields["sources"]]
        self.seat.ban(bans)
        self._keep_bans()
        for ban in bans[:_BANS_LOGGED]:
            self._log.event("banned", source=str(ban.network), by=by)
        if len(bans) > _BANS_LOGGED:
            self._log.event("banned", sources=len(bans), by=by)
        return [ban_row(ban) for ban in bans]

    def _pardon(self, fields: Fields) -> Value:
        if "name" in fields:
            found = self.guard.pardon_name(str(fields["name"]))
        else:
            found = self.seat.pardon(str(fields["source"]))
            self._keep_bans()
        self._floodgate.clear()
        if not found:
            raise Refused("it was neither banned nor refused", exit_code=3)
        self._log.event("pardoned", source=fields.get("source") or fields.get("name"), by=fields.get("by"))
        return True

    def _list(self, fields: Fields) -> Value:
        now = time.time()
        rows = [ban_row(ban) for ban in self.guard.bans if ban.until is None or ban.until > now]
        for host, seconds in self.guard.ledger.refused(Scope.HOST, time.monotonic()):
            ours = {"source": shown(host), "until": now + seconds}
            rows.append({**ours, "note": "", "by": "guard", "at": None})
        return rows

    def _status(self, fields: Fields) -> Value:
        refused = sum(1 for _ in self.guard.refused_hosts())
        return {
            "refused": refused,
            "banned": len(self.guard.bans),
            "dropped": len(self._floodgate),
            "names_under_attack": self.guard.names_under_attack(),
            "spray": self.guard.is_spray,
        }

    def _events(self, fields: Fields) -> Value:
        """What alarms were told of, newest first."""
        return list(reversed(self._alarms.recent))

    def _keep_bans(self) -> None:
        rows = [BanRow(str(b.network), b.until, b.note, b.by, b.at) for b in self.guard.bans]
        try:
            self._store.keep_bans(rows)
        except sqlite3.Error as problem:
            raise Refused(f"it holds until the next start, but could not be kept: {problem}") from None


_VERBS: dict[str, Callable[[GuardHouse, Fields], Any]] = {
    "guard-ban": GuardHouse._ban,
    "guard-pardon": GuardHouse._pardon,
    "guard-bans": GuardHouse._list,
    "guard-status": GuardHouse._status,
    "devices": lambda house, fields: house.devices.rows(),
    "device-forget": lambda house, fields: house.devices.forget(str(fields["name"])),
    "events": GuardHouse._events,
}


def ban_row(ban: Ban) -> Fields:
    return {"source": str(ban.network), "until": ban.until, "note": ban.note, "by": ban.by, "at": ban.at}
