"""The supervisor: binds sockets, starts workers and restarts them, answers the operator.

`python -m gatepost.daemon FILE` serves in the foreground and prints `ready` when every listener is
bound and every worker serves. SIGTERM and SIGINT drain.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.admin.link import Link, NotRunning, Refused, Value, reachable
from gatepost.config.check import check
from gatepost.config.load import ConfigError, load
from gatepost.config.schema import Settings
from gatepost.log import Log, LogWriter
from gatepost.server.bind import CannotListen, listening_socket, shared_ports
from gatepost.store.place import Place

_BACKOFF_SECONDS = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
_HEALTHY_SECONDS = 60.0  # a worker that lived this long starts again at once
_DRAIN_SECONDS = 60.0


class AlreadyRunning(Exception):
    """Another daemon holds the state folder."""


@dataclass(slots=True)
class Shard:
    """One worker process and the link to it; `link` is None while it is down."""

    index: int
    link: Link | None = None
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Daemon:
    """One Gatepost on one state folder."""

    def __init__(self, file: Path, settings: Settings, log: Log) -> None:
        self._file = file
        self._settings = settings
        self._log = log
        self._sockets: dict[str, list[socket.socket]] = {}
        self._shards = [Shard(index) for index in range(worker_count(settings))]
        self._stopping = asyncio.Event()
        self._started_at = time.time()

    async def run(self) -> None:
        """Serves until told to stop. Raises CannotListen, AlreadyRunning."""
        with locked(self._settings.state), bound(self._settings) as self._sockets:
            control = await self._open_control()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
            keepers = [asyncio.create_task(self._keep(shard)) for shard in self._shards]
            await self._until_ready()
            await self._stopping.wait()
            self._log.event("stopping")
            control.close()
            await self._drain()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            with contextlib.suppress(FileNotFoundError):
                Place(self._settings.state).control.unlink()
            self._log.event("stopped")

    async def _until_ready(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        everyone = asyncio.create_task(self._all_ready())
        await asyncio.wait({stopping, everyone}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if everyone.done():
            self._log.event("ready", workers=len(self._shards))
            print("ready", flush=True)
        else:
            everyone.cancel()

    async def _all_ready(self) -> None:
        for shard in self._shards:
            await shard.ready.wait()

    # workers

    async def _keep(self, shard: Shard) -> None:
        """The shard's worker runs; when it ends by itself it is started again, ever more slowly."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            await self._run_worker(shard)
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
            shard.restarts += 1
            pause = _BACKOFF_SECONDS[min(max(failures - 1, 0), len(_BACKOFF_SECONDS) - 1)]
            code = shard.process.returncode if shard.process else None
            self._log.error("worker-died", worker=shard.index, exit=code, restart_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _run_worker(self, shard: Shard) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            listeners = {name: [end.fileno() for end in ends] for name, ends in self._sockets.items()}
            shard.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gatepost.worker", str(self._file),
                str(shard.index), str(len(self._shards)), str(theirs.fileno()), json.dumps(listeners),
                pass_fds=[theirs.fileno(), *(n for ends in listeners.values() for n in ends)],
                start_new_session=True,  # a Ctrl-C in the terminal is ours to hand on
            )  # fmt: skip
        shard.link = await Link.over(ours, lambda verb, fields: self._told(shard, verb))
        await shard.process.wait()
        await shard.link.close()
        shard.link = None
        shard.ready.clear()

    async def _told(self, shard: Shard, verb: str) -> Value:
        if verb != "ready":
            raise Refused(f"the daemon does not know {verb!r}")
        shard.ready.set()

    async def _drain(self) -> None:
        """Every worker is told to drain and has ended; what does not end in time is killed."""
        for shard in self._shards:
            if shard.link is not None:
                shard.link.tell("drain")
        waits = [shard.process.wait() for shard in self._shards if shard.process is not None]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waits), _DRAIN_SECONDS)
        for shard in self._shards:
            if shard.process is not None and shard.process.returncode is None:
                self._log.error("worker-killed", worker=shard.index)
                shard.process.kill()
                await shard.process.wait()

    # the operator

    async def _open_control(self) -> asyncio.Server:
        path = Place(self._settings.state).control
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with reachable(path) as short:
            old = os.umask(0o177)
            try:
                return await asyncio.start_unix_server(self._operator, short, limit=1 << 20)
            finally:
                os.umask(old)

    async def _operator(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer, self._answer)
        link.start()
        await link.closed.wait()

    async def _answer(self, verb: str, fields: dict[str, Value]) -> Value:
        if verb == "status":
            return await self._status()
        answers = await self._ask_all(verb, fields)
        if all(isinstance(answer, list) for answer in answers):
            return [row for answer in answers for row in answer]
        if found := [answer for answer in answers if answer is not None]:
            return found[0]
        raise Refused("not found", exit_code=3)

    async def _ask_all(self, verb: str, fields: dict[str, Value]) -> list[Value]:
        """Each running worker's answer, None where a worker does not have the thing asked for."""

        async def one(link: Link) -> Value:
            try:
                return await link.ask(verb, **fields)
            except NotRunning:
                return None
            except Refused as refusal:
                if refusal.exit_code == 3:
                    return None
                raise

        return list(await asyncio.gather(*(one(s.link) for s in self._shards if s.link is not None)))

    async def _status(self) -> Value:
        workers = await self._ask_all("status", {})
        return {
            "hostname": self._settings.hostname,
            "file": str(self._file),
            "started_at": self._started_at,
            "listeners": {name: [address_of(end) for end in ends] for name, ends in self._sockets.items()},
            "restarts": sum(shard.restarts for shard in self._shards),
            "workers": [worker for worker in workers if worker is not None],
        }


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


@contextlib.contextmanager
def bound(settings: Settings) -> Iterator[dict[str, list[socket.socket]]]:
    """Listening sockets by `smtp.NAME` and `pop3.NAME`. Raises CannotListen; then none is left open."""
    with contextlib.ExitStack() as stack:
        sockets: dict[str, list[socket.socket]] = {}
        everywhere = [
            (end.host, end.port)
            for server in (*settings.smtp.values(), *settings.pop3.values())
            for end in server.listen
        ]
        shared = shared_ports(everywhere)
        for protocol, servers in (("smtp", settings.smtp), ("pop3", settings.pop3)):
            for name, server in servers.items():
                ends = [
                    listening_socket(one.host, one.port, shares_port=one.port in shared)
                    for one in server.listen
                ]
                for end in ends:
                    stack.enter_context(end)
                sockets[f"{protocol}.{name}"] = ends
        yield sockets


def address_of(end: socket.socket) -> str:
    host, port = end.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def main(arguments: list[str]) -> int:
    file = Path(arguments[0])
    try:
        settings = load(file)
        log = Log(LogWriter(sys.stderr.fileno()), level=settings.log.level.level, form=settings.log.format)
        if not check(settings).is_safe:
            print(f"gatepost: {file} is not safe; `gatepost check` says why", file=sys.stderr)
            return 3
        asyncio.run(Daemon(file, settings, log).run())
    except (ConfigError, CannotListen, AlreadyRunning) as problem:
        print(f"gatepost: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
