"""POP3 in this process: a shard with mailboxes, and a client that says what it is told to."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gatepost.server.bind import listening_socket
from gatepost.server.listener import Listener
from gatepost.server.maildrop import Maildrops
from gatepost.server.pop3 import Pop3Conversation
from gatepost.server.shard import Pop3VirtualServer
from gatepost.server.tls import tls_server
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.place import Place
from patience import PATIENCE_SECONDS
from server.dialling import dialled, hang_up
from server.gate import PASSWORD, Gate, gate, trusting

MESSAGES = (
    b"Subject: one\n\nfirst\n.dot\n..two\n",
    b"Subject: two\r\n\r\nsecond, without an end",
    b"Subject: three\n\nline 1\nline 2\nline 3\n",
)
BOB = "bob@example.org"
TABLES = """[pop3.mail]
listen = ["127.0.0.1:0"]
tls = "require"
access = [ { allow = ["connect", "collect"], to = "anyone" } ]
[pop3.mail-tls]
listen = ["127.0.0.1:0"]
tls = "implicit"
access = [ { allow = ["connect"], to = "anyone" }, { allow = ["collect"], to = "authenticated" } ]
[pop3.clear]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["PLAIN", "LOGIN"]
auth_in_clear = true
access = [ { allow = ["connect", "collect"], to = "net:127.0.0.0/8" } ]
"""


@dataclass(slots=True)
class House:
    """A running shard with bob's mailbox. `ports` by virtual server."""

    gate: Gate
    mailboxes: Mailboxes
    maildrops: Maildrops
    ports: dict[str, int] = field(default_factory=dict)
    servers: dict[str, Pop3VirtualServer] = field(default_factory=dict)

    def put(self, *messages: bytes, account: str = BOB, first: int = 0) -> None:
        """These messages lie in the account's mailbox, unseen."""
        mailbox = self.mailboxes.create(account)
        for number, message in enumerate(messages, first):
            (mailbox / "new" / f"{1_700_000_000 + number}.M{number}P1.host").write_bytes(message)

    def left(self, account: str = BOB) -> int:
        """How many messages lie in the account's mailbox now."""
        mailbox = self.mailboxes.folder(account)
        return sum(len(list((mailbox / name).iterdir())) for name in ("new", "cur"))

    async def connect(self, server: str = "clear") -> Client:
        """Connected, with TLS on where it is implicit; nothing is read yet."""
        tls = trusting() if server.endswith("tls") else None
        ends = await dialled("127.0.0.1", self.ports[server], ssl=tls, limit=1 << 20)
        return Client(*ends)

    async def dial(self, server: str = "clear") -> Client:
        """Connected; the greeting is read."""
        client = await self.connect(server)
        assert (await client.line()).startswith("+OK mail.example.org POP3")
        return client

    async def enter(self, server: str = "clear", name: str = "bob") -> Client:
        """Logged in by USER and PASS."""
        client = await self.dial(server)
        assert (await client.say(f"USER {name}")).startswith("+OK")
        answer = await client.say(f"PASS {PASSWORD}")
        assert answer.startswith("+OK"), answer
        return client

    def logged(self) -> str:
        return self.gate.logged()


@dataclass(slots=True)
class Client:
    """Says lines and reads replies; "" stands for a closed connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def line(self) -> str:
        try:
            line = await asyncio.wait_for(self.reader.readline(), PATIENCE_SECONDS)
        except ConnectionError:
            return ""
        return line.decode("utf-8", "surrogateescape").removesuffix("\r\n")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def say(self, line: str | bytes) -> str:
        """The first line of the reply."""
        await self.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return await self.line()

    async def body(self) -> bytes:
        """The rest of a reply of many lines, as it came, with its closing dot."""
        whole = b""
        while not whole.endswith(b"\r\n.\r\n") and whole != b".\r\n":
            piece = await asyncio.wait_for(self.reader.readline(), PATIENCE_SECONDS)
            if not piece:
                return whole
            whole += piece
        return whole

    async def ask(self, line: str) -> str:
        """A whole reply of many lines."""
        first = await self.say(line)
        return f"{first}\n{(await self.body()).decode()}" if first.startswith("+OK") else first

    async def start_tls(self) -> None:
        assert (await self.say("STLS")).startswith("+OK")
        await self.writer.start_tls(trusting())

    async def plain(self, name: str, password: str = PASSWORD) -> str:
        return await self.say(
            f"AUTH PLAIN {b64encode(f'{chr(0)}{name}{chr(0)}{password}'.encode()).decode()}"
        )

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await asyncio.wait_for(self.writer.wait_closed(), PATIENCE_SECONDS)


Story = Callable[[House], Awaitable[None]]


@asynccontextmanager
async def house(folder: Path, tables: str = TABLES) -> AsyncIterator[House]:
    """A shard that serves these [pop3.NAME] tables, with bob, who has no mail; closed whole at the end."""
    async with gate(folder, tables) as here:
        settings = here.shard.settings
        mailboxes = Mailboxes(Place(settings.state).mailboxes, settings.hostname)
        home = House(here, mailboxes, Maildrops(mailboxes))
        listeners = []
        for name, one in settings.pop3.items():
            end = listening_socket("127.0.0.1", 0)
            server = Pop3VirtualServer(one, tls_server(one, settings.certificates), home.maildrops)
            listener = Listener(one, server.tls, partial(Pop3Conversation, here.shard, server))
            await listener.open([end])
            listeners.append(listener)
            home.servers[name], home.ports[name] = server, end.getsockname()[1]
        here.add("bob")
        try:
            yield home
        finally:
            await hang_up()
            for listener in listeners:
                listener.close()
            for session in here.shard.sessions:
                session.close("test over")
            home.maildrops.close()
            for server in home.servers.values():
                if server.tls is not None:
                    server.tls.close()


def play(folder: Path, story: Story, tables: str = TABLES, *, faults: bool = False) -> None:
    """The story is told on a running shard; nothing of it was a fault of ours."""

    async def whole() -> None:
        async with house(folder, tables) as home:
            await story(home)
            assert faults or "internal-fault" not in home.logged()

    asyncio.run(whole())
