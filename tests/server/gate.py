"""The SMTP side of a worker, in this process: real sockets, spool, accounts, TLS; delivery left out."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dns.asyncresolver

from directory.directories import CHEAP, open_accounts
from gatepost.admin.certificate import self_signed
from gatepost.config.load import load_text
from gatepost.config.schema import Settings
from gatepost.directory.build import directories
from gatepost.directory.devices import Devices
from gatepost.directory.directory import Directories
from gatepost.directory.password import Passwords
from gatepost.directory.tickets import token_issuers
from gatepost.guard import source
from gatepost.guard.conduct import Conduct
from gatepost.guard.guard import Guard
from gatepost.guard.ledger import Offence, Scope
from gatepost.guard.post import Post
from gatepost.log import Log, LogWriter
from gatepost.login import Login
from gatepost.secret import Secret
from gatepost.server.bind import listening_socket
from gatepost.server.certificate import KeyPair
from gatepost.server.listener import Listener
from gatepost.server.room import Room
from gatepost.server.sessions import Sessions
from gatepost.server.shard import Shard, SmtpVirtualServer
from gatepost.server.smtp import SmtpConversation
from gatepost.server.tls import tls_server
from gatepost.store.accounts import Accounts
from gatepost.store.job import Job
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.spool import Spool
from gatepost.store.tracking import Tracking
from patience import PATIENCE_SECONDS
from server.dialling import dialled, hang_up

PASSWORD = "a long secret"


@cache
def certificate() -> KeyPair:
    return self_signed(["localhost", "mail.example.org"])


@dataclass(slots=True)
class Gate:
    """A running shard. `ports` by virtual server."""

    shard: Shard
    accounts: Accounts
    folder: Path
    mailboxes: Mailboxes
    guard: Guard
    ports: dict[str, int] = field(default_factory=dict)
    servers: dict[str, SmtpVirtualServer] = field(default_factory=dict)

    def add(self, name: str, *, groups: tuple[str, ...] = (), administrator: bool = False) -> None:
        """A user with PASSWORD, in these groups (which are made)."""
        passwords = Passwords(slots=1, cost=CHEAP)
        self.accounts.users.add(
            f"{name}@example.org",
            domains=["example.org"],
            by="test",
            administrator=administrator,
            credential=passwords.credential(Secret(PASSWORD)),
        )
        passwords.close()
        for group in groups:
            self.join(group, f"{name}@example.org")

    def join(self, group: str, member: str) -> None:
        for name in (group, member):
            if "@" not in name and self.accounts.groups.find(name) is None:
                self.accounts.groups.add(name, by="test")
        self.accounts.groups.join(
            group, member, by="test", domains=["example.org"], guessable=(), even_so=True
        )

    async def dial(self, server: str = "smtp") -> Dialogue:
        reader, writer = await dialled("127.0.0.1", self.ports[server], limit=1 << 20)
        return Dialogue(reader, writer)

    async def queued(self) -> list[Job]:
        """What is in the spool; taken, so once only."""
        await self.shard.spool.flush()
        return self.shard.spool.take(self.shard.clock(), 1000)

    def offences(self, offence: Offence, peer: str) -> int:
        """How often the guard has counted it."""
        key = source.host(source.peer_of(peer))
        return self.guard.ledger.count(Scope.HOST, key, offence, asyncio.get_running_loop().time())

    def logged(self) -> str:
        self.shard.log.flush()
        return (self.folder / "log").read_text("utf-8")


@dataclass(slots=True)
class Dialogue:
    """A client that says what it is told to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> str:
        """The next reply, all its lines; "" when the server has closed."""
        lines = []
        try:
            while line := await asyncio.wait_for(self.reader.readline(), PATIENCE_SECONDS):
                lines.append(line.decode())
                if line[3:4] != b"-":
                    break
        except ConnectionError:
            return ""
        return "".join(lines)

    async def say(self, line: str | bytes) -> str:
        await self.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return await self.reply()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def start_tls(self) -> None:
        """STARTTLS and a new EHLO."""
        assert (await self.say("STARTTLS")).startswith("220")
        await self.writer.start_tls(trusting())
        await self.hello()

    async def hello(self) -> str:
        return await self.say("EHLO client.test")

    async def log_in(self, name: str, password: str = PASSWORD) -> str:
        token = ssl_free_base64(f"\0{name}\0{password}")
        return await self.say(f"AUTH PLAIN {token}")

    async def hand_in(
        self, sender: str, *recipients: str, content: bytes = b"Subject: x\r\n\r\nx\r\n"
    ) -> str:
        """A whole transaction; the reply to its end, or the first refusal of MAIL or DATA."""
        answer = await self.say(f"MAIL FROM:<{sender}>")
        if not answer.startswith("250"):
            return answer
        for recipient in recipients:
            await self.say(f"RCPT TO:<{recipient}>")
        answer = await self.say("DATA")
        if not answer.startswith("354"):
            return answer
        return await self.say(content + b".")

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


def ssl_free_base64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode()


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


HEAD = """
hostname = "mail.example.org"
state = "state"
[domains."example.org"]
[certificates.default]
chain = "mail.pem"
key = "mail.key"
"""


def written(folder: Path, servers: str) -> Settings:
    """The settings of HEAD and these tables, every virtual server on a free port."""
    pair = certificate()
    (folder / "mail.pem").write_bytes(pair.chain)
    (folder / "mail.key").write_bytes(pair.key)
    (folder / "mail.key").chmod(0o600)
    return load_text(HEAD + servers, folder / "gatepost.toml")


@asynccontextmanager
async def gate(folder: Path, servers: str, **more: Any) -> AsyncIterator[Gate]:
    """A shard that serves the [smtp.NAME] tables in `servers`; it is closed whole at the end."""
    settings = written(folder, servers)
    settings.state.mkdir(exist_ok=True)
    with (folder / "log").open("wb", buffering=0) as log_file:
        log = Log(LogWriter(log_file.fileno()))
        accounts = open_accounts(settings.state)
        passwords = Passwords(cost=CHEAP)
        answering: Directories = more.pop("directories", None) or directories(
            settings, accounts, passwords, log
        )
        resolver = more.pop("resolver", None)
        mailboxes = Mailboxes(settings.state / "mail", settings.hostname)
        spool = Spool(settings.state / "spool", worker=0, report=log.warning, **more)
        tracking = Tracking(settings.state / "tracking.sqlite3", report=log.warning)
        await spool.open()
        tracking.start()
        loop = asyncio.get_running_loop()
        own = Guard(settings.watching, clock=loop.time, wall=time.time, domains=settings.domains)
        guard = Post(own, clock=loop.time, wall=time.time)
        devices = Devices(answering, accounts.app_passwords, lambda: datetime.now(UTC))
        login = Login(
            answering,
            guard,
            log,
            decoy_key=accounts.unknown_names_key(),
            devices=devices,
            issuers=token_issuers(settings, log),
        )
        shard = Shard(
            settings,
            log,
            answering,
            login,
            spool,
            tracking,
            Sessions(guard.gone),
            resolver or dns.asyncresolver.Resolver(),
            guard,
            Conduct(loop.time),
            Room(settings.mailboxes, mailboxes),
        )
        here = Gate(shard, accounts, folder, mailboxes, own)
        listeners = []
        for name, server_settings in settings.smtp.items():
            end = listening_socket("127.0.0.1", 0)
            server = SmtpVirtualServer(
                server_settings,
                tls_server(server_settings, settings.certificates),
                settings.limits.allotments(),
            )
            listener = Listener(server_settings, server.tls, partial(SmtpConversation, shard, server))
            await listener.open([end])
            listeners.append(listener)
            here.servers[name] = server
            here.ports[name] = end.getsockname()[1]
        try:
            yield here
        finally:
            await hang_up()
            for listener in listeners:
                listener.close()
            for session in shard.sessions:
                session.close("test over")
            await asyncio.wait_for(shard.sessions.all_ended(), PATIENCE_SECONDS)
            for server in here.servers.values():
                if server.tls is not None:
                    server.tls.close()
                if server.scanner is not None:
                    await server.scanner.close()
            await spool.close()
            tracking.close()
            passwords.close()
            accounts.close()


LOOPBACK = ip_network("127.0.0.0/8")
