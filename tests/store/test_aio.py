"""Syncs by the kernel: they end on the loop, with the error if there is one."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from gatepost.store.aio import KernelSync


def _opened() -> KernelSync:
    try:
        return KernelSync()
    except OSError as error:
        pytest.skip(f"no asynchronous sync here: {error}")


async def _synced(syncs: KernelSync, fd: int) -> OSError | None:
    ended: asyncio.Future[OSError | None] = asyncio.get_running_loop().create_future()
    syncs.begin(fd, ended.set_result)
    return await ended


async def test_one_sync_after_another_ends_on_the_loop(tmp_path: Path) -> None:
    syncs = _opened()
    fd = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    for _ in range(5):
        os.write(fd, b"x" * 5000)
        assert await _synced(syncs, fd) is None
    os.close(fd)
    syncs.close()


async def test_what_cannot_be_synced_tells_why() -> None:
    syncs = _opened()
    reading, writing = os.pipe()
    try:
        error = await _synced(syncs, writing)
    except OSError as refused:
        error = refused
    assert error is not None
    assert error.errno == errno.EINVAL
    os.close(reading)
    os.close(writing)
    syncs.close()
