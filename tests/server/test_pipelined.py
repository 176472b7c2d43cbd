"""A transaction that came in one packet is answered as its commands would be one by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.gate import Dialogue, gate

SERVER = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
recipients_per_message = 3
access = [
  { allow = ["connect", "submit"], to = "net:127.0.0.0/8" },
  { allow = ["relay"], to = "group:relay" },
]
[limits]
messages_per_minute_per_user = 1000
"""
ANN, BOB, NOBODY, FAR = "ann@example.org", "bob@example.org", "nobody@example.org", "far@else.example"
CONTENT = b"From: ann@example.org\r\nSubject: x\r\n\r\nx\r\n"


async def _one_by_one(client: Dialogue, lines: list[bytes]) -> list[str]:
    return [await client.say(line) for line in lines]


async def _together(client: Dialogue, lines: list[bytes]) -> list[str]:
    await client.send(b"".join(line + b"\r\n" for line in lines))
    return [await client.reply() for _ in lines]


@pytest.mark.parametrize(
    ("sender", "recipients", "taken"),
    [
        (ANN, [BOB], 1),
        (ANN, [FAR], 1),
        (ANN, [FAR, BOB], 2),
        (ANN, [BOB, NOBODY, FAR], 2),
        (ANN, [NOBODY], 0),
        (ANN, [BOB, BOB, FAR, FAR], 3),
        (BOB, [FAR], 0),
    ],
)
def test_the_answers_are_the_same(tmp_path: Path, sender: str, recipients: list[str], taken: int) -> None:
    lines = [f"MAIL FROM:<{sender}>".encode(), *(f"RCPT TO:<{one}>".encode() for one in recipients), b"DATA"]

    async def scenario() -> None:
        async with gate(tmp_path, SERVER) as here:
            here.add("ann", groups=("relay",))
            here.add("bob")
            client = await here.dial()
            await client.reply()
            await client.hello()
            assert (await client.log_in(ANN)).startswith("235")
            heard = []
            for ask in (_one_by_one, _together, _together):
                said = await ask(client, lines)
                if said[-1].startswith("354"):
                    assert (await client.say(CONTENT + b".")).startswith("250")
                await client.say("RSET")
                heard.append(said)
            assert heard[0] == heard[1] == heard[2]
            assert [len(job.envelope.recipients) for job in await here.queued()] == (
                [taken] * 3 if taken else []
            )
            await client.close()

    asyncio.run(scenario())


def test_a_stranger_who_pipelines_is_refused(tmp_path: Path) -> None:
    lines = [f"MAIL FROM:<{ANN}>".encode(), f"RCPT TO:<{FAR}>".encode(), b"DATA"]

    async def scenario() -> None:
        async with gate(tmp_path, SERVER) as here:
            here.add("ann", groups=("relay",))
            client = await here.dial()
            await client.reply()
            await client.hello()
            for _ in range(3):
                said = await _together(client, lines)
                assert [one[:3] for one in said] == ["250", "550", "554"]
                await client.say("RSET")
            assert await here.queued() == []
            await client.close()

    asyncio.run(scenario())
