"""What the spool does when the disk does not do as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.store.spool import Spool, SpoolFailed, SpoolFull
from store.spools import (
    EIO,
    ENOSPC,
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


async def test_short_writes_are_carried_on(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.write_limit = 100
    async with spool(tmp_path, disk=disk) as where:
        ids = await asyncio.gather(*(accept(where, b"x" * 3000) for _ in range(20)))
    async with spool(tmp_path) as where:
        jobs = where.take(NOW, 100)
        assert sorted(job.id for job in jobs) == sorted(ids)
        assert all(job.content() == TOP + b"x" * 3000 for job in jobs)


@pytest.mark.parametrize(("error", "refusal"), [(ENOSPC, SpoolFull), (EIO, SpoolFailed)])
@pytest.mark.parametrize("size", [100, 400_000])
async def test_a_failed_write_refuses_and_the_service_goes_on(
    tmp_path: Path, error: int, refusal: type[Exception], size: int
) -> None:
    disk, faults = FaultyDisk(), Faults()
    async with spool(tmp_path, disk=disk, report=faults) as where:
        kept = [await accept(where, b"a" * size)]
        disk.write_error = error
        results = await asyncio.gather(
            *(accept(where, b"b" * size) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [refusal] * 3
        disk.write_error = None
        kept.append(await accept(where, b"c" * size))
        assert [job.id for job in where.take(NOW, 10)] == kept
    async with spool(tmp_path, report=faults) as where:
        assert [job.id for job in where.take(NOW, 10)] == kept
    assert "spool-corrupt" not in faults.events


async def test_after_a_failed_sync_the_segment_is_abandoned(tmp_path: Path) -> None:
    disk, faults = FaultyDisk(), Faults()
    async with spool(tmp_path, disk=disk, report=faults) as where:
        first = await accept(where)
        disk.sync_error = EIO
        with pytest.raises(SpoolFailed):
            await accept(where)
        disk.sync_error = None
        second = await accept(where)
        assert len(files(tmp_path, ".seg")) == 2
    # The abandoned segment's index may meet the same fault; it is made again at a start.
    assert faults.events.count("spool-commit-failed") == 1
    assert set(faults.events) <= {"spool-commit-failed", "spool-chore-failed"}
    async with spool(tmp_path) as where:
        assert [job.id for job in where.take(NOW, 10)] == [first, second]


async def test_a_first_segment_that_cannot_be_synced_leaves_nothing(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.sync_error = EIO
    async with spool(tmp_path, disk=disk, report=Faults()) as where:
        for _ in range(3):
            with pytest.raises(SpoolFailed):
                await accept(where)
        assert files(tmp_path, ".seg") == []
        disk.sync_error = None
        await accept(where)


async def test_below_the_low_water_mark_mail_is_refused_until_there_is_room(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.free = 999
    async with spool(tmp_path, disk=disk, free_bytes=1000) as where:
        assert not where.has_room()
        for size in (10, 400_000):
            with pytest.raises(SpoolFull):
                await accept(where, b"x" * size)
        disk.free = 1000
        where._room_checked_at = 0.0
        assert where.has_room()
        await accept(where)


async def test_outcomes_go_on_being_recorded_on_a_full_disk(tmp_path: Path) -> None:
    """They are tried again, and none is lost once there is room."""
    disk, faults = FaultyDisk(), Faults()
    async with spool(tmp_path, disk=disk, report=faults) as where:
        await accept(where)
        await accept(where, b"b\r\n", "bob", "eve")
        one, two = where.take(NOW, 10)
        disk.write_error = ENOSPC
        where.record(one, relayed(0), retry_at=None)
        await where.flush()
        where.record(two, relayed(0) + deferred(1), retry_at=NOW)
        await where.flush()
        assert take_one(where, NOW + 1).remaining == (1,)
        disk.write_error = None
    assert "spool-outcomes-failed" in faults.events
    async with spool(tmp_path) as where:
        assert take_one(where, NOW + 1).remaining == (1,)


async def test_a_session_that_went_away_does_not_disturb_the_others(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        gone, stays = where.incoming(), where.incoming()
        gone.write(b"a")
        stays.write(b"b")
        future, other = gone.commit(envelope(), TOP), stays.commit(envelope(), TOP)
        future.cancel()
        assert await other == stays.queue_id


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tiny", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("size", [3000, 300_000])
async def test_a_disk_that_really_is_full_loses_nothing_and_recovers(tiny_disk: Path, size: int) -> None:
    kept: list[str] = []
    async with spool(tiny_disk, free_bytes=0, segment_bytes=200_000, report=Faults()) as where:
        with pytest.raises(SpoolFull):
            await _fill(where, size, kept)
    assert len(kept) * size > 1_000_000
    async with spool(tiny_disk, free_bytes=0, segment_bytes=200_000, report=Faults()) as where:
        jobs = where.take(NOW, 10_000)
        assert [job.id for job in jobs] == kept
        for job in jobs:
            assert job.content() == TOP + b"x" * size
            where.record(job, relayed(0), retry_at=None)
        for _ in range(1_200):
            with contextlib.suppress(SpoolFull):
                await accept(where, b"y" * size)
                break
            await asyncio.sleep(0.05)
        assert take_one(where).content() == TOP + b"y" * size


async def _fill(where: Spool, size: int, kept: list[str]) -> None:
    while True:
        kept.append(await accept(where, b"x" * size))
