"""An rspamd on 127.0.0.1 that answers what its script says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its header fields in lower case, each with all its values, and its body."""

    line: str
    fields: dict[str, list[str]]
    body: bytes


# Writes the answer, or does whatever a bad peer does.
Act = Callable[[asyncio.StreamWriter], Any]


@dataclass(slots=True)
class ScriptedScanner:
    """Each request is answered by the next act; the last one answers all that follow."""

    acts: list[Act]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (asked := await _read(reader)) is not None:
                act = self.acts[min(len(self.asked), len(self.acts) - 1)]
                self.asked.append(asked)
                self.was_asked.set()
                answer = act(writer)
                if asyncio.iscoroutine(answer):
                    await answer
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields: dict[str, list[str]] = {}
    for line in head[1:-2]:
        name, _, value = line.partition(": ")
        fields.setdefault(name.lower(), []).append(value)
    if "content-length" in fields:
        return Asked(head[0], fields, await reader.readexactly(int(fields["content-length"][0])))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return Asked(head[0], fields, body)


def says(action: str, *, close: bool = False, status: str = "200 OK", **more: Any) -> Act:
    """An answer of rspamd's."""
    return body(
        json.dumps({"action": action, "score": 7.125, "required_score": 15.0} | more).encode(), status, close
    )


def body(content: bytes, status: str = "200 OK", close: bool = False) -> Act:
    def act(writer: asyncio.StreamWriter) -> None:
        gone = b"Connection: close\r\n" if close else b""
        writer.write(
            b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status.encode(), gone, len(content), content)
        )
        if close:
            writer.close()

    return act


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """An answer that comes octet by octet and never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        writer.write(b" " * 100_000)
        await writer.drain()


def raw(data: bytes) -> Act:
    def act(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return act


@asynccontextmanager
async def scripted_scanner(*acts: Act) -> AsyncIterator[ScriptedScanner]:
    scanner = ScriptedScanner(list(acts))
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(scanner.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    scanner.port = server.sockets[0].getsockname()[1]
    try:
        yield scanner
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
