"""What a start makes of damaged and unfinished files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store.spool import SpoolCorrupt
from store.spools import NOW, TOP, Faults, accept, deferred, files, relayed, spool, take_one


async def _fill(tmp_path: Path, count: int, size: int = 500) -> list[str]:
    async with spool(tmp_path) as where:
        return [await accept(where, b"%03d" % number + b"x" * size) for number in range(count)]


def _without_index(tmp_path: Path) -> Path:
    for path in files(tmp_path, ".idx"):
        path.unlink()
    return files(tmp_path, ".seg")[0]


@pytest.mark.parametrize("cut", [1, 30, 300, 600, 650])
async def test_a_torn_tail_is_dropped_and_the_rest_is_kept(tmp_path: Path, cut: int) -> None:
    ids = await _fill(tmp_path, 5)
    segment = _without_index(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-cut])
    faults = Faults()
    async with spool(tmp_path, report=faults) as where:
        found = [job.id for job in where.take(NOW, 10)]
        assert found == ids[: len(found)]
        assert len(found) >= 3
    assert set(faults.events) == {"spool-torn-tail"}
    assert files(tmp_path, ".corrupt") == []


@pytest.mark.parametrize("at", [24, 28, 40, 100, 300])
async def test_a_damaged_record_is_skipped_and_kept_aside(tmp_path: Path, at: int) -> None:
    """`at` is in the first record's marker, checksum, head, envelope or content."""
    ids = await _fill(tmp_path, 5)
    segment = _without_index(tmp_path)
    data = bytearray(segment.read_bytes())
    data[at] ^= 0xFF
    segment.write_bytes(data)
    faults = Faults()
    async with spool(tmp_path, report=faults) as where:
        assert [job.id for job in where.take(NOW, 10)] == ids[1:]
    assert faults.events == ["spool-corrupt"]
    (kept,) = files(tmp_path, ".corrupt")
    assert kept.read_bytes() in bytes(data)
    assert len(kept.read_bytes()) > 500


async def test_damage_under_a_good_index_is_found_when_the_message_is_due(tmp_path: Path) -> None:
    ids = await _fill(tmp_path, 5)
    (segment,) = files(tmp_path, ".seg")
    data = bytearray(segment.read_bytes())
    data[60] ^= 0xFF
    segment.write_bytes(data)
    faults = Faults()
    async with spool(tmp_path, report=faults) as where:
        assert [job.id for job in where.take(NOW, 10)] == ids[1:]
        assert where.counts().total == 4
    assert faults.events == ["spool-corrupt"]
    assert len(files(tmp_path, ".corrupt")) == 1


async def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    ids = await _fill(tmp_path, 5)
    (index,) = files(tmp_path, ".idx")
    good = index.read_bytes()
    index.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    async with spool(tmp_path) as where:
        assert [job.id for job in where.take(NOW, 10)] == ids
    assert index.read_bytes() == good


async def test_a_damaged_segment_header_is_made_good_from_the_index(tmp_path: Path) -> None:
    ids = await _fill(tmp_path, 2)
    (segment,) = files(tmp_path, ".seg")
    data = bytearray(segment.read_bytes())
    data[3] ^= 0xFF
    segment.write_bytes(data)
    async with spool(tmp_path) as where:
        assert [job.id for job in where.take(NOW, 10)] == ids


async def test_an_unreadable_segment_is_set_aside_whole(tmp_path: Path) -> None:
    await _fill(tmp_path, 2)
    segment = _without_index(tmp_path)
    segment.write_bytes(b"?" * 5000)
    faults = Faults()
    async with spool(tmp_path, report=faults) as where:
        assert where.take(NOW, 10) == []
        await accept(where)
    assert faults.events == ["spool-segment-unreadable"]
    assert files(tmp_path, ".corrupt")[0].read_bytes() == b"?" * 5000


async def test_torn_outcomes_forget_only_the_last(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        ids = [await accept(where) for _ in range(3)]
        for job in where.take(NOW, 2):
            where.record(job, relayed(0), retry_at=None)
            await where.flush()
    (outcomes,) = files(tmp_path, ".out")
    outcomes.write_bytes(outcomes.read_bytes()[:-1])
    async with spool(tmp_path, report=Faults()) as where:
        jobs = where.take(NOW, 10)
        assert [job.id for job in jobs] == ids[1:]
        for job in jobs:
            where.record(job, deferred(0), retry_at=NOW)
    async with spool(tmp_path, report=Faults()) as where:
        assert [(job.id, job.attempts) for job in where.take(NOW, 10)] == [(ids[1], 1), (ids[2], 1)]


async def test_a_forged_record_inside_a_message_is_never_believed(tmp_path: Path) -> None:
    """Not even when the record around it is damaged: marker and seed differ in each file."""
    await _fill(tmp_path / "other", 1)
    (other,) = files(tmp_path / "other", ".seg")
    async with spool(tmp_path) as where:
        await accept(where, b"x" * 100 + other.read_bytes()[24:])
        second = await accept(where)
    segment = _without_index(tmp_path)
    data = bytearray(segment.read_bytes())
    data[24] ^= 0xFF
    segment.write_bytes(data)
    async with spool(tmp_path, report=Faults()) as where:
        assert take_one(where).id == second


async def test_contents_that_no_message_has_are_removed(tmp_path: Path) -> None:
    async with spool(tmp_path) as where:
        await accept(where, b"x" * 300_000)
        kept = files(tmp_path, ".large")
    (tmp_path / "0" / f"{0xABC:015X}.large").write_bytes(b"left behind")
    (tmp_path / "0" / "00000099.idx.new").write_bytes(b"draft")
    async with spool(tmp_path) as where:
        assert files(tmp_path, ".large") == kept
        assert files(tmp_path, ".new") == []
        assert take_one(where).content() == TOP + b"x" * 300_000


async def test_a_queue_id_of_digits_alone_is_no_segment_number(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "006412345678901.large").write_bytes(b"left behind")
    async with spool(tmp_path) as where:
        await accept(where)
        assert [path.name for path in files(tmp_path, ".seg")] == ["00000001.seg"]


@pytest.mark.parametrize(("size", "suffix"), [(100, ".seg"), (20_000, ".seg"), (400_000, ".large")])
async def test_damaged_content_is_never_given_out_and_kept_when_its_message_is_done(
    tmp_path: Path, size: int, suffix: str
) -> None:
    async with spool(tmp_path) as where:
        await accept(where, b"x" * size)
    (path,) = files(tmp_path, suffix)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    async with spool(tmp_path, report=Faults()) as where:
        job = take_one(where)
        with pytest.raises(SpoolCorrupt):
            job.content()
        where.record(job, relayed(0), retry_at=None)
    assert files(tmp_path, suffix) == []
    (kept,) = files(tmp_path, ".corrupt")
    assert kept.read_bytes().endswith(bytes(data[-50:]))
