"""The daemon's part of console and API: starts their process, and starts it again when it ends.

The listening socket is the daemon's, so that the console can die without a connection refused. Nothing
that carries mail waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatepost.admin.link import Link, Value
from gatepost.config.schema import Endpoint, Settings
from gatepost.log import Log
from gatepost.server.bind import CannotListen, listening_socket
from gatepost.supervisor import Answerer, Supervisor

_BACKOFF_SECONDS: Final = (0.5, 2.0, 5.0, 15.0, 60.0)
_HEALTHY_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0
_POST: Final = -1  # among the guard's posts, which workers number from 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a starting console needs to know. `text` is the generation in force."""

    file: Path
    text: Path


class Consoling:
    """`settings` and `standing` give what is in force; `told` hears what the console says to the guard."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        standing: Callable[[], Standing],
        told: Answerer,
        log: Log,
    ) -> None:
        self._settings = settings
        self._standing = standing
        self._told = told
        self._log = log
        self._changed = asyncio.Event()
        self._link: Link | None = None
        self._door: socket.socket | None = None
        self._door_at: Endpoint | None = None

    def changed(self) -> None:
        """The settings are new: the console hears of it, or begins, moves, ends."""
        self._changed.set()

    def tell(self, verb: str, **fields: Value) -> None:
        """Said to the console without waiting, if there is one."""
        if self._link is not None:
            self._link.tell(verb, **fields)

    async def run(self) -> None:
        """Keeps the console as the settings have it, until cancelled."""
        failures = 0
        try:
            while True:
                self._changed.clear()
                if not self._open():
                    await self._changed.wait()
                    continue
                began = time.monotonic()
                died = await self._serve()
                if not died:
                    failures = 0
                    continue
                failures = 0 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
                pause = _BACKOFF_SECONDS[min(max(failures - 1, 0), len(_BACKOFF_SECONDS) - 1)]
                self._log.error("console-died", restart_in_seconds=pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), pause)
        finally:
            self._close()

    def _open(self) -> bool:
        """Whether there is an address to serve; it is bound then."""
        console = self._settings().console
        wanted = None if console is None else console.listen
        if wanted != self._door_at:
            self._close()
        if wanted is None:
            return False
        if self._door is None:
            try:
                self._door = listening_socket(wanted.host, wanted.port)
                self._door_at = wanted
            except CannotListen as problem:
                self._log.error("cannot-listen", server="console", problem=str(problem))
        return self._door is not None

    def _close(self) -> None:
        if self._door is not None:
            self._door.close()
        self._door = self._door_at = None

    async def _serve(self) -> bool:
        """The process runs until it dies (true), or until its address changes (false)."""
        assert self._door is not None
        ours, theirs = socket.socketpair()
        standing, console = self._standing(), self._settings().console
        assert console is not None
        served = (console.listen, console.certificate)
        begin = {
            "file": str(standing.file),
            "text": str(standing.text),
            "door": self._door.fileno(),
            "link": theirs.fileno(),
            "parent": os.getpid(),
        }
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gatepost.console.process", json.dumps(begin),
                pass_fds=[self._door.fileno(), theirs.fileno()],
                start_new_session=True,  # a Ctrl-C in the terminal is the daemon's to hand on
            )  # fmt: skip
        self._link = await Link.over(ours, self._hear)
        ended = asyncio.create_task(process.wait())
        try:
            while not ended.done():
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({ended, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if ended.done():
                    return True
                self._changed.clear()
                console = self._settings().console
                if console is None or (console.listen, console.certificate) != served:
                    return False
                self._link.tell("changed", text=str(self._standing().text))
            return True
        finally:
            await self._end(process, ended)

    async def _end(self, process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
        """The process is over; it goes by itself when its link is closed."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), _END_SECONDS)
        if process.returncode is None:
            process.kill()
            await process.wait()
        self._told("gone", {"worker": _POST})

    async def _hear(self, verb: str, fields: dict[str, Value]) -> Value:
        answer = self._told(verb, {**fields, "worker": _POST})
        return await answer if isinstance(answer, Awaitable) else answer


class Everybody:
    """The workers, and the console where all are told something."""

    def __init__(self, workers: Supervisor, console: Consoling) -> None:
        self._workers = workers
        self._console = console

    async def ask_all(self, verb: str, **fields: Value) -> list[Value]:
        return await self._workers.ask_all(verb, **fields)

    async def ask_one(self, index: int, verb: str, **fields: Value) -> Value:
        return await self._workers.ask_one(index, verb, **fields)

    def tell_all(self, verb: str, **fields: Value) -> None:
        self._workers.tell_all(verb, **fields)
        self._console.tell(verb, **fields)
