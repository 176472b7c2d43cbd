"""CPU of the spool for a message: taken in, synced, taken out, recorded. `python bench/spool.py`.

Fifty tasks hand in 4.2 kB messages as sessions do; one takes and records them as delivery does.
Envelope and outcome are made once: making them is the session's and the client's work.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.spool import Spool

_TOP = b"Received: from client.example ([192.0.2.1])\r\n\tby mail.example with ESMTPSA id X;\r\n" + b" " * 40
_CONTENT = b"Subject: bench\r\n\r\n" + b"x" * 74 + b"\r\n"
_CONTENT = (_CONTENT * 60)[:4100] + b"\r\n"


_ENVELOPE = Envelope(
    Address("ann", "example.org"),
    (Recipient(Address("bob", "example.net")),),
    Origin("7F3K2Q", "submission", "192.0.2.1", "ann@example.org", datetime.now(UTC)),
)
_RELAYED = [Outcome(0, Disposition.RELAYED, 250, "2.0.0", "ok", "mx.example")]


async def _send(spool: Spool, count: int) -> None:
    for _ in range(count):
        incoming = spool.incoming()
        incoming.write(_CONTENT)
        await incoming.commit(_ENVELOPE, _TOP)


async def _deliver(spool: Spool, count: int) -> None:
    done = 0
    while done < count:
        await spool.wait(time.time())
        for job in spool.take(time.time(), 100):
            job.content()
            spool.record(job, _RELAYED, retry_at=None)
            done += 1


async def _measure(folder: Path, tasks: int, count: int) -> None:
    spool = Spool(folder, worker=0)
    await spool.open()
    await asyncio.gather(*(_send(spool, 20) for _ in range(tasks)), _deliver(spool, 20 * tasks))
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    each = count // tasks
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(_send(spool, each))
        group.create_task(_deliver(spool, each * tasks))
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    sent = each * tasks
    await spool.close()
    print(
        f"{sys.version.split()[0]} {tasks} tasks, {sent} messages: {sent / seconds:,.0f}/s, "
        f"CPU {(user + system) / sent * 1e6:.1f} us a message "
        f"(user {user / sent * 1e6:.1f}, system {system / sent * 1e6:.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run(_measure(Path(folder), options.tasks, options.messages))


if __name__ == "__main__":
    main()
