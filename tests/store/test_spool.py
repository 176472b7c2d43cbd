"""The life of a message in the spool."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from gatepost.store.queueid import worker_of
from gatepost.store.spool import Job, Spool, SpoolCorrupt, SpoolLocked
from store.spools import (
    NOW,
    TOP,
    Faults,
    FaultyDisk,
    accept,
    deferred,
    envelope,
    files,
    relayed,
    spool,
    take_one,
)

pytestmark = pytest.mark.usefixtures("syncs")


async def test_a_message_is_given_out_with_the_bytes_that_came_in(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        incoming = where.incoming()
        for part in (b"Subject: x\r\n", b"\r\n..dot\r\n"):
            incoming.write(part)
        assert await incoming.commit(envelope(), TOP) == incoming.queue_id
        job = take_one(where)
        assert job.id == incoming.queue_id
        assert job.content() == TOP + b"Subject: x\r\n\r\n..dot\r\n"
        assert job.header_bytes == TOP + b"Subject: x\r\n"
        assert job.size_bytes == len(job.content())
        assert job.envelope == envelope()
        assert where.take(NOW, 10) == []


async def test_a_message_survives_a_restart(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        queue_id = await accept(where, b"a\r\n", "bob", "eve")
    async with spool(tmp_path) as where:
        job = take_one(where)
        assert (job.id, job.remaining, job.attempts) == (queue_id, (0, 1), 0)
        assert job.content() == TOP + b"a\r\n"
        assert job.envelope == envelope("bob", "eve")


async def test_a_done_message_leaves_no_file(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        await accept(where)
        where.record(take_one(where), relayed(0), retry_at=None)
    assert [path.name for path in (tmp_path / "0").iterdir()] == ["lock"]


async def test_a_deferred_message_comes_back_when_due_with_what_remains(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        await accept(where, b"a\r\n", "bob", "eve", "joe")
        where.record(take_one(where), relayed(1) + deferred(0, 2), retry_at=NOW + 60, warned=True)
        assert where.take(NOW + 59, 10) == []
        job = take_one(where, NOW + 60)
        assert (job.remaining, job.attempts, job.warned) == ((0, 2), 1, True)
        where.record(job, deferred(0, 2), retry_at=NOW + 100)
    async with spool(tmp_path) as where:
        assert where.take(NOW + 99, 10) == []
        job = take_one(where, NOW + 100)
        assert (job.remaining, job.attempts, job.warned) == ((0, 2), 2, True)
        assert list(job.last_outcomes) == deferred(0, 2)


async def test_a_part_recorded_stays_with_its_holder_and_is_due_after_a_restart(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        await accept(where, b"a\r\n", "bob", "eve")
        job = take_one(where)
        where.record(job, relayed(0), retry_at=None)
        assert job.remaining == (1,)
        assert where.take(NOW, 10) == []
    async with spool(tmp_path) as where:
        job = take_one(where)
        assert (job.remaining, job.attempts) == ((1,), 0)


async def test_a_job_put_back_is_due_at_once(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        await accept(where)
        where.put_back(take_one(where))
        assert take_one(where).content()


async def test_many_messages_share_one_sync(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with spool(tmp_path, disk=disk) as where:
        await accept(where)
        before = disk.syncs
        await asyncio.gather(*(accept(where) for _ in range(200)))
        assert disk.syncs - before <= 3
        assert len(where.take(NOW, 1000)) == 201


async def test_the_name_of_a_segment_is_synced_before_the_first_250(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with spool(tmp_path, disk=disk, segment_bytes=1) as where:
        for count in range(1, 4):
            await accept(where)
            assert disk.folder_syncs >= count


async def test_past_the_memory_budget_contents_are_read_back(tmp_path: Path) -> None:
    async with spool(tmp_path, memory_bytes=20_000, segment_bytes=50_000) as where:
        contents = {await accept(where, b"%d" % n * 4000 + b"\r\n"): n for n in range(30)}
        jobs = where.take(NOW, 100)
        assert {job.id for job in jobs} == contents.keys()
        for job in jobs:
            assert job.content() == TOP + b"%d" % contents[job.id] * 4000 + b"\r\n"


async def test_wait_ends_when_a_message_comes_and_when_one_is_due(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        waiting = asyncio.create_task(where.wait(NOW))
        await asyncio.sleep(0)
        await accept(where)
        await waiting
        where.record(take_one(where), deferred(0), retry_at=NOW + 1)
        await where.wait(NOW + 0.99)
        await where.wait(NOW + 1)


async def test_fresh_mail_does_not_starve_deferred_mail(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        old = await accept(where)
        where.record(take_one(where), deferred(0), retry_at=NOW)
        await asyncio.gather(*(accept(where) for _ in range(50)))
        assert old in {job.id for job in where.take(NOW + 1, 4)}


async def test_two_processes_never_have_one_spool(tmp_path: Path) -> None:
    async with spool(tmp_path):
        with pytest.raises(SpoolLocked):
            await Spool(tmp_path, worker=0).open()


async def test_queue_ids_never_come_again_and_name_their_worker(tmp_path: Path) -> None:
    ids = []
    for _ in range(3):
        where = Spool(tmp_path, worker=11)
        await where.open()
        ids += [await accept(where) for _ in range(5)]
        await where.close()
    assert ids == sorted(set(ids))
    assert {worker_of(queue_id) for queue_id in ids} == {11}


async def test_a_large_message_lies_in_a_file_of_its_own_until_done(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        incoming = where.incoming()
        for number in range(64):
            incoming.write(bytes([65 + number % 26]) * 16_384)
            await incoming.drain()
        await incoming.commit(envelope(), TOP)
    assert len(files(tmp_path, ".large")) == 1
    async with spool(tmp_path) as where:
        job = take_one(where)
        chunks = [chunk async for chunk in job.chunks()]
        assert max(map(len, chunks)) <= 256 * 1024
        assert b"".join(chunks) == job.content()
        assert job.size_bytes == len(TOP) + 64 * 16_384 == len(job.content())
        where.record(job, relayed(0), retry_at=None)
    assert files(tmp_path, ".large") == []


async def test_an_abandoned_message_leaves_nothing(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        for size in (10, 400_000):
            incoming = where.incoming()
            incoming.write(b"x" * size)
            incoming.abandon()
            incoming.abandon()
        assert where.take(NOW, 10) == []
    assert [path.name for path in (tmp_path / "0").iterdir()] == ["lock"]


async def test_a_large_message_takes_little_memory(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        incoming = where.incoming()
        chunk = b"x" * 65_536
        tracemalloc.start()
        for _ in range(1600):
            incoming.write(bytes(bytearray(chunk)))
            await incoming.drain()
        await incoming.commit(envelope(), TOP)
        job = take_one(where)
        total = 0
        async for part in job.chunks():
            total += len(part)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == 1600 * 65_536 + len(TOP)
        assert peak < 8 * 1024 * 1024


async def test_a_damaged_large_content_is_never_given_out_whole(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        await accept(where, b"x" * 700_000)
    (path,) = files(tmp_path, ".large")
    data = bytearray(path.read_bytes())
    data[600_000] ^= 1
    path.write_bytes(data)
    async with spool(tmp_path, report=Faults()) as where:
        given: list[bytes] = []
        with pytest.raises(SpoolCorrupt):
            await _gather(take_one(where), given)
        assert sum(map(len, given)) < 700_000


async def _gather(job: Job, given: list[bytes]) -> None:
    async for chunk in job.chunks():
        given.append(chunk)


async def test_segments_are_sealed_and_removed_one_by_one(tmp_path: Path) -> None:
    async with spool(tmp_path, segment_bytes=10_000) as where:
        for _ in range(40):
            await accept(where, b"x" * 1000)
        assert len(files(tmp_path, ".seg")) >= 4
        for job in where.take(NOW, 100):
            where.record(job, relayed(0), retry_at=None)
        await where.flush()
        await asyncio.sleep(0)
    assert files(tmp_path, ".seg") == []
