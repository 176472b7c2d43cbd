"""Behind a load balancer everything is about the client; nobody else is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gatepost.guard.ledger import Offence
from patience import PATIENCE_SECONDS
from server.dialling import dialled
from server.doors import House, doors
from server.gate import Dialogue, trusting

TABLES = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "offer"
proxies = ["127.0.0.1"]
access = [
  { allow = ["connect", "submit"], to = "net:192.0.2.0/24" },
  { allow = ["connect", "submit", "relay"], to = "net:2001:db8::/32" },
  { allow = ["connect", "submit"], to = "net:127.0.0.0/8" },
]
connections_per_peer = 1
handshake_seconds = 1
[smtp.implicit]
listen = ["127.0.0.1:0"]
tls = "implicit"
proxies = ["127.0.0.1"]
access = [ { allow = ["connect", "submit"], to = "net:192.0.2.0/24" } ]
[smtp.plain]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
[pop3.pop3]
listen = ["127.0.0.1:0"]
tls = "off"
auth_in_clear = true
proxies = ["127.0.0.1"]
access = [
  { allow = ["connect", "collect"], to = "net:192.0.2.0/24" },
  { allow = ["connect"], to = "net:127.0.0.0/8" },
]
"""
LINE = b"PROXY TCP4 192.0.2.1 10.0.0.7 51000 25\r\n"
BINARY = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\x0a\0\0\x07\xc7\x38\0\x19"


def play(folder: Path, story: Callable[[House], Awaitable[None]], tables: str = TABLES) -> None:
    async def whole() -> None:
        async with doors(folder, tables) as here:
            await story(here)
            assert "internal-fault" not in here.gate.logged()

    asyncio.run(whole())


async def connected(here: House, server: str, *, source: str = "127.0.0.1") -> Dialogue:
    """Nothing is said yet."""
    ends = await dialled("127.0.0.1", here.ports[server], local_addr=(source, 0))
    return Dialogue(*ends)


@pytest.mark.parametrize("data", [LINE, BINARY])
def test_the_client_is_whom_the_header_names(tmp_path: Path, data: bytes) -> None:
    async def story(here: House) -> None:
        client = await connected(here, "smtp.smtp")
        for at in range(len(data)):
            await client.send(data[at : at + 1])
            await asyncio.sleep(0)
        assert (await client.reply()).startswith("220")
        (session,) = here.gate.shard.sessions
        assert session.report().peer == "192.0.2.1"
        await client.hello()
        await client.hand_in("x@else.example", "postmaster@example.org")
        (job,) = await here.gate.queued()
        assert b"([192.0.2.1])" in job.content()
        assert job.envelope.origin.peer == "192.0.2.1"
        await client.close()

    play(tmp_path, story)


def test_entries_for_networks_and_limits_mean_the_client(tmp_path: Path) -> None:
    async def story(here: House) -> None:
        inside = await connected(here, "smtp.smtp")
        await inside.send(b"PROXY TCP6 2001:db8::1 ::1 51000 25\r\nEHLO client.test\r\n")
        assert (await inside.reply()).startswith("220")
        assert (await inside.reply()).startswith("250")
        await inside.say("MAIL FROM:<x@else.example>")
        assert (await inside.say("RCPT TO:<y@else.example>")).startswith("250")
        second = await connected(here, "smtp.smtp")
        await second.send(b"PROXY TCP6 2001:db8::1 ::1 51001 25\r\n")
        assert "too-many-connections-from-peer" in await second.reply()
        outside = await connected(here, "smtp.smtp")
        await outside.send(b"PROXY TCP4 198.51.100.1 10.0.0.7 51000 25\r\n")
        assert "connect-denied" in await outside.reply()
        for client in (inside, second, outside):
            await client.close()

    play(tmp_path, story)


def test_tls_and_pop3_begin_behind_the_header(tmp_path: Path) -> None:
    async def story(here: House) -> None:
        client = await connected(here, "smtp.implicit")
        await client.send(BINARY)
        await client.writer.start_tls(trusting())
        assert (await client.reply()).startswith("220")
        await client.close()
        client = await connected(here, "pop3.pop3")
        await client.send(LINE)
        assert (await client.reader.readline()).startswith(b"+OK")
        await client.close()

    play(tmp_path, story)


@pytest.mark.parametrize("data", [b"PROXY UNKNOWN\r\n", BINARY[:12] + b"\x20\0\0\0"])
def test_a_balancer_that_speaks_for_itself_is_heard_and_never_refused(tmp_path: Path, data: bytes) -> None:
    async def story(here: House) -> None:
        for _ in range(4):
            client = await connected(here, "smtp.smtp")
            await client.send(data)
            assert (await client.reply()).startswith("220")
            await client.close()
            client = await connected(here, "smtp.smtp")  # a health check that says nothing at all
            await client.close()
            await asyncio.wait_for(here.gate.shard.sessions.all_ended(), PATIENCE_SECONDS)
        assert here.gate.offences(Offence.SILENT, "127.0.0.1") == 0
        assert "proxy-header-missing" not in here.gate.logged()

    play(tmp_path, story, TABLES + "[guard]\nsilent_per_address = 2\n")


@pytest.mark.parametrize("data", [b"EHLO x\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 x y\r\n", b""])
def test_a_balancer_without_a_header_is_cut_off_and_told_of(tmp_path: Path, data: bytes) -> None:
    async def story(here: House) -> None:
        for _ in range(2):
            client = await connected(here, "smtp.smtp")
            await client.send(data)
            assert await client.reply() == ""  # after handshake_seconds where nothing comes
            await client.close()
        assert here.gate.logged().count("proxy-header-missing") == 1

    play(tmp_path, story)


@pytest.mark.parametrize("server", ["smtp.smtp", "smtp.plain", "pop3.pop3", "smtp.implicit"])
@pytest.mark.parametrize("data", [LINE, BINARY])
def test_a_forged_header_ends_the_connection_and_counts(tmp_path: Path, server: str, data: bytes) -> None:
    async def story(here: House) -> None:
        client = await connected(here, server, source="127.0.0.2")
        if server != "smtp.implicit":
            greeting = (await client.reader.readline()).decode()
            assert greeting[:3] in ("220", "+OK", "554", "-ER")
        await client.send(data)
        said = await client.reader.read()
        if server in ("smtp.smtp", "smtp.plain"):
            assert b"proxy-not-believed" in said
            assert said.startswith(b"554 5.7.1 ")
        assert here.gate.offences(Offence.RUBBISH, "127.0.0.2") == 1
        assert here.gate.offences(Offence.RUBBISH, "192.0.2.1") == 0
        await client.close()

    play(tmp_path, story)
