"""A process to be killed: accepts, delivers and records messages, and says what it was promised.

`python writer.py FOLDER SEED`. Lines on stdout: `A id` once a message has its 250 (its bytes follow
from its id), `R id` before the outcome that ends it is recorded, `D id` once that was written.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.spool import Spool

TOP = b"Received: by crash test\r\n"


def content(queue_id: str) -> bytes:
    """The bytes of a message, told by its id; one in forty is large."""
    source = random.Random(queue_id)
    size = source.randrange(300_000, 900_000) if source.random() < 0.025 else source.randrange(10, 9_000)
    return source.randbytes(size).replace(b"\r", b"r").replace(b"\n", b"n") + b"\r\n"


def envelope() -> Envelope:
    """One message in three goes to two recipients."""
    names = ("bob", "eve") if random.random() < 0.33 else ("bob",)
    return Envelope(
        Address("ann", "example.org"),
        tuple(Recipient(Address(name, "example.net")) for name in names),
        Origin("S", "submission", "192.0.2.1", None, datetime.now(UTC)),
    )


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


async def send(spool: Spool) -> None:
    while True:
        incoming = spool.incoming()
        message = content(incoming.queue_id)
        for start in range(0, len(message), 16_384):
            incoming.write(message[start : start + 16_384])
            await incoming.drain()
        say(f"A {await incoming.commit(envelope(), TOP)}")


async def deliver(spool: Spool) -> None:
    while True:
        await spool.wait(time.time())
        done = []
        for job in spool.take(time.time(), 20):
            kind = Disposition.DEFERRED if random.random() < 0.5 else Disposition.RELAYED
            outcomes = [Outcome(index, kind, 250, "2.0.0", "ok", "mx") for index in job.remaining]
            if kind is Disposition.RELAYED:
                say(f"R {job.id}")
                done.append(job.id)
            spool.record(job, outcomes, retry_at=time.time() + random.choice((0, 3600)))
        await spool.flush()
        for queue_id in done:
            say(f"D {queue_id}")


async def reclaim(spool: Spool) -> None:
    while True:
        await asyncio.sleep(0.02)
        await spool.reclaim()


async def main(folder: Path) -> None:
    spool = Spool(folder, worker=3, segment_bytes=300_000, memory_bytes=200_000)
    await spool.open()
    say("ready")
    await asyncio.gather(*(send(spool) for _ in range(20)), deliver(spool), reclaim(spool))


if __name__ == "__main__":
    random.seed(sys.argv[2])
    asyncio.run(main(Path(sys.argv[1])))
