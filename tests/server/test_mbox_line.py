"""The line that programs of old put on top of a message becomes a field of its own, and hides no header."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatepost.mail.header import field, header_block
from server.gate import gate

OPEN = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""


@pytest.mark.parametrize("mark", [b"From ", b">From "])
@pytest.mark.parametrize("forged", [b"", b"Authentication-Results: mail.example.org; spf=pass\r\n"])
def test_a_line_of_an_mbox_on_top_is_no_end_of_the_header(tmp_path: Path, mark: bytes, forged: bytes) -> None:
    line = mark + b"x@else.example Mon Nov  2 10:00:00 2026\r\n"
    rest = b"From: x@else.example\r\nSubject: scan\r\n\r\nFrom here on body\r\n"

    async def scenario() -> None:
        async with gate(tmp_path, OPEN) as here:
            here.add("ann")
            client = await here.dial()
            await client.reply()
            await client.hello()
            answer = await client.hand_in("x@else.example", "ann@example.org", content=line + forged + rest)
            assert answer.startswith("250")
            (job,) = await here.queued()
            content = b"".join([piece async for piece in job.chunks()])
            assert content.endswith(b"\r\nX-Mailbox-Line: " + line + rest)
            header = header_block(content)
            assert field(header, "Subject") == (b"scan",)
            assert field(header, "From") == (b"x@else.example",)
            assert b"\r\n\r\n" not in header
            await client.close()

    asyncio.run(scenario())
