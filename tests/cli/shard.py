"""A worker's verbs over a real spool at the control socket, without listeners and delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from gatepost.admin.link import Link, reachable
from gatepost.admin.shard import ShardVerbs
from gatepost.mail.address import Address, parse_address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.meter import Meter
from gatepost.server.sessions import Sessions
from gatepost.store.place import Place
from gatepost.store.spool import Spool


@contextmanager
def running(state: Path) -> Iterator[list[str]]:
    """The ids of two messages in the queue: ann's, tried once, and one from nobody."""
    ids: list[str] = []
    started, stop = Event(), Event()
    thread = Thread(target=lambda: asyncio.run(_serve(Place(state), ids, started.set, stop)))
    thread.start()
    started.wait(20)
    try:
        yield ids
    finally:
        stop.set()
        thread.join()


async def _serve(place: Place, ids: list[str], started: Callable[[], None], stop: Event) -> None:
    spool = Spool(place.spool, worker=0)
    await spool.open()
    ids.append(await _accept(spool, Address("ann", "example.org"), "ann@example.org", "x@else.example"))
    (job,) = spool.take(2e9, 1)
    outcome = Outcome(0, Disposition.DEFERRED, 451, "4.3.0", "not \x1b[2Jnow", "mx.else.example")
    spool.record(job, [outcome], retry_at=2e9)
    ids.append(await _accept(spool, None, None, "y@two.example"))
    verbs = ShardVerbs([spool], Sessions(), lambda: None, Meter())

    async def operator(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer, verbs.answer)
        link.start()
        await link.closed.wait()

    with reachable(place.control) as short:
        server = await asyncio.start_unix_server(operator, short)
    started()
    await asyncio.to_thread(stop.wait)
    server.close()
    await spool.close()


async def _accept(spool: Spool, sender: Address | None, user: str | None, rcpt: str) -> str:
    origin = Origin("SESSIO", "submission", "192.0.2.7", user, datetime(2026, 1, 1, tzinfo=UTC))
    incoming = spool.incoming()
    incoming.write(b"Subject: hello\r\n\r\nhi\r\n")
    envelope = Envelope(sender, (Recipient(parse_address(rcpt)),), origin)
    return await incoming.commit(envelope, b"Received: by test\r\n")
