"""A full mailbox is refused at RCPT, before the message comes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from gatepost.store.maildelivery import Delivered, Delivery
from server.gate import Dialogue, Gate, gate

RELAY = """
[smtp.smtp]
listen = ["127.0.0.1:0"]
tls = "off"
access = [ { allow = ["connect", "submit"], to = "anyone" } ]
"""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def fill(here: Gate, name: str, size_bytes: int) -> None:
    """A message of about this size lies in the mailbox."""
    content = b"Subject: x\r\n\r\n" + b"x" * size_bytes + b"\r\n"
    (result,) = here.mailboxes.deliver([Delivery(here.mailboxes.folder(f"{name}@example.org"), b"", content)])
    assert isinstance(result, Delivered)


async def ready(here: Gate, mail: str = "MAIL FROM:<x@else.example>") -> Dialogue:
    client = await here.dial()
    await client.reply()
    await client.hello()
    assert (await client.say(mail)).startswith("250")
    return client


async def named(client: Dialogue, *names: str) -> list[str]:
    """What is said to each recipient."""
    return [await client.say(f"RCPT TO:<{name}@example.org>") for name in names]


def quota(size_bytes: int, when_full: str = "defer") -> str:
    return RELAY + f'[mailboxes]\nquota_bytes = {size_bytes}\nwhen_full = "{when_full}"\n'


def test_a_full_mailbox_is_put_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(2_000)) as here:
            here.add("ann")
            here.add("bob")
            fill(here, "ann", 2_500)
            client = await ready(here)
            full, free = await named(client, "ann", "bob")
            assert full.startswith("452 4.2.2 Mailbox of ann@example.org is full, try later [mailbox-full ")
            assert free.startswith("250")
            await client.close()

    run(scenario())


def test_or_refused_where_the_administrator_said_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(2_000, "refuse")) as here:
            here.add("ann")
            fill(here, "ann", 2_500)
            client = await ready(here)
            for _ in range(2):  # asked of the disk, then known
                (full,) = await named(client, "ann")
                assert full.startswith("552 5.2.2 Mailbox of ann@example.org is full [over-quota ")
            await client.close()

    run(scenario())


def test_the_size_that_mail_tells_counts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(4_000)) as here:
            here.add("ann")
            fill(here, "ann", 1_000)
            client = await ready(here, "MAIL FROM:<x@else.example> SIZE=2500")
            assert (await named(client, "ann"))[0].startswith("452")
            await client.say("RSET")
            assert (await client.say("MAIL FROM:<x@else.example> SIZE=500")).startswith("250")
            assert (await named(client, "ann"))[0].startswith("250")
            await client.close()

    run(scenario())


def test_a_users_own_quota_goes_before_the_default(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(2_000)) as here:
            here.add("ann")
            here.add("bob")
            here.accounts.users.set_quota("ann@example.org", 1_000_000, by="test")
            here.accounts.users.set_quota("bob@example.org", 500, by="test")
            here.shard.directories.refresh()
            fill(here, "ann", 2_500)
            fill(here, "bob", 600)
            client = await ready(here)
            mine, his = await named(client, "ann", "bob")
            assert mine.startswith("250")
            assert his.startswith("452")
            await client.close()

    run(scenario())


def test_without_a_quota_anything_fits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, RELAY) as here:
            here.add("ann")
            fill(here, "ann", 100_000)
            client = await ready(here, "MAIL FROM:<x@else.example> SIZE=30000000")
            assert (await named(client, "ann"))[0].startswith("250")
            await client.close()

    run(scenario())


def test_an_alias_is_full_when_all_behind_it_are(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(2_000)) as here:
            for name in ("ann", "bob"):
                here.add(name)
                here.accounts.aliases.add(
                    f"only-{name}@example.org", [f"{name}@example.org"], domains=["example.org"], by="test"
                )
            both = ["ann@example.org", "bob@example.org"]
            here.accounts.aliases.add("both@example.org", both, domains=["example.org"], by="test")
            here.shard.directories.refresh()
            fill(here, "ann", 2_500)
            client = await ready(here)
            one, other, all_of_them = await named(client, "only-ann", "only-bob", "both")
            assert one.startswith("452")
            assert other.startswith("250")
            assert all_of_them.startswith("250")
            fill(here, "bob", 2_500)
            assert (await named(client, "both"))[0].startswith("452")
            await client.close()

    run(scenario())


def test_a_mailbox_that_was_emptied_is_open_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(2_000)) as here:
            here.add("ann")
            fill(here, "ann", 2_500)
            with here.mailboxes.open("ann@example.org") as session:
                session.expunge([0])
            client = await ready(here)
            assert (await named(client, "ann"))[0].startswith("250")
            await client.close()

    run(scenario())


def test_pipelined_recipients_are_answered_in_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(2_000)) as here:
            names = ["ann", "bob", "eve"]
            for name in names:
                here.add(name)
            fill(here, "bob", 2_500)
            client = await ready(here)
            await client.send(b"".join(f"RCPT TO:<{name}@example.org>\r\n".encode() for name in names))
            assert [(await client.reply())[:3] for _ in names] == ["250", "452", "250"]
            await client.close()

    run(scenario())


def test_what_was_not_told_counts_at_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(4_000, "refuse")) as here:
            here.add("ann")
            large, small = (b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * n for n in (3_000, 10))
            client = await ready(here)
            await client.close()
            for mail in ("MAIL FROM:<x@else.example>", "MAIL FROM:<x@else.example> SIZE=100"):
                client = await ready(here, mail)
                assert (await named(client, "ann"))[0].startswith("250")
                assert (await client.say("DATA")).startswith("354")
                answer = await client.say(large + b".")
                assert answer.startswith("552 5.2.2 Mailbox of ann@example.org is full [over-quota ")
                assert (await client.hand_in("x@else.example", "ann@example.org", content=small)).startswith(
                    "250"
                )
                await client.close()
            assert len(await here.queued()) == 2

    run(scenario())


def test_one_with_room_keeps_the_mail_from_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gate(tmp_path, quota(4_000)) as here:
            for name in ("ann", "bob"):
                here.add(name)
            here.accounts.users.set_quota("bob@example.org", 1_000_000, by="test")
            here.shard.directories.refresh()
            large = b"Subject: x\r\n\r\n" + b"x\r\n" * 3_000
            client = await ready(here)
            assert [said[:3] for said in await named(client, "ann", "bob")] == ["250", "250"]
            assert (await client.say("DATA")).startswith("354")
            assert (await client.say(large + b".")).startswith("250")
            answer = await client.hand_in("x@else.example", "ann@example.org", content=large)
            assert answer.startswith("452 4.2.2 Mailbox of ann@example.org is full, try later [mailbox-full ")
            await client.close()

    run(scenario())
