"""The one process that is Gatepost: holds the sockets and the configuration, and answers the operator.

`python -m gatepost.daemon FILE` serves in the foreground and prints `ready` when every listener is
bound and every worker serves. SIGTERM and SIGINT drain, SIGHUP reloads.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from gatepost.admin.generation import Generations
from gatepost.admin.guardhouse import GuardHouse
from gatepost.admin.keeper import ended
from gatepost.admin.link import Link, Refused, Value, reachable
from gatepost.admin.patrol import Beat, Patrol
from gatepost.admin.switches import switches_of
from gatepost.config.check import check
from gatepost.config.load import ConfigError, load_text, read_text
from gatepost.config.renames import renames
from gatepost.config.schema import Settings
from gatepost.consoling import Consoling, Everybody, Standing
from gatepost.housekeeping import Housekeeping
from gatepost.log import Log, LogWriter
from gatepost.server.bind import CannotListen, openings
from gatepost.server.ends import Ends
from gatepost.service.notify import ServiceManager
from gatepost.service.privileges import CannotDrop, give_up_root
from gatepost.store.guarddb import GuardStore
from gatepost.store.place import Place
from gatepost.supervisor import Orders, Supervisor

_LINE_LIMIT_BYTES = 1 << 20
_TELL_SECONDS = 10.0
_AT_START = ("workers", "user")  # what cannot change while processes run


class AlreadyRunning(Exception):
    """Another daemon holds the state folder."""


class NotSafe(Exception):
    """The file is valid, but a stranger could relay."""


class Daemon:
    """One Gatepost on one state folder."""

    def __init__(self, file: Path, text: str, settings: Settings, log: Log) -> None:
        place = Place(settings.state)
        self._file = file
        self._settings = self._at_start = settings
        self._place = place
        self._log = log
        self._generations = Generations(place.generations)
        self._switches = switches_of(place.servers, self._generations, settings, file)
        self._generation = self._generations.keep(text, by="start")
        self._ends = Ends()
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._started_at = time.time()
        self._workers = Supervisor(worker_count(settings), self._orders, self._told, log)
        console = Consoling(
            lambda: self._settings,
            lambda: Standing(file, self._generations.path(self._generation.number)),
            self._told,
            log,
        )
        self._house = Housekeeping(
            file,
            lambda: self._settings,
            lambda: self._generation.number,
            self._workers,
            ServiceManager(),
            console,
            log,
        )
        self._patrol = Patrol(log, self._told_to_all)
        self._guard = GuardHouse(
            settings,
            GuardStore(place.guard),
            log,
            workers=Everybody(self._workers, console),
            doors=lambda: self._ends.sockets.values(),
        )

    async def run(self) -> None:
        """Serves until told to stop. Raises CannotListen when no address at all can be had."""
        self._bind_first()
        control = await self._open_control()
        loop = self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        hangups: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = asyncio.create_task(self._reload_on_signal())
            hangups.add(task)
            task.add_done_callback(hangups.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        self._guard.open()
        guarding = asyncio.create_task(self._guard.run())
        self._workers.start()
        await self._until_ready()
        await self._house.start()
        await self._stopping.wait()
        self._log.event("stopping")
        self._patrol.stop()
        self._house.stop()
        async with self._changing:
            self._ends.close()  # an open end here would let clients in whom nobody serves any more
            await self._workers.drain()
        control.close()
        await self._house.ended()
        await ended(guarding)
        with contextlib.suppress(FileNotFoundError):
            self._place.control.unlink()
        self._log.event("stopped")

    async def _until_ready(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        everyone = asyncio.create_task(self._workers.all_ready())
        await asyncio.wait({stopping, everyone}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if everyone.done():
            self._log.event("ready", workers=len(self._workers.shards), generation=self._generation.number)
            await self._guard.begin()
            print("ready", flush=True)
            self._walk_round()
        else:
            everyone.cancel()

    def _orders(self) -> Orders:
        """What a worker that starts now is to do."""
        text = self._generations.path(self._generation.number)
        return Orders(self._file, text, dict(self._ends.sockets), self._fields())

    def _fields(self) -> dict[str, Value]:
        unbound = self._ends.unbound(openings(self._settings))
        return {
            "generation": self._generation.number,
            "off": sorted({*self._switches.stopped, *unbound}),
            "paused": sorted(self._switches.paused),
        }

    def _told(self, verb: str, fields: dict[str, Value]) -> Value:
        try:
            return self._guard.hear(fields.pop("worker"), verb, fields)
        except KeyError:
            raise Refused(f"the daemon does not know {verb!r}") from None

    def _bind_first(self) -> None:
        """What cannot be bound is explained, and the other virtual servers go on."""
        try:
            self._ends.bind_what_can_be(openings(self._settings, self._switches.stopped))
        finally:
            for server, problem in self._ends.trouble.items():
                self._log.error("cannot-listen", virtual_server=server, problem=problem)

    # taking over

    async def _reload_on_signal(self) -> None:
        try:
            await self.reload(by="SIGHUP")
        except Refused as refusal:
            self._log.error("reload-refused", problem=str(refusal))

    async def reload(self, *, by: str) -> Value:
        """The edited file is in force in all workers, or nothing has changed. Raises Refused."""
        self._must_not_be_stopping()
        async with self._changing, self._house.reload():
            self._must_not_be_stopping()
            try:
                text = read_text(self._file)
                settings = safe_settings(text, self._file)
            except (ConfigError, NotSafe) as problem:
                raise Refused(f"the old configuration goes on: {problem}") from None
            if settings.state != self._settings.state:
                raise Refused("`state` cannot change while Gatepost runs: stop it, move the folder, start it")
            waiting = [key for key in _AT_START if getattr(settings, key) != getattr(self._at_start, key)]
            with self._switches.renamed(renames(self._settings, settings)):
                await self._take_over(text, settings, by=by)
            return {
                "generation": self._generation.number,
                "at": self._generation.at,
                "after_restart": waiting,
            }

    def _must_not_be_stopping(self) -> None:
        if self._stopping.is_set():
            raise Refused("Gatepost is stopping: what is in the file holds from its next start")

    async def _take_over(
        self, text: str, settings: Settings, *, by: str, without: Collection[str] = ()
    ) -> None:
        """`without`: virtual servers that go on without their addresses, as they did before."""
        off = sorted({*self._switches.stopped, *without})
        wanted = openings(settings, off)
        try:
            fresh = self._ends.bound_anew(wanted)
        except CannotListen as problem:
            raise Refused(f"the old configuration goes on: {problem}") from None
        draft = self._generations.draft(text)
        self._workers.send_sockets(fresh)
        try:
            fields = {"off": off, "paused": sorted(self._switches.paused)}
            await self._workers.ask_all("prepare", file=str(self._file), text=str(draft), **fields)
        except Refused as problem:
            await self._workers.ask_all("abandon")
            for end in fresh.values():
                end.close()
            raise Refused(f"the old configuration goes on: {problem}") from None
        self._generation = self._generations.keep(text, by=by)
        self._settings = settings
        self._guard.change(settings)
        self._log.change(settings.log.level.level, settings.log.format)
        self._ends.trouble = {key: why for key, why in self._ends.trouble.items() if key in without}
        self._ends.sockets.update(fresh)
        await self._workers.ask_all("take-over", generation=self._generation.number)
        self._ends.close_unwanted(wanted)
        self._log.event("taken-over", generation=self._generation.number, by=by)
        self._walk_round()

    # the self-test, from a thread of its own

    def _walk_round(self) -> None:
        listeners = self._ends.addresses(openings(self._settings))
        self._patrol.due(Beat(self._settings, listeners, self._generation.number))

    def _told_to_all(self, verb: str, **fields: Value) -> None:
        """Done in the loop, or not at all when the end is near."""
        work = self._workers.ask_all(verb, **fields)
        try:
            asyncio.run_coroutine_threadsafe(work, self._loop).result(_TELL_SECONDS)
        except (RuntimeError, TimeoutError):
            work.close()

    async def _switch(self, verb: str, name: str) -> Value:
        """start, stop or pause of one virtual server, in all workers; it lasts over restarts."""
        self._must_not_be_stopping()
        async with self._changing:
            self._must_not_be_stopping()
            server = full_name(self._settings, name)
            before = self._switches.state(server)
            self._switches.set(server, {"start": "running", "stop": "stopped", "pause": "paused"}[verb])
            try:
                text = self._generations.text(self._generation.number)
                others = self._ends.trouble.keys() - {server}
                await self._take_over(text, self._settings, by=verb, without=others)
            except Refused:
                self._switches.set(server, before)
                raise
            self._log.event(
                "virtual-server-switched", virtual_server=server, state=self._switches.state(server)
            )
            return {"virtual_server": server, "state": self._switches.state(server)}

    # the operator

    async def _open_control(self) -> asyncio.Server:
        path = self._place.control
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with reachable(path) as short:
            old = os.umask(0o177)
            try:
                return await asyncio.start_unix_server(self._operator, short, limit=_LINE_LIMIT_BYTES)
            finally:
                os.umask(old)

    async def _operator(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer, self._answer)
        link.start()
        await link.closed.wait()

    async def _answer(self, verb: str, fields: dict[str, Value]) -> Value:
        match verb:
            case "status":
                return await self._status()
            case "exposition":
                return await self._house.metrics()
            case "reload":
                return await self.reload(by=str(fields.get("by", "operator")))
            case "start" | "stop" | "pause":
                return await self._switch(verb, str(fields["name"]))
        if self._guard.knows(verb):
            return await self._guard.answer(verb, fields)
        return merged(await self._workers.ask_all(verb, **fields), workers=len(self._workers.shards))

    async def _status(self) -> Value:
        workers = await self._workers.ask_all("status")
        listeners = self._ends.addresses(openings(self._settings))
        return {
            "hostname": self._settings.hostname,
            "file": str(self._file),
            "generation": self._generation.number,
            "taken_over_at": self._generation.at,
            "started_at": self._started_at,
            "listeners": listeners,
            "states": {name: self._switches.state(name) for name in listeners},
            "trouble": dict(self._ends.trouble),
            "restarts": self._workers.restarts,
            "selftest": self._patrol.row(),
            "workers": [worker for worker in workers if worker is not None],
        }


def merged(answers: list[Value], *, workers: int) -> Value:
    """The workers' lists as one, or the one answer there is. Raises Refused when there is none."""
    found = [answer for answer in answers if answer is not None]
    if not answers:
        raise Refused(f"none of the {workers} workers runs now; try again in a moment")
    if not found:
        raise Refused("not found", exit_code=3)
    if all(isinstance(answer, list) for answer in found):
        return [row for answer in found for row in answer]
    return found[0]


def full_name(settings: Settings, name: str) -> str:
    """`smtp.NAME` or `pop3.NAME`; the bare name where it is clear. Raises Refused."""
    there = [f"smtp.{one}" for one in settings.smtp] + [f"pop3.{one}" for one in settings.pop3]
    found = [one for one in there if name == one or name == one.partition(".")[2]]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"{name} means {' and '.join(found)}: say which", exit_code=2)
    raise Refused(f"there is no virtual server {name}; there are {', '.join(there)}", exit_code=3)


def safe_settings(text: str, file: Path) -> Settings:
    """The settings, valid and closed. Raises ConfigError, NotSafe."""
    settings = load_text(text, file)
    findings = check(settings)
    if not findings.is_safe:
        raise NotSafe("; ".join(str(finding) for finding in findings.errors))
    return settings


def worker_count(settings: Settings) -> int:
    """As set; else one for two cores, at least one: the next core is the kernel's and the disk's."""
    return settings.workers or max(1, (os.cpu_count() or 1) // 2)


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """The state folder is ours alone. Raises AlreadyRunning."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state / "gatepost.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"another Gatepost runs on {state}; stop it first") from None
        yield


async def serve(file: Path, text: str, settings: Settings) -> None:
    log = Log(LogWriter(sys.stderr.fileno()), level=settings.log.level.level, form=settings.log.format)
    with locked(settings.state):
        await Daemon(file, text, settings, log).run()


def main(arguments: list[str]) -> int:
    """Exit code 1 when the file is not valid or nothing can be bound, 3 when it is not safe."""
    file = Path(arguments[0]).absolute()
    try:
        give_up_root(read_text(file), file.parent)
        text = read_text(file)  # by the user that will have to read it again
        asyncio.run(serve(file, text, safe_settings(text, file)))
    except NotSafe as problem:
        print(f"gatepost: {problem}", file=sys.stderr)
        return 3
    except (ConfigError, CannotListen, AlreadyRunning, CannotDrop) as problem:
        print(f"gatepost: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
