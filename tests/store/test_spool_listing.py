"""Pages of the queue in the order in which messages came in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store.queueid import id_number, id_order
from gatepost.store.spool import Spool
from store.spools import NOW, accept, deferred, relayed, spool, take_one


def read(where: Spool, after: str | None = None, *, newest_first: bool = False) -> list[str]:
    number = id_number(after) if after is not None else None
    return [item.id for item in where.listing().read(after=number, newest_first=newest_first) if item]


async def test_messages_are_read_from_either_end(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        ids = [await accept(where) for _ in range(6)]
        assert read(where) == ids
        assert read(where, newest_first=True) == ids[::-1]
        assert read(where, ids[1]) == ids[2:]
        assert read(where, ids[4], newest_first=True) == ids[3::-1]
        assert read(where, ids[-1]) == []


async def test_what_is_done_is_left_out_and_a_place_stays_where_it_was(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        ids = [await accept(where) for _ in range(4)]
        jobs = where.take(NOW, 10)
        where.record(jobs[1], relayed(0), retry_at=None)
        where.record(jobs[2], deferred(0), retry_at=NOW + 60)
        assert read(where) == [ids[0], ids[2], ids[3]]
        assert read(where, ids[1]) == [ids[2], ids[3]]


async def test_one_that_goes_while_it_is_read_is_none(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        first, second = await accept(where), await accept(where)
        reading = where.listing().read()
        found = next(reading)
        assert found is not None
        assert found.id == first
        assert where.delete(second)
        assert list(reading) == [None]


async def test_moved_messages_stand_where_they_stood(tmp_path: Path) -> None:
    async with spool(tmp_path, segment_bytes=2_000) as where:
        ids = [await accept(where, b"x" * 300 + b"\r\n") for _ in range(12)]
        for job in where.take(NOW, 20):
            is_kept = job.id in (ids[0], ids[5])
            where.record(job, deferred(0) if is_kept else relayed(0), retry_at=NOW + 9 if is_kept else None)
        await where.flush()
        assert await where.reclaim()
        last = await accept(where)
        assert read(where) == [ids[0], ids[5], last]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_long_queues_are_read_in_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, newest_first: bool
) -> None:
    monkeypatch.setattr("gatepost.store.listing._PORTIONS", (2, 3))
    async with spool(tmp_path) as where:
        ids = [await accept(where) for _ in range(9)]
        assert read(where, newest_first=newest_first) == (ids[::-1] if newest_first else ids)


async def test_a_held_message_can_be_made_due_at_once(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        queue_id = await accept(where)
        where.hold(queue_id)
        assert where.expedite(queue_id)
        assert where.counts().held == 0
        job = take_one(where)
        assert where.expedite(queue_id)
        where.record(job, deferred(0), retry_at=NOW + 3600)
        assert take_one(where).id == queue_id
        assert not where.expedite("000000000000000")


def test_ids_of_several_workers_sort_by_time() -> None:
    early, late = 7 << 52 | 1_000, 3 << 52 | 2_000
    assert id_order(early) < id_order(late)
