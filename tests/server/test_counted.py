"""What strangers do wrong is counted at every door, SMTP's and POP3's."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gatepost.guard.ledger import Offence
from patience import PATIENCE_SECONDS
from server.dialling import dialled
from server.doors import House, doors

TABLES = """
[smtp.none]
listen = ["127.0.0.1:0"]
tls = "off"
errors_per_session = 3
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
[smtp.closed]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ { allow = ["connect"], to = "net:10.0.0.0/8" } ]
[smtp.auth]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["PLAIN", "LOGIN"]
auth_in_clear = true
access = [ { allow = ["connect", "submit"], to = "net:127.0.0.0/8" } ]
[pop3.none]
listen = ["127.0.0.1:0"]
tls = "off"
auth = []
user_pass = false
auth_in_clear = true
errors_per_session = 3
access = [ { allow = ["connect", "collect"], to = "net:127.0.0.0/8" } ]
[pop3.auth]
listen = ["127.0.0.1:0"]
tls = "off"
auth_in_clear = true
access = [ { allow = ["connect", "collect"], to = "net:127.0.0.0/8" } ]
[pop3.closed]
listen = ["127.0.0.1:0"]
tls = "off"
auth_in_clear = true
access = [ { allow = ["connect", "collect"], to = "net:10.0.0.0/8" } ]
[pop3.implicit]
listen = ["127.0.0.1:0"]
tls = "implicit"
access = [ { allow = ["connect", "collect"], to = "anyone" } ]
"""
EMPTY = b64encode(b"\0bob\0").decode()
STRANGER = "127.0.0.9"


def play(folder: Path, story: Callable[[House], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with doors(folder, TABLES) as here:
            here.gate.add("bob")
            await story(here)
            assert "internal-fault" not in here.gate.logged()

    asyncio.run(whole())


async def said_to(here: House, server: str, *lines: str) -> bytes:
    """All that is answered to these lines; then both sides have closed."""
    reader, writer = await dialled("127.0.0.1", here.ports[server], local_addr=(STRANGER, 0))
    answers = b""
    with suppress(ConnectionError):
        if not server.endswith("implicit"):
            answers = await _reply(reader)
        for line in lines:
            writer.write(f"{line}\r\n".encode())
            answers += await _reply(reader)
    writer.close()
    await asyncio.wait_for(here.gate.shard.sessions.all_ended(), PATIENCE_SECONDS)
    return answers


async def _reply(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while line := await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS):
        whole += line
        if line[3:4] != b"-":
            break
    return whole


@pytest.mark.parametrize(
    ("server", "lines", "offence"),
    [
        ("smtp.none", ["EHLO x", "AUTH PLAIN AGJvYgB4"], Offence.AUTH_NOT_OFFERED),
        ("smtp.auth", ["AUTH LOGIN"], Offence.AUTH_NOT_OFFERED),  # nmap's smtp-brute says no EHLO
        ("pop3.none", ["AUTH PLAIN AGJvYgB4"], Offence.AUTH_NOT_OFFERED),
        ("pop3.none", ["USER bob"], Offence.AUTH_NOT_OFFERED),
        ("smtp.none", ["GET / HTTP/1.1"], Offence.RUBBISH),
        ("smtp.none", ["blah"] * 4, Offence.RUBBISH),
        ("pop3.none", ["GET / HTTP/1.1"] * 4, Offence.RUBBISH),
        ("pop3.implicit", ["GET / HTTP/1.1"], Offence.RUBBISH),
        ("smtp.none", [], Offence.SILENT),
        ("pop3.none", [], Offence.SILENT),
        ("smtp.auth", ["EHLO x", f"AUTH PLAIN {EMPTY}"], Offence.WRONG_PASSWORD),
        ("smtp.auth", ["EHLO x", "AUTH LOGIN Ym9i", ""], Offence.WRONG_PASSWORD),
        ("pop3.auth", [f"AUTH PLAIN {EMPTY}"], Offence.WRONG_PASSWORD),
    ],
)
def test_it_is_counted(tmp_path: Path, server: str, lines: list[str], offence: Offence) -> None:
    async def story(here: House) -> None:
        answers = await said_to(here, server, *lines)
        assert b"+OK logged" not in answers
        assert here.gate.offences(offence, STRANGER) == 1, answers

    play(tmp_path, story)


@pytest.mark.parametrize("server", ["smtp.closed", "pop3.closed"])
def test_who_was_not_let_is_not_to_blame_for_his_silence(tmp_path: Path, server: str) -> None:
    async def story(here: House) -> None:
        assert b"connect-denied" in await said_to(here, server)
        assert here.gate.offences(Offence.SILENT, STRANGER) == 0

    play(tmp_path, story)


def test_recipients_nobody_has_are_counted(tmp_path: Path) -> None:
    async def story(here: House) -> None:
        lines = ["HELO x", "MAIL FROM:<>", *(f"RCPT TO:<nobody{n}@example.org>" for n in range(3))]
        await said_to(here, "smtp.none", *lines, "RCPT TO:<bob@example.org>")
        assert here.gate.offences(Offence.UNKNOWN_RECIPIENT, STRANGER) == 3

    play(tmp_path, story)
