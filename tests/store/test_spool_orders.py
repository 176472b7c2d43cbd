"""What an operator may do to queued messages, and the copying forward of what is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gatepost.store.spool import ItemState, Spool
from store.spools import NOW, TOP, accept, deferred, files, relayed, spool, take_one


async def _restarted(tmp_path: Path, where: Spool) -> Spool:
    await where.close()
    again = Spool(tmp_path, worker=0)
    await again.open()
    return again


async def test_a_held_message_is_not_tried_until_released(tmp_path: Path) -> None:
    where = Spool(tmp_path, worker=0)
    await where.open()
    queue_id = await accept(where)
    assert where.hold(queue_id)
    assert where.take(NOW, 10) == []
    where = await _restarted(tmp_path, where)
    assert where.take(NOW, 10) == []
    assert where.counts().held == 1
    assert [item.state for item in where.items()] == [ItemState.HELD]
    assert not where.retry(queue_id)
    assert where.release(queue_id)
    assert not where.release(queue_id)
    where = await _restarted(tmp_path, where)
    assert take_one(where).content().startswith(TOP)
    assert where.counts().held == 0
    await where.close()


async def test_an_order_for_a_message_under_way_waits_until_it_comes_back(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        held, deleted, delivered = [await accept(where) for _ in range(3)]
        jobs = where.take(NOW, 10)
        assert where.hold(held)
        assert where.delete(deleted)
        assert where.hold(delivered)
        where.record(jobs[0], deferred(0), retry_at=NOW)
        where.record(jobs[1], deferred(0), retry_at=NOW)
        where.record(jobs[2], relayed(0), retry_at=None)
        assert where.take(NOW + 10, 10) == []
        assert [(item.id, item.state) for item in where.items()] == [(held, ItemState.HELD)]


async def test_retry_makes_a_deferred_message_due_once(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        queue_id = await accept(where)
        where.record(take_one(where), deferred(0), retry_at=NOW + 3600)
        item = where.find(queue_id)
        assert item is not None
        assert (item.state, item.next_attempt) == (ItemState.DEFERRED, NOW + 3600)
        assert item.last_error == "mx: 451 4.3.0 later"
        assert where.retry(queue_id)
        job = take_one(where, NOW)
        assert job.attempts == 1
        where.record(job, deferred(0), retry_at=NOW + 7200)
        assert where.take(NOW + 3601, 10) == []
        assert len(where.take(NOW + 7201, 10)) == 1


async def test_a_deleted_message_does_not_come_back(tmp_path: Path) -> None:
    where = Spool(tmp_path, worker=0)
    await where.open()
    for size in (10, 400_000):
        queue_id = await accept(where, b"x" * size)
        assert where.delete(queue_id)
        assert not where.delete(queue_id)
        assert where.find(queue_id) is None
    where = await _restarted(tmp_path, where)
    assert where.take(NOW, 10) == []
    await where.close()
    assert files(tmp_path, ".large") == []


@pytest.mark.parametrize("unknown", ["", "nonsense", "0" * 15, "../../etc/pass"])
async def test_an_unknown_id_is_answered_no(tmp_path: Path, unknown: str) -> None:
    async with spool(tmp_path) as where:
        await accept(where)
        assert not where.hold(unknown)
        assert not where.delete(unknown)
        assert where.find(unknown) is None


async def test_the_list_shows_each_message_once_with_what_remains(tmp_path: Path) -> None:
    async with spool(tmp_path, segment_bytes=2000) as where:
        ids = [await accept(where, b"x" * 900, "bob", "eve") for _ in range(10)]
        jobs = where.take(NOW, 10)
        where.record(jobs[0], relayed(0) + deferred(1), retry_at=NOW + 5)
        items = {item.id: item for item in where.items()}
        assert sorted(items) == sorted(ids)
        first = items[jobs[0].id]
        assert [str(address) for address in first.recipients] == ["eve@example.net"]
        assert (first.user, first.peer, str(first.sender)) == ("ann", "192.0.2.1", "ann@example.org")
        assert items[jobs[1].id].state is ItemState.ACTIVE
        counts = where.counts()
        assert (counts.active, counts.deferred, counts.total) == (9, 1, 10)


async def _one_left_of_many(where: Spool) -> str:
    """A sealed segment in which one message of twenty lives, deferred, and another that is open."""
    for _ in range(20):
        await accept(where, b"x" * 1000, "bob", "eve")
    jobs = where.take(NOW, 100)
    where.record(jobs[7], relayed(0) + deferred(1), retry_at=NOW + 50, warned=True)
    for job in jobs[:7] + jobs[8:]:
        where.record(job, relayed(0, 1), retry_at=None)
    await accept(where)
    where.record(take_one(where), deferred(0), retry_at=NOW + 99)
    await where.flush()
    return jobs[7].id


async def test_what_is_left_is_copied_forward_with_its_state(tmp_path: Path) -> None:
    where = Spool(tmp_path, worker=0, segment_bytes=20_000)
    await where.open()
    queue_id = await _one_left_of_many(where)
    assert await where.reclaim() == 1
    for _ in range(2):
        assert where.take(NOW + 49, 10) == []
        job = take_one(where, NOW + 50)
        assert (job.id, job.remaining, job.attempts, job.warned) == (queue_id, (1,), 1, True)
        assert job.content() == TOP + b"x" * 1000
        where.put_back(job)
        where = await _restarted(tmp_path, where)  # closing waits for the removal of the old segment
        assert [path.name for path in files(tmp_path, ".seg")] == ["00000002.seg"]
    await where.close()


async def test_a_move_that_was_cut_off_leaves_one_message(tmp_path: Path) -> None:
    """The old segment is still there after the copy was synced: the copy counts, for ever."""
    where = Spool(tmp_path, worker=0, segment_bytes=20_000)
    await where.open()
    queue_id = await _one_left_of_many(where)
    old = {path: path.read_bytes() for path in (tmp_path / "0").glob("00000001.*")}
    assert await where.reclaim() == 1
    await where.close()
    for path, data in old.items():
        path.write_bytes(data)
    async with spool(tmp_path) as where:
        job = take_one(where, NOW + 50)
        assert job.id == queue_id
        where.record(job, relayed(1), retry_at=None)
    async with spool(tmp_path) as where:
        assert where.take(NOW + 51, 10) == []


async def test_a_held_message_stays_held_when_copied(tmp_path: Path) -> None:
    where = Spool(tmp_path, worker=0, segment_bytes=20_000)
    await where.open()
    queue_id = await _one_left_of_many(where)
    where.hold(queue_id)
    await where.flush()
    assert await where.reclaim() == 1
    for _ in range(2):
        assert where.take(NOW + 60, 10) == []
        assert where.counts().held == 1
        where = await _restarted(tmp_path, where)
    assert where.release(queue_id)
    assert take_one(where, NOW).id == queue_id
    await where.close()


async def test_an_order_during_a_copy_is_carried_out_after_it(tmp_path: Path) -> None:
    async with spool(tmp_path, segment_bytes=20_000) as where:
        queue_id = await _one_left_of_many(where)
        moving = asyncio.create_task(where.reclaim())
        await asyncio.sleep(0)
        assert where.hold(queue_id)
        assert await moving == 1
        assert where.counts().held == 1
        assert where.take(NOW + 60, 10) == []
