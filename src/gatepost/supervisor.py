"""The worker processes: started, watched, started again, asked, told to drain."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.admin.link import Link, NotRunning, Refused, Value
from gatepost.log import Log

_BACKOFF_SECONDS = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
_HEALTHY_SECONDS = 60.0  # a worker that lived this long starts again at once
_DRAIN_SECONDS = 60.0
_SOCKETS_AT_ONCE = 200  # Linux takes 253 in one message

Sockets = Mapping[str, socket.socket]
Answerer = Callable[[str, dict[str, Value]], Value]


@dataclass(frozen=True, slots=True)
class Orders:
    """What a starting worker needs: the file that is in force, and what is open.

    `file` gives relative paths their meaning, `text` is the generation's own copy of it.
    """

    file: Path
    text: Path
    sockets: Sockets
    fields: Mapping[str, Value]


@dataclass(slots=True)
class Shard:
    """One worker process. `link` and `passage` (for sockets) are None while it is down."""

    index: int
    link: Link | None = None
    passage: socket.socket | None = None
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """`orders` gives what is in force at the moment a worker starts; `told` hears what workers say."""

    def __init__(self, count: int, orders: Callable[[], Orders], told: Answerer, log: Log) -> None:
        self._orders = orders
        self._told = told
        self._log = log
        self._stopping = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []
        self.shards = [Shard(index) for index in range(count)]

    def start(self) -> None:
        """Every worker is on its way, and will be started again when it ends by itself."""
        self._keepers = [asyncio.create_task(self._keep(shard)) for shard in self.shards]

    async def all_ready(self) -> None:
        for shard in self.shards:
            await shard.ready.wait()

    @property
    def restarts(self) -> int:
        return sum(shard.restarts for shard in self.shards)

    async def ask_all(self, verb: str, **fields: Value) -> list[Value]:
        """Each running worker's answer; None from one that does not have the thing, or goes away.

        Raises Refused when one of them refuses for another reason.
        """

        async def one(link: Link) -> Value:
            try:
                return await link.ask(verb, **fields)
            except NotRunning:
                return None
            except Refused as refusal:
                if refusal.exit_code == 3:
                    return None
                raise

        return list(await asyncio.gather(*(one(s.link) for s in self.shards if s.link is not None)))

    async def ask_one(self, index: int, verb: str, **fields: Value) -> Value:
        """The worker's answer. Raises Refused, NotRunning."""
        link = self.shards[index].link
        if link is None:
            raise NotRunning(f"worker {index} is down")
        return await link.ask(verb, **fields)

    def tell_all(self, verb: str, **fields: Value) -> None:
        """Said to every running worker, without waiting."""
        for shard in self.shards:
            if shard.link is not None:
                shard.link.tell(verb, **fields)

    def send_sockets(self, sockets: Sockets) -> None:
        """Every running worker has these listening sockets too, before anything said later."""
        if not sockets:
            return
        ends = list(sockets.items())
        for shard in self.shards:
            if shard.passage is not None:
                for start in range(0, len(ends), _SOCKETS_AT_ONCE):
                    some = dict(ends[start : start + _SOCKETS_AT_ONCE])
                    keys, numbers = json.dumps(list(some)).encode(), [end.fileno() for end in some.values()]
                    with contextlib.suppress(OSError):  # what did not arrive the worker refuses to do without
                        socket.send_fds(shard.passage, [keys], numbers)

    async def drain(self) -> None:
        """Every worker is told to drain and has ended; what does not end in time is killed."""
        self._stopping.set()
        for shard in self.shards:
            if shard.link is not None:
                shard.link.tell("drain")
        waits = [shard.process.wait() for shard in self.shards if shard.process is not None]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waits), _DRAIN_SECONDS)
        for shard in self.shards:
            if shard.process is not None and shard.process.returncode is None:
                self._log.error("worker-killed", worker=shard.index)
                shard.process.kill()
                await shard.process.wait()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, shard: Shard) -> None:
        """The shard's worker runs; when it ends by itself it is started again, ever more slowly."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            await self._run(shard)
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
            shard.restarts += 1
            pause = _BACKOFF_SECONDS[min(max(failures - 1, 0), len(_BACKOFF_SECONDS) - 1)]
            code = shard.process.returncode if shard.process else None
            self._log.error("worker-died", worker=shard.index, exit=code, restart_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _run(self, shard: Shard) -> None:
        orders = self._orders()
        ours, theirs = socket.socketpair()
        passage, their_passage = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, their_passage:
            numbers = {key: end.fileno() for key, end in orders.sockets.items()}
            begin = {
                "file": str(orders.file),
                "text": str(orders.text),
                "index": shard.index,
                "count": len(self.shards),
                "link": theirs.fileno(),
                "passage": their_passage.fileno(),
                "listeners": numbers,
                **orders.fields,
            }
            shard.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gatepost.worker",
                json.dumps(begin),
                pass_fds=[theirs.fileno(), their_passage.fileno(), *numbers.values()],
                start_new_session=True,  # a Ctrl-C in the terminal is the daemon's to hand on
            )
        link = await Link.over(ours, lambda verb, fields: self._hear(shard, verb, fields))
        shard.passage, shard.link = passage, link
        if self._orders() != orders:
            shard.process.kill()  # it was started with what is not in force any more
        await shard.process.wait()
        await link.close()
        passage.close()
        shard.link = shard.passage = None
        self._told("gone", {"worker": shard.index})
        shard.ready.clear()

    def _hear(self, shard: Shard, verb: str, fields: dict[str, Value]) -> Value:
        if verb == "ready":
            shard.ready.set()
            return None
        return self._told(verb, {"worker": shard.index, **fields})
