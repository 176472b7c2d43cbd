"""Questions and answers between CLI, daemon and workers: one JSON object a line, over Unix sockets.

A question is `{"id": N, "verb": "...", ...}`; its answer `{"id": N, "ok": true, "value": ...}` or
`{"id": N, "ok": false, "error": "...", "exit": 1}`. Both ends may ask. The socket's file mode says
who may: only the owner of the state folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

_LINE_LIMIT_BYTES = 64 * 1024 * 1024
Value = Any  # what JSON can hold: the wire's own type
Answerer = Callable[[str, dict[str, Value]], Awaitable[Value] | Value]
"""What is no awaitable is the answer itself, and costs no task."""
_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Refused(Exception):
    """The other side answered no. `exit_code` is the CLI's (1 failed, 3 not found or refused)."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NotRunning(Exception):
    """Nobody listens at the control socket."""


class Link:
    """One end of a connection on which both sides may ask. `closed` is set when the other is gone."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answerer: Answerer
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answerer = answerer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Value]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._said: list[str] = []
        self.closed = asyncio.Event()

    @staticmethod
    async def over(end: socket.socket, answerer: Answerer) -> Link:
        reader, writer = await asyncio.open_connection(sock=end, limit=_LINE_LIMIT_BYTES)
        link = Link(reader, writer, answerer)
        link.start()
        return link

    def start(self) -> None:
        self._spawn(self._pump())

    async def ask(self, verb: str, **fields: Value) -> Value:
        """The other side's value. Raises Refused, NotRunning when it goes away first."""
        if self.closed.is_set():
            raise NotRunning("the other side is gone")
        number = next(self._ids)
        future: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._send({"id": number, "verb": verb, **fields})
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    def tell(self, verb: str, **fields: Value) -> None:
        """Says it without waiting for an answer."""
        self._send({"id": 0, "verb": verb, **fields})

    async def close(self) -> None:
        self._write()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send(self, message: dict[str, Value]) -> None:
        """What is said in one turn of the loop is written together."""
        if not self._said:
            asyncio.get_running_loop().call_soon(self._write)
        self._said.append(_encoded(message))

    def _write(self) -> None:
        said, self._said = self._said, []
        if said and not self._writer.is_closing():
            self._writer.write("\n".join((*said, "")).encode())

    async def _pump(self) -> None:
        try:
            while line := await self._reader.readline():
                message = json.loads(line.decode())
                if "verb" in message:
                    self._hear(message)
                elif (future := self._waiting.get(message.get("id"))) and not future.done():
                    _settle(future, message)
        except (OSError, ValueError, asyncio.LimitOverrunError):
            pass  # a broken line is a broken link
        finally:
            self._writer.close()
            self.closed.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(NotRunning("the other side is gone"))

    def _hear(self, message: dict[str, Value]) -> None:
        number, verb = message.pop("id"), message.pop("verb")
        try:
            value = self._answerer(verb, message)
        except Exception as problem:  # whatever is wrong with the question, the next one is heard
            self._tell_problem(number, problem)
            return
        if isinstance(value, Awaitable):
            self._spawn(self._answer(number, value))
        elif number:
            self._send({"id": number, "ok": True, "value": value})

    async def _answer(self, number: int, coming: Awaitable[Value]) -> None:
        try:
            value = await coming
        except Exception as problem:  # the top of a task: an operator's verb must not end the server
            self._tell_problem(number, problem)
            return
        if number:
            self._send({"id": number, "ok": True, "value": value})

    def _tell_problem(self, number: int, problem: Exception) -> None:
        error, status = f"{type(problem).__name__}: {problem}", 1
        if isinstance(problem, Refused):
            error, status = str(problem), problem.exit_code
        if number:
            self._send({"id": number, "ok": False, "error": error, "exit": status})


def _settle(future: asyncio.Future[Value], message: dict[str, Value]) -> None:
    if message.get("ok"):
        future.set_result(message.get("value"))
    else:
        future.set_exception(Refused(message.get("error", "no reason given"), message.get("exit", 1)))


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name of `path` short enough for a Unix socket (108 bytes), however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def ask_daemon(path: Path, verb: str, timeout_seconds: float = 30.0, **fields: Value) -> Value:
    """The daemon's answer, for programs without an event loop.

    Raises NotRunning when nobody listens at `path`, Refused when the answer is no.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        end.settimeout(timeout_seconds)
        try:
            with reachable(path) as short:
                end.connect(short)
            end.sendall(json.dumps({"id": 1, "verb": verb, **fields}).encode() + b"\n")
            with end.makefile("rb") as answers:
                line = answers.readline()
        except OSError as problem:
            raise NotRunning(f"no Gatepost runs on {path.parent} ({problem.strerror or problem})") from None
    if not line:
        raise NotRunning(f"the Gatepost on {path.parent} went away before it answered")
    answer = json.loads(line)
    if not answer.get("ok"):
        raise Refused(answer.get("error", "no reason given"), answer.get("exit", 1))
    return answer.get("value")
