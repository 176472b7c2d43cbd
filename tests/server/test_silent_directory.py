"""A directory that takes questions and says nothing: what a session hears at each step, and how soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from directory.ldap_house import PASSWORD, QUICK, House, corp, house
from directory.ldaps import Fault, LdapServerScript, running
from gatepost.directory.directory import Directories
from server.gate import Dialogue, Gate, gate

TABLES = """[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
access = [
  { allow = ["connect"], to = "net:127.0.0.0/8" },
  { allow = ["submit"], to = "net:127.0.0.0/8" },
  { allow = ["relay"], to = "group:POP3 Relay" },
]
"""


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[LdapServerScript, House, Gate]]:
    """A gate over a scripted directory."""
    async with (
        running(corp()) as script,
        house(script, patience=QUICK) as it,
        gate(folder, TABLES, directories=Directories([it.directory])) as here,
    ):
        yield script, it, here


async def greeted(client: Dialogue) -> Dialogue:
    await client.reply()
    await client.hello()
    return client


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.CLOSES, Fault.BUSY])
def test_a_local_recipient_is_neither_taken_nor_refused(tmp_path: Path, fault: Fault) -> None:
    async def run() -> None:
        async with served(tmp_path) as (script, it, here):
            client = await greeted(await here.dial())
            await client.say("MAIL FROM:<x@else.example>")
            assert (await client.say("RCPT TO:<ann@example.org>")).startswith("250")
            script.fault = fault
            said = [await client.say(f"RCPT TO:<{name}@example.org>") for name in ("robert", "nobody")]
            assert all(one.startswith("451 4.4.3") and "fact-unknown" in one for one in said), said
            assert (await client.say("RCPT TO:<x@far.example>")).startswith("550")  # no guess either
            assert (await client.say("AUTH PLAIN AGJvYgB3cm9uZw==")).startswith("503")
            await client.say("RSET")
            said = [await client.log_in("bob", PASSWORD)]
            assert said[0].startswith("454 4.7.0"), said
            script.fault = Fault.NONE
            it.clock.now += 60
            assert (await client.log_in("bob", PASSWORD)).startswith("235")
            await client.say("MAIL FROM:<bob@example.org>")
            assert (await client.say("RCPT TO:<robert@example.org>")).startswith("250")
            await client.close()

    asyncio.run(run())


def test_a_member_is_neither_let_nor_refused_once_the_facts_are_stale(tmp_path: Path) -> None:
    async def run() -> None:
        async with served(tmp_path) as (script, it, here):
            client = await greeted(await here.dial())
            assert (await client.log_in("bob", PASSWORD)).startswith("235")
            script.fault = Fault.SILENT
            for seconds, expected in ((100, "250"), (400, "250"), (1000, "451 4.4.3")):
                it.clock.now += seconds
                it.directory.refresh()
                await client.say("MAIL FROM:<bob@example.org>")
                said = await client.say("RCPT TO:<x@far.example>")
                assert said.startswith(expected), (seconds, said)
                await client.say("RSET")
            await client.close()

    asyncio.run(run())
