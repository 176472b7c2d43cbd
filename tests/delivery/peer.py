"""A peer on 127.0.0.1 that does what its script says, and remembers what it heard.

A script is lines. `S: text` is sent, consecutive ones in one write; `RAW: text` has no line end.
`C: text` waits for a line that begins with it. `CONTENT` reads up to the lone dot, `READ` some bytes.
`STARTTLS` begins TLS. `CLOSE` closes, `RESET` cuts off, `SILENCE` says nothing until the client goes,
`STALL` does not even read, `LOOP` goes back to the line after `AGAIN`. The first connection follows the
first script, and so on; the last script serves all that follow.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from patience import PATIENCE_SECONDS

GREETING = "S: 220 peer.test ESMTP\nC: EHLO us.test\n"
PIPELINING = GREETING + "S: 250-peer.test\nS: 250-PIPELINING\nS: 250-SIZE 1000000\nS: 250 8BITMIME\n"
PLAIN = GREETING + "S: 250-peer.test\nS: 250 8BITMIME\n"
TAKES_ALL = (
    PIPELINING
    + """AGAIN
C: MAIL
C: RCPT
C: DATA
S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 354 go ahead
CONTENT
S: 250 2.0.0 taken
LOOP
"""
)


class Unexpected(Exception):
    """The client said something else."""


class ScriptedPeer:
    """`heard` are the command lines of all connections, `contents` the messages as they stood on the wire."""

    def __init__(self, scripts: Sequence[str], context: ssl.SSLContext | None, *, implicit: bool) -> None:
        self._scripts = [script.strip().splitlines() for script in scripts]
        self._context = context
        self._implicit = implicit
        self.port = 0
        self.heard: list[str] = []
        self.contents: list[bytes] = []
        self.connections = 0
        self.open_most = 0
        self._open = 0
        self.faults: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_more = asyncio.Event()

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=self._context if self._implicit else None, limit=1 << 20
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        self._open += 1
        self.open_most = max(self.open_most, self._open)
        task = asyncio.get_running_loop().create_task(self._follow(script, reader, writer))
        self._tasks.add(task)

    async def _follow(
        self, script: Sequence[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._steps(script, reader, writer)
        except (OSError, EOFError, ssl.SSLError):
            pass
        except Unexpected as fault:
            self.faults.append(str(fault))
        finally:
            self._open -= 1
            writer.close()

    async def _steps(
        self, script: Sequence[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        at = 0
        said: list[str] = []
        while at < len(script):
            step = script[at]
            at += 1
            if step.startswith("S: "):
                said.append(step[3:] + "\r\n")
                continue
            if step.startswith("RAW: "):
                said.append(step[5:])
                continue
            writer.write("".join(said).encode())
            said.clear()
            await writer.drain()
            if step == "LOOP":
                at = script.index("AGAIN") + 1
            else:
                await self._step(step, reader, writer)
        writer.write("".join(said).encode())
        await reader.read(1)

    async def _step(self, step: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if step.startswith("C: "):
            line = (await reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
            self.heard.append(line)
            self._heard_more.set()
            if line == "QUIT" and step != "C: QUIT":
                raise EOFError("the client has gone")
            if not line.startswith(step[3:]):
                raise Unexpected(f"{line!r} instead of {step!r}")
        elif step == "CONTENT":
            lines: list[bytes] = []
            while (read := await reader.readuntil(b"\r\n")) != b".\r\n":
                lines.append(read)
            self.contents.append(b"".join(lines))
            self._heard_more.set()
        elif step == "STARTTLS" and self._context is not None:
            await writer.start_tls(self._context)
        elif step == "CLOSE":
            writer.close()
        elif step == "RESET":
            writer.transport.abort()
        elif step == "STALL":
            await asyncio.Event().wait()
        elif step == "READ":
            await reader.read(1)
        elif step == "SILENCE":
            await reader.read()
        elif step != "AGAIN":
            raise Unexpected(f"a script with {step!r}")

    async def until(self, reached: Callable[[], bool]) -> None:
        """What was heard is enough; fails when it takes too long."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reached():
                self._heard_more.clear()
                await self._heard_more.wait()

    async def gone(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def scripted_peer(
    *scripts: str, context: ssl.SSLContext | None = None, implicit: bool = False
) -> AsyncIterator[ScriptedPeer]:
    peer = ScriptedPeer(scripts, context, implicit=implicit)
    server = await peer.serve()
    try:
        yield peer
    finally:
        server.close()
        await peer.gone()
        await server.wait_closed()
