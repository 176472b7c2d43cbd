"""HELP names what is of use on this virtual server, over this channel."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.gate import gate

TABLE = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "{tls}"
auth = {auth}
access = [ {{ allow = ["connect", "submit"], to = "anyone" }} ]
"""


@pytest.mark.parametrize(
    ("tls", "auth", "clear", "secured"),
    [
        ("off", "[]", "VRFY QUIT", None),
        ("offer", "[]", "VRFY STARTTLS QUIT", "VRFY QUIT"),
        ("offer", '["PLAIN"]', "VRFY STARTTLS QUIT", "VRFY AUTH QUIT"),
    ],
)
def test_help_names_what_is_offered(
    tls: str, auth: str, clear: str, secured: str | None, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, TABLE.format(tls=tls, auth=auth)) as here:
            client = await here.dial()
            await client.reply()
            await client.hello()
            assert (await client.say("HELP")).rstrip().endswith(f"NOOP {clear}")
            if secured is not None:
                await client.start_tls()
                assert (await client.say("HELP")).rstrip().endswith(f"NOOP {secured}")
            await client.close()

    asyncio.run(scenario())
