"""kill -9 at random points: what had its 250 is there byte for byte, and nothing twice."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crash import writer
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.spool import Job, Spool

_ROUNDS = 20


def _run_and_kill(folder: Path, seed: int, seconds: float) -> list[str]:
    """What the process said before it was killed."""
    process = subprocess.Popen(
        [sys.executable, writer.__file__, str(folder), str(seed)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), True)
    assert process.stdout.readline() == b"ready\n"
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    said = process.stdout.read().decode()
    killer.join()
    process.wait()
    process.stdout.close()
    return said.split("\n")[:-1]  # what follows the last line end was cut off


async def _queue(folder: Path, faults: list[str], done: set[str]) -> dict[str, bytes]:
    """Every message of the spool with its bytes. Nine of ten are then delivered, and put in `done`."""
    spool = Spool(folder, worker=3, report=lambda event, **fields: faults.append(f"{event} {fields}"))
    await spool.open()
    found: dict[str, bytes] = {}
    jobs: list[Job] = []
    while taken := spool.take(time.time() + 100_000, 100):
        for job in taken:
            assert job.id not in found, "a message is there twice"
            found[job.id] = b"".join([chunk async for chunk in job.chunks()])
            assert job.remaining
        jobs += taken
    listed = [item.id for item in spool.items()]
    assert sorted(listed) == sorted(found)
    assert spool.counts().total == len(found)
    for row, job in enumerate(jobs):
        if row % 10:
            spool.record(
                job,
                [Outcome(n, Disposition.RELAYED, 250, "2.0.0", "ok") for n in job.remaining],
                retry_at=None,
            )
            done.add(job.id)
        else:
            spool.put_back(job)
    await spool.close()
    return found


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    said: dict[str, set[str]] = {"A": set(), "R": set(), "D": set()}
    source = random.Random(7)
    for round_ in range(_ROUNDS):
        for line in _run_and_kill(tmp_path, round_, source.uniform(0.05, 0.7)):
            kind, queue_id = line.split()
            said[kind].add(queue_id)
        faults: list[str] = []
        delivered: set[str] = set()
        found = asyncio.run(_queue(tmp_path, faults, delivered))
        assert not [fault for fault in faults if not fault.startswith("spool-torn-tail")]
        assert not said["A"] - said["R"] - found.keys(), "an acknowledged message is lost"
        assert not found.keys() & said["D"], "a finished message came back"
        for queue_id, stored in found.items():
            assert stored == writer.TOP + writer.content(queue_id)
        said["D"] |= delivered
        said["R"] = (said["R"] | delivered) - (found.keys() - delivered)
    assert len(said["A"]) > 1000
