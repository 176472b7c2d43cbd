"""The operator's verbs on a worker's queue, over a real spool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gatepost.admin.link import Refused
from gatepost.admin.queue import BadFilter, Filter, header_text
from gatepost.admin.shard import ShardVerbs
from gatepost.mail.address import Address, parse_address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.meter import Meter
from gatepost.server.sessions import Sessions
from gatepost.store.spool import Spool

ANN = Address("ann", "example.org")


async def accept(
    spool: Spool,
    *rcpts: str,
    sender: Address | None = ANN,
    user: str | None = "ann@example.org",
    peer: str = "192.0.2.7",
    content: bytes = b"Subject: \x1b[31mred\r\n..dot: 1\r\n\r\nbody\r\n",
) -> str:
    recipients = tuple(Recipient(parse_address(one)) for one in rcpts)
    origin = Origin("SESSIO", "submission", peer, user, datetime(2026, 1, 1, tzinfo=UTC))
    incoming = spool.incoming()
    incoming.write(content)
    return await incoming.commit(Envelope(sender, recipients, origin), b"Received: by test\r\n")


@asynccontextmanager
async def verbs(folder: Path) -> AsyncIterator[tuple[ShardVerbs, Spool]]:
    spool = Spool(folder, worker=0)
    await spool.open()
    try:
        yield ShardVerbs([spool], Sessions(), lambda: None, Meter()), spool
    finally:
        await spool.close()


async def listed(asked: ShardVerbs, **wanted: str) -> list[str]:
    rows: list[dict[str, Any]] = await asked.answer("queue-list", {"filter": wanted})
    return [row["id"] for row in rows]


async def test_a_filter_narrows_the_list(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        one = await accept(spool, "x@else.example", "y@two.example")
        two = await accept(spool, "z@two.example", sender=None, user=None, peer="2001:db8::7")
        assert await listed(asked) == [one, two]
        assert await listed(asked, user="ann") == await listed(asked, user="ANN@example.org") == [one]
        assert await listed(asked, peer="192.0.2.0/24") == await listed(asked, peer="192.0.2.7") == [one]
        assert await listed(asked, peer="2001:db8::/32") == [two]
        assert await listed(asked, sender="<>") == await listed(asked, sender="") == [two]
        assert await listed(asked, rcpt="X@else.example") == [one]
        assert await listed(asked, domain="two.example") == [one, two]
        assert await listed(asked, domain="two.example", user="ann") == [one]
        assert await listed(asked, state="held") == []


async def test_ids_choose_from_the_list(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        one, two = await accept(spool, "x@else.example"), await accept(spool, "y@else.example")
        rows = await asked.answer("queue-list", {"ids": [two, "000000000000000", "no id"]})
        assert [row["id"] for row in rows] == [two]
        assert len(await asked.answer("queue-list", {"limit": 1})) == 1
        assert one != two


async def test_hold_and_release(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        one, two = await accept(spool, "x@else.example"), await accept(spool, "y@two.example", user=None)
        assert await asked.answer("queue-hold", {"filter": {"user": "ann"}}) == [one]
        assert await listed(asked, state="held") == [one]
        assert await asked.answer("queue-release", {"ids": [one, two]}) == [one]
        assert await listed(asked, state="held") == []


async def test_delete_takes_out_what_is_named_alone(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        one, two = await accept(spool, "x@else.example"), await accept(spool, "y@two.example")
        assert await asked.answer("queue-delete", {"ids": [one]}) == [one]
        assert await listed(asked) == [two]
        assert await asked.answer("queue-delete", {"all": True}) == [two]
        assert await listed(asked) == []


@pytest.mark.parametrize("verb", ["hold", "release", "retry", "delete"])
async def test_nothing_is_meant_by_nothing(tmp_path: Path, verb: str) -> None:
    async with verbs(tmp_path) as (asked, spool):
        one = await accept(spool, "x@else.example")
        with pytest.raises(Refused) as refused:
            await asked.answer(f"queue-{verb}", {"filter": {}, "ids": [], "all": False})
        assert refused.value.exit_code == 2
        assert await listed(asked) == [one]


async def test_show_has_the_header_and_nothing_that_moves_a_cursor(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        one = await accept(spool, "x@else.example")
        row = await asked.answer("queue-show", {"queue_id": one})
        assert row["header"] == "Received: by test\nSubject: ?[31mred\n.dot: 1\n"
        assert (row["sender"], row["recipients"]) == ("ann@example.org", ["x@else.example"])
        with pytest.raises(Refused) as refused:
            await asked.answer("queue-show", {"queue_id": "000000000000000"})
        assert refused.value.exit_code == 3


async def test_the_header_of_a_large_message_is_shown(tmp_path: Path) -> None:
    content = b"Subject: large\r\n\r\n" + b"x" * 70 * 14_000
    async with verbs(tmp_path) as (asked, spool):
        one = await accept(spool, "x@else.example", content=content)
        row = await asked.answer("queue-show", {"queue_id": one})
        assert row["header"] == "Received: by test\nSubject: large\n"


def test_a_header_is_shown_up_to_a_bound() -> None:
    assert len(header_text(b"X: " + b"a" * 1_000_000)) == 64 * 1024
    assert header_text(b"X: \xff\r\n\tmore\r\n") == "X: \ufffd\n more\n"


@pytest.mark.parametrize("peer", ["", "here", "10.0.0.1/8", "300.0.0.1"])
def test_a_peer_that_is_no_network_is_said(peer: str) -> None:
    with pytest.raises(BadFilter):
        Filter(peer=peer)


async def test_the_metrics_know_the_oldest_message(tmp_path: Path) -> None:
    began = datetime.now(UTC).timestamp()
    async with verbs(tmp_path) as (asked, spool):
        assert (await asked.answer("metrics", {}))["oldest"] is None
        one, two = await accept(spool, "x@else.example"), await accept(spool, "y@else.example")
        first = (await asked.answer("metrics", {}))["oldest"]
        assert began - 1 <= first <= datetime.now(UTC).timestamp()
        assert await asked.answer("queue-delete", {"ids": [one]}) == [one]
        await spool.flush()
        assert first < (await asked.answer("metrics", {}))["oldest"]
        assert await asked.answer("queue-delete", {"ids": [two]}) == [two]
        await spool.flush()
        answer = await asked.answer("metrics", {})
        assert (answer["oldest"], answer["queue"]["total"]) == (None, 0)
