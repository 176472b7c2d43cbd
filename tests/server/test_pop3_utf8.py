"""Mail with a UTF-8 header: as it is for who says UTF8, in ASCII for everybody else (RFC 6856)."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from server.collecting import House, play
from server.gate import PASSWORD

HEADER = "From: Jörg <jörg@example.org>\nSubject: Grüße\n\n"
SMALL = (HEADER + "Schöne Grüße\n").encode()
LARGE = (HEADER + "Schöne Grüße\n" * 20_000).encode()


@pytest.mark.parametrize("message", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("command", ["RETR 1", "TOP 1 1"])
def test_the_header_is_ascii_unless_utf8_was_said(message: bytes, command: str, tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.put(message)
        wire = message.replace(b"\n", b"\r\n") if command == "RETR 1" else SMALL.replace(b"\n", b"\r\n")
        client = await home.dial("mail-tls")
        await client.say("USER bob")
        await client.say(f"PASS {PASSWORD}")
        assert (await client.say(command)).startswith("+OK")
        got = await client.body()
        header, _empty, body = got.partition(b"\r\n\r\n")
        assert header.isascii()
        shown = message_from_bytes(header + b"\r\n\r\n", policy=policy.default)
        assert shown["Subject"] == "Grüße"
        assert shown["From"] == "Jörg <invalid@internationalized-address.invalid>"
        assert body == wire.partition(b"\r\n\r\n")[2] + b".\r\n"
        await client.say("QUIT")
        client = await home.dial("mail-tls")
        assert await client.say("UTF8") == "+OK"
        await client.say("USER bob")
        await client.say(f"PASS {PASSWORD}")
        assert (await client.say(command)).startswith("+OK")
        assert await client.body() == wire + b".\r\n"

    play(tmp_path, story)
