"""A spool, a delivery and what it needs, in a temporary folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gatepost.config.schema import Settings
from gatepost.delivery.lane import LaneLimits
from gatepost.delivery.timeouts import Timeouts
from gatepost.delivery.worker import Delivery, DeliveryLimits
from gatepost.directory.directory import Resolution, UnknownRecipient
from gatepost.log import Log, LogWriter
from gatepost.mail.address import Address, parse_address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.spool import Spool
from patience import PATIENCE_SECONDS

TIMEOUTS = Timeouts(
    connect_seconds=PATIENCE_SECONDS,
    handshake_seconds=PATIENCE_SECONDS,
    greeting_seconds=PATIENCE_SECONDS,
    command_seconds=PATIENCE_SECONDS,
    data_seconds=PATIENCE_SECONDS,
    block_seconds=PATIENCE_SECONDS,
    dot_seconds=PATIENCE_SECONDS,
    idle_seconds=2,
    tick_seconds=0.02,
)
CONTENT = b"Subject: x\r\n\r\nhello\r\n"


@dataclass(frozen=True, slots=True)
class Noted:
    """One outcome as tracking heard it."""

    queue_id: str
    recipient: str
    outcome: Outcome


class Notes:
    """Tracking that a test can wait for."""

    def __init__(self) -> None:
        self.all: list[Noted] = []
        self.events: list[str] = []
        self._changed = asyncio.Event()

    def note_outcome(
        self, queue_id: str, recipient: Address | str, outcome: Outcome, at: float, next_hop: str | None
    ) -> None:
        self.all.append(Noted(queue_id, str(recipient), outcome))
        self._changed.set()

    def note_event(self, queue_id: str, what: str, text: str, at: float) -> None:
        self.events.append(f"{what} {text}")

    def note_accepted(
        self,
        queue_id: str,
        session: str,
        virtual_server: str,
        peer: str,
        user: str | None,
        sender: Address | None,
        recipients: Sequence[Address],
        size: int,
        at: float,
    ) -> None:
        self.events.append(f"accepted from <{sender or ''}> to {', '.join(map(str, recipients))}")

    async def reach(self, count: int) -> list[Noted]:
        """The notes, as soon as there are so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.all) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.all


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.now


class Book:
    """A directory: addresses and whose they are."""

    def __init__(self, entries: Mapping[str, Resolution]) -> None:
        self._entries = entries

    def resolve(self, address: Address) -> Resolution:
        return self._entries.get(str(address), UnknownRecipient())


@dataclass(slots=True)
class Rig:
    spool: Spool
    delivery: Delivery
    notes: Notes
    clock: Clock
    mailboxes: Mailboxes
    log_file: Path
    log: Log
    make: Callable[[], Delivery]
    running: asyncio.Task[None] = field(init=False)

    async def put(
        self,
        *recipients: str | Recipient,
        content: bytes = CONTENT,
        sender: str | None = "me@us.test",
        **changes: object,
    ) -> str:
        """A message is spooled; its queue id."""
        incoming = self.spool.incoming()
        incoming.write(content)
        return await incoming.commit(envelope(*recipients, sender=sender, at=self.clock(), **changes), b"")

    async def outcomes(self, count: int) -> list[Outcome]:
        return [noted.outcome for noted in await self.notes.reach(count)]

    async def outcome(self) -> Outcome:
        return (await self.outcomes(1))[0]

    def renew(self) -> None:
        """A delivery that knows nothing of before, as after a restart."""
        self.delivery = self.make()

    def start(self) -> None:
        self.running = asyncio.get_running_loop().create_task(self.delivery.run())

    def log_text(self) -> str:
        self.log.flush()
        return self.log_file.read_text()


def envelope(
    *recipients: str | Recipient, sender: str | None = "me@us.test", at: float, **changes: object
) -> Envelope:
    made = Envelope(
        None if sender is None else parse_address(sender),
        tuple(r if isinstance(r, Recipient) else Recipient(parse_address(r)) for r in recipients),
        Origin("S1", "test", "127.0.0.1", None, datetime.fromtimestamp(at, UTC)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def settings(
    folder: Path,
    routes: Mapping[str, object],
    domains: Mapping[str, object] | None = None,
    oauth: Mapping[str, object] | None = None,
) -> Settings:
    return Settings.model_validate(
        {
            "hostname": "us.test",
            "state": str(folder),
            "domains": dict(domains or {}),
            "oauth": dict(oauth or {}),
            "routes": {
                pattern: {"via": route} if isinstance(route, str) else route
                for pattern, route in routes.items()
            },
        }
    )


@asynccontextmanager
async def rig(
    folder: Path,
    routes: Mapping[str, object],
    *,
    domains: Mapping[str, object] | None = None,
    oauth: Mapping[str, object] | None = None,
    book: Mapping[str, Resolution] | None = None,
    timeouts: Timeouts = TIMEOUTS,
    lane_limits: LaneLimits | None = None,
    limits: DeliveryLimits | None = None,
    autostart: bool = True,
) -> AsyncIterator[Rig]:
    log_file = folder / "log"
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    spool = Spool(folder / "spool", worker=0)
    await spool.open()
    notes, clock, log = Notes(), Clock(), Log(LogWriter(descriptor))
    mailboxes = Mailboxes(folder / "mailboxes", "us.test")

    def make() -> Delivery:
        return Delivery(
            spool,
            settings(folder, routes, domains, oauth),
            resolver=Book(book or {}),
            local=mailboxes,
            tracking=notes,
            log=log,
            timeouts=timeouts,
            lane_limits=lane_limits,
            limits=limits,
            clock=clock,
        )

    made = Rig(spool, make(), notes, clock, mailboxes, log_file, log, make)
    if autostart:
        made.start()
    try:
        yield made
    finally:
        await made.delivery.stop(5)
        if autostart:
            await made.running
        await spool.close()
        os.close(descriptor)


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await body()

    asyncio.run(main())


def dispositions(outcomes: Iterable[Outcome]) -> Sequence[Disposition]:
    return [outcome.disposition for outcome in outcomes]
