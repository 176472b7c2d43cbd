"""Pages of the queue over real spools, and how the parts of several workers are joined."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from admin.test_shard import accept, verbs
from gatepost.admin.queue import Filter
from gatepost.admin.queue_page import QueuePage, joined, queue_page
from gatepost.admin.shard import ShardVerbs
from gatepost.store.queueid import id_text


async def page(asked: ShardVerbs, wanted: Filter | None = None, **how: Any) -> QueuePage:
    async def ask(verb: str, **fields: Any) -> Any:
        return await asked.answer(verb, fields)

    return await queue_page(ask, wanted or Filter(), **how)


def ids(found: QueuePage) -> list[str]:
    return [row["id"] for row in found.rows]


async def test_pages_follow_each_other_to_the_end(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        there = [await accept(spool, f"r{n}@else.example") for n in range(5)]
        newest = await page(asked, limit=2)
        assert ids(newest) == [there[4], there[3]]
        second = await page(asked, limit=2, after=newest.next)
        third = await page(asked, limit=2, after=second.next)
        assert ids(second) + ids(third) == [there[2], there[1], there[0]]
        assert third.next is None
        assert ids(await page(asked, limit=9, newest_first=False)) == there


async def test_all_mail_of_one_account_is_held_a_little_at_a_time(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        mine = [await accept(spool, f"r{n}@else.example") for n in range(60)]
        others = [
            await accept(spool, "r@else.example", user=user) for user in ("ann", None, "bob@example.org")
        ]
        assert spool.hold(mine[0])
        turns, over = 0, asyncio.Event()

        async def beside() -> None:
            nonlocal turns
            while not over.is_set():
                turns += 1
                await asyncio.sleep(0)

        beside_it = asyncio.create_task(beside())
        held = await asked.answer("queue-contain", {"user": "ann@example.org", "why": "it is contained"})
        over.set()
        await beside_it
        assert held == mine[1:]  # what somebody held before is not ours to release
        assert turns >= 2
        assert {item.id for item in spool.items() if item.state.value != "held"} == set(others)


async def test_a_filter_looks_on_until_the_page_is_full(tmp_path: Path) -> None:
    async with verbs(tmp_path) as (asked, spool):
        mixed = [await accept(spool, f"r@{'one' if n % 3 else 'two'}.example") for n in range(9)]
        found = await page(asked, Filter(domain="two.example"), limit=2, newest_first=False)
        assert ids(found) == [mixed[0], mixed[3]]
        assert found.looked_at == 4
        rest = await page(asked, Filter(domain="two.example"), limit=2, newest_first=False, after=found.next)
        assert ids(rest) == [mixed[6]]


async def test_a_look_that_takes_too_long_says_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatepost.admin.queue_verbs._LOOK_SECONDS", 0.0)
    async with verbs(tmp_path) as (asked, spool):
        first = await accept(spool, "r@one.example")
        await accept(spool, "r@one.example")
        found = await page(asked, Filter(domain="two.example"), newest_first=False)
        assert (found.rows, found.next, found.looked_at) == ([], first, 1)


def test_no_row_stands_behind_where_another_worker_still_looks() -> None:
    one, two, three = id_text(1 << 52 | 10), id_text(2 << 52 | 20), id_text(1 << 52 | 30)
    parts = [
        {"rows": [{"id": one}, {"id": three}], "until": None, "looked_at": 2},
        {"rows": [], "until": two, "looked_at": 5},
    ]
    found = joined(parts, limit=10, newest_first=False)
    assert (found.rows, found.next, found.looked_at) == ([{"id": one}], two, 7)


def test_the_page_ends_where_the_limit_is_reached() -> None:
    rows = [{"id": id_text(number)} for number in (10, 20, 30)]
    found = joined([{"rows": rows, "until": None, "looked_at": 3}], limit=2, newest_first=True)
    assert (found.rows, found.next) == ([rows[2], rows[1]], rows[1]["id"])
