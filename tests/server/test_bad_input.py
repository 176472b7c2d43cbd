"""What no peer may do to a running server: each gets its reply or a closed connection."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from patience import PATIENCE_SECONDS
from server.dialling import dialled
from server.gate import Dialogue, Gate, gate

OPEN = """[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "offer"
auth = ["PLAIN", "LOGIN", "SCRAM-SHA-256"]
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""
Story = Callable[[Gate, Dialogue], Awaitable[None]]


def play(folder: Path, story: Story, servers: str = OPEN) -> None:
    """The story runs, and afterwards the server still takes a message."""

    async def whole() -> None:
        async with gate(folder, servers) as here:
            here.add("bob")
            client = await here.dial()
            assert (await client.reply()).startswith("220 mail.example.org ESMTP")
            await story(here, client)
            await client.close()
            await still_takes_mail(here)
            assert "internal-fault" not in here.logged()

    asyncio.run(whole())


async def still_takes_mail(here: Gate) -> None:
    client = await here.dial()
    await client.reply()
    await client.hello()
    assert (await client.hand_in("a@b.test", "bob@example.org")).startswith("250 2.0.0 queued as")
    await client.close()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"NOOP " + b"x" * 600, "500 5.5.2"),
        (b"MAIL FROM:<" + b"x" * 3000 + b"@b.test>", "500 5.5.2"),
        (b"NO\0OP", "500 5.5.2"),
        (b"NOOP\rNOOP", "500 5.5.2"),
        (b"\xff\xfe", "500 5.5"),
        (b"", "500 5.5"),
        (b"RCPT TO:<bob@example.org>", "503 5.5.1"),
        (b"DATA", "503 5.5.1"),
        (b"BDAT 0 LAST", "503 5.5.1"),
        (b"MAIL FROM:bob@example.org", "501 5.1.7"),
        (b"MAIL FROM:<bob@example.org> FOO=BAR", "555 5.5.4"),
        (b"MAIL FROM:<b\xc3\xb6b@example.org>", "553 5.6.7"),
        (b"EXPN staff", "502 5.5.1"),
        (b"TURN", "502 5.5.1"),
        (b"XYZZY", "500 5.5.1"),
    ],
)
def test_a_bad_line_gets_its_reply_and_the_session_goes_on(line: bytes, answer: str, tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.hello()
        said = await client.say(line)
        assert said.startswith(answer)
        assert said.rstrip().endswith("]")
        assert (await client.say("NOOP")).startswith("250")

    play(tmp_path, story)


def test_a_bare_line_feed_ends_no_command(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.send(b"EHLO client.test\nMAIL FROM:<a@b.test>\n")
        assert (await client.reply()).startswith("500 5.5.2")
        assert (await client.reply()).startswith("500 5.5.2")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a\nb\r\n", "bare-line-ending"),
        (b"a\rb\r\n", "bare-line-ending"),
        (b"a\0b\r\n", "nul-in-content"),
        (b"x" * 1001 + b"\r\n", "line-too-long"),
        (b"a\r\n.\nMAIL FROM:<evil@b.test>\r\n", "bare-line-ending"),
        (b"a\n.\r\nMAIL FROM:<evil@b.test>\r\n", "bare-line-ending"),
        (b"a\n.\nMAIL FROM:<evil@b.test>\r\n", "bare-line-ending"),
        (b"a\r.\rMAIL FROM:<evil@b.test>\r\n", "bare-line-ending"),
        (b"a\r.\r\nMAIL FROM:<evil@b.test>\r\n", "bare-line-ending"),
        (b"a\r\n.\rMAIL FROM:<evil@b.test>\r\n", "bare-line-ending"),
        (b"Received: x\r\n" * 31 + b"\r\n", "mail-loop"),
    ],
)
def test_bad_content_is_refused_and_smuggles_nothing(content: bytes, reason: str, tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.hello()
        said = await client.hand_in("a@b.test", "bob@example.org", content=content)
        assert said.startswith("554 5.")
        assert f"[{reason} " in said
        assert (await client.say("NOOP")).startswith("250")
        assert await here.queued() == []

    play(tmp_path, story)


def test_commands_behind_starttls_in_clear_are_never_obeyed(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.hello()
        await client.send(b"STARTTLS\r\nMAIL FROM:<evil@b.test>\r\n")
        assert "[plaintext-after-starttls" in await client.reply()
        assert await client.reply() == ""

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        (["AUTH PLAIN !!!!"], "501 5.5.2"),
        (["AUTH PLAIN", "*"], "501 5.7.0"),
        (["AUTH LOGIN", "*"], "501 5.7.0"),
        (["AUTH LOGIN", b64encode(b"bob").decode(), "=x="], "501 5.5.2"),
        (["AUTH PLAIN " + b64encode(b"nonsense").decode()], "501 5.5.2"),
        (["AUTH SCRAM-SHA-256 " + b64encode(b"n,,n=bob").decode()], "501 5.5.2"),
        (["AUTH CRAM-MD5"], "504 5.5.4"),
        (["AUTH PLAIN " + b64encode(b"\0bob\0").decode()], "535 5.7.8"),
        (["AUTH PLAIN " + b64encode(b"\0nobody\0guess").decode()], "535 5.7.8"),
        (["AUTH PLAIN " + "A" * 13000], "500 5.5.2"),
        (["AUTH"], "501 5.5.4"),
    ],
)
def test_rubbish_in_auth_is_refused(lines: list[str], last: str, tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.hello()
        await client.start_tls()
        for line in lines:
            said = await client.say(line)
        assert said.startswith(last)
        assert (await client.say("NOOP")).startswith("250")

    play(tmp_path, story)


def test_auth_in_clear_is_refused_unheard(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        assert "AUTH" not in await client.hello()
        assert (await client.log_in("bob")).startswith("538 5.7.11")

    play(tmp_path, story)


def test_content_without_a_line_end_costs_bounded_memory(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.hello()
        await client.say("MAIL FROM:<a@b.test>")
        await client.say("RCPT TO:<bob@example.org>")
        await client.say("DATA")
        before = resident_bytes()
        piece = b"x" * 1_000_000
        for _ in range(100):
            await client.send(piece)
        await client.send(b"\r\n.\r\n")
        assert "[line-too-long" in await client.reply()
        assert resident_bytes() - before < 20_000_000

    play(tmp_path, story)


def test_a_command_without_a_line_end_costs_bounded_memory(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        before = resident_bytes()
        piece = b"x" * 1_000_000
        for _ in range(30):
            await client.send(piece)
        said = await client.reply()
        assert said == "" or said.startswith("500 5.5.2")  # a reset may overtake the reply
        assert resident_bytes() - before < 20_000_000

    play(tmp_path, story)


def test_a_peer_that_reads_nothing_costs_bounded_memory(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        end = socket.create_connection(("127.0.0.1", here.ports["smtp"]))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        end.setblocking(False)
        before, sent = resident_bytes(), 0
        lines = b"NOOP\r\n" * 10_000
        stalled = 0
        while stalled < 20 and sent < 200_000_000:
            try:
                sent += end.send(lines)
                stalled = 0
            except BlockingIOError:
                stalled += 1
            await asyncio.sleep(0)
        assert stalled, "the server never stopped reading"
        assert resident_bytes() - before < 20_000_000
        end.close()

    play(tmp_path, story)


def test_a_half_closed_connection_ends(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.hello()
        client.writer.write_eof()
        assert await client.reply() == ""

    play(tmp_path, story)


def test_http_is_told_and_closed(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.reply()).startswith("421")
        assert await client.reply() == ""

    play(tmp_path, story)


def test_too_many_errors_end_the_session(tmp_path: Path) -> None:
    async def story(here: Gate, client: Dialogue) -> None:
        await client.send(b"XYZZY\r\n" * 30)
        said = [await client.reply() for _ in range(22)]
        assert said[20].startswith("421")
        assert "[too-many-errors" in said[20]
        assert said[21] == ""

    play(tmp_path, story)


def test_random_bytes_never_bring_the_server_down(tmp_path: Path) -> None:
    words = [
        b"EHLO x\r\n",
        b"MAIL FROM:<a@b.test>\r\n",
        b"RCPT TO:<bob@example.org>\r\n",
        b"DATA\r\n",
        b"\r\n.\r\n",
        b"BDAT 5\r\n",
        b"BDAT 3 LAST\r\n",
        b"RSET\r\n",
        b"STARTTLS\r\n",
        b"AUTH LOGIN\r\n",
        b"*\r\n",
        b"QUIT\r\n",
    ]

    async def story(here: Gate, client: Dialogue) -> None:
        dice = random.Random(20)
        for _ in range(150):
            noise = b"".join(
                dice.choice([dice.choice(words), dice.choice(words), dice.randbytes(dice.randrange(40))])
                for _ in range(dice.randrange(1, 40))
            )
            reader, writer = await dialled("127.0.0.1", here.ports["smtp"])
            writer.write(noise)
            writer.write_eof()
            with suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
            writer.close()
        for _ in range(1000):
            if len(here.shard.sessions) == 1:
                break
            await asyncio.sleep(0)
        assert len(here.shard.sessions) == 1

    play(tmp_path, story)


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
