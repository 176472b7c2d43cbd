"""The door out of one shard: takes what is due, sends it on its way, records what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

import dns.asyncresolver

from gatepost.config.schema import OnFull, Settings
from gatepost.delivery.batch import BatchLane
from gatepost.delivery.bounce import Kind as ReportKind
from gatepost.delivery.bounce import Reporter
from gatepost.delivery.capture import Capture
from gatepost.delivery.dispatch import AnyLane, Dispatcher
from gatepost.delivery.lane import Lane, LaneLimits
from gatepost.delivery.local import LocalDelivery, MailboxRules, Mailroom, Resolver
from gatepost.delivery.mx import Exchangers
from gatepost.delivery.nexthop import Kind, NextHop
from gatepost.delivery.opening import Opener
from gatepost.delivery.own import OwnAddresses
from gatepost.delivery.parcel import Errand, Parcel, Problem
from gatepost.delivery.respool import Respool
from gatepost.delivery.retry import Schedule
from gatepost.delivery.route import routing
from gatepost.delivery.sessions import Sessions
from gatepost.delivery.settlement import Settlement
from gatepost.delivery.timeouts import Timeouts
from gatepost.delivery.tls import Contexts
from gatepost.directory.tickets import client_tokens
from gatepost.log import Log
from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.job import Job
from gatepost.store.spool import Spool

_TAKEN_AT_ONCE = 100
_CAPTURED_AT_ONCE = 16
_LOOK_SECONDS = 0.25
_STOPPED_SECONDS = 1.0
_UNWANTED_AT_MOST = 1_000
_DNS_SECONDS = 10.0


class Tracking(Protocol):
    """Where outcomes are noted for `gatepost trace`."""

    def note_outcome(
        self, queue_id: str, recipient: Address | str, outcome: Outcome, at: float, next_hop: str | None
    ) -> None: ...

    def note_event(self, queue_id: str, what: str, text: str, at: float) -> None: ...

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
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """`jobs` are in memory at once while all next hops are quick; never more than `jobs_at_most`.

    `lane`: so many may wait for a next hop that is slow.
    """

    jobs: int = 1_000
    jobs_at_most: int = 10_000
    lane: int = 500
    connections: int = 400
    messages_per_connection: int = 1_000


class Delivery:
    """`resolver` says whose mail for a local recipient is; `local` are the mailboxes.

    What comes behind `log` has its defaults for the product; tests give their own.
    """

    def __init__(
        self,
        spool: Spool,
        settings: Settings,
        *,
        resolver: Resolver,
        local: LocalDelivery,
        tracking: Tracking,
        log: Log,
        exchangers: Exchangers | None = None,
        timeouts: Timeouts | None = None,
        lane_limits: LaneLimits | None = None,
        limits: DeliveryLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool = spool
        self._tracking = tracking
        self._log = log
        self._clock = clock
        self._limits = limits or DeliveryLimits()
        self._lane_limits = lane_limits or LaneLimits()
        self._open: set[Errand] = set()
        self._unwanted: dict[str, str] = {}
        self._slow = 0
        self._looked_at = 0.0
        self._emptier = asyncio.Event()
        self._stopping = False
        self._runner: asyncio.Task[None] | None = None
        self._routing = routing(settings)
        respool = Respool(spool, self._respooled)
        self._sessions = Sessions(
            exchangers or exchangers_of(settings),
            Opener(settings.hostname, Contexts(), timeouts or Timeouts(), client_tokens(settings, log)),
            log,
            connections=self._limits.connections,
            messages=self._limits.messages_per_connection,
        )
        self._dispatcher = Dispatcher(
            self._routing,
            self._make_lane,
            settle=self._settle,
            postpone=self._postpone,
            lane_limit=self._limits.lane,
        )
        self._mailroom = BatchLane(
            Mailroom(
                local,
                resolver,
                respool,
                forward=self._routing.forward,
                hand_over=self._dispatcher.hand_over,
                settle=self._settle,
                rules=_mailbox_rules(settings),
                started_at=clock(),
            ).carry
        )
        schedule = Schedule(
            tuple(float(seconds) for seconds in settings.retry.intervals_seconds),
            settings.retry.delay_warning_seconds,
            settings.retry.give_up_seconds,
        )
        self._settlement = Settlement(
            spool,
            Reporter(
                settings.hostname,
                respool,
                give_up_seconds=schedule.give_up_seconds,
                token=lambda: secrets.token_hex(16),
            ),
            schedule,
            note=self._note,
            reported=self._reported,
            log=log,
            clock=clock,
            jitter=SystemRandom().random,
        )

    @property
    def in_hand(self) -> int:
        """How many messages are being delivered now."""
        return len(self._open)

    async def run(self) -> None:
        """Delivers until `stop` is called."""
        self._runner = asyncio.current_task()
        try:
            while not self._stopping:
                await self._take()
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            self._runner = None

    async def stop(self, grace_seconds: float) -> None:
        """Transactions in hand may end within the grace; then everything is recorded or put back."""
        self._stopping = self._settlement.stopping = True
        if self._runner is not None:
            self._runner.cancel()  # it only waits: what it took is in the lanes
        for parcel in (*self._dispatcher.stop(), *self._mailroom.stop()):
            self._postpone(parcel)
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_seconds
        while self._open and (left := until - loop.time()) > 0:
            await self._emptied(left)
        self._dispatcher.abort("this server is shutting down")
        await self._settlement.finish()

    def give_up(self, queue_id: str, why: str) -> bool:
        """The message is not tried again: its sender is told so. False when it is not here."""
        if not self._spool.expedite(queue_id):
            return False
        if len(self._unwanted) >= _UNWANTED_AT_MOST:  # some were delivered after all
            self._unwanted = {one: why for one, why in self._unwanted.items() if self._spool.find(one)}
        self._unwanted[queue_id] = why
        return True

    def _give_up(self, errand: Errand, why: str) -> None:
        failed = Disposition.FAILED
        errand.outcomes = [Outcome(index, failed, 554, "5.0.0", why) for index in errand.job.remaining]
        self._open.discard(errand)
        self._settlement.close(errand)

    async def _take(self) -> None:
        """Takes what is due as far as there is room; waits when nothing is due or there is none."""
        self._look_round()
        room = min(self._limits.jobs + self._slow, self._limits.jobs_at_most) - len(self._open)
        if room <= 0:
            await self._emptied(_LOOK_SECONDS)
            return
        jobs = self._spool.take(self._clock(), min(room, _TAKEN_AT_ONCE))
        if not jobs:
            await self._spool.wait(self._clock())
            return
        for job in jobs:
            errand = Errand(job)
            self._open.add(errand)
            if self._unwanted and job.id in self._unwanted:
                self._give_up(errand, self._unwanted.pop(job.id))
            else:
                self._dispatcher.send(errand)
        # the connections get their turn between two batches
        await asyncio.sleep(0)

    def _look_round(self) -> None:
        """From time to time it is known anew how many jobs wait for slow next hops."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._slow = self._dispatcher.look_round(now - self._looked_at)
            self._looked_at = now

    async def _emptied(self, seconds: float) -> None:
        """Something was finished, or so many seconds have passed."""
        self._emptier.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._emptier.wait()

    def _make_lane(self, hop: NextHop) -> AnyLane:
        if hop.kind is Kind.MAILBOX:
            return self._mailroom
        if hop.kind is Kind.CAPTURE and hop.folder is not None:
            return BatchLane(Capture(hop.folder, self._settle).carry, batch=_CAPTURED_AT_ONCE)
        loop = asyncio.get_running_loop()
        return Lane(hop, self._sessions.open, self._settle, clock=loop.time, limits=self._lane_limits)

    def _settle(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None:
        errand = parcel.errand
        errand.outcomes.extend(outcomes)
        if not more:
            errand.open_parcels -= 1
        if errand.open_parcels:
            self._settlement.part(errand, outcomes)
            return
        self._open.discard(errand)
        self._settlement.close(errand)
        self._emptier.set()

    def _postpone(self, parcel: Parcel, seconds: float = _STOPPED_SECONDS) -> None:
        """The parcel's turn has not come; it does after so many seconds."""
        parcel.errand.turn_seconds = max(parcel.errand.turn_seconds, seconds)
        self._settle(parcel, [], more=False)

    def _note(self, job: Job, outcomes: Sequence[Outcome], at: float) -> None:
        recipients, note = job.envelope.recipients, self._tracking.note_outcome
        for outcome in outcomes:
            note(job.id, recipients[outcome.recipient].address, outcome, at, outcome.host)

    def _reported(self, job: Job, kind: ReportKind, queue_id: str, at: float) -> None:
        what = "bounced" if kind is ReportKind.FAILURE else "delay reported"
        self._tracking.note_event(job.id, what, f"to {job.envelope.sender} by {queue_id}", at)

    def _respooled(self, queue_id: str, envelope: Envelope, size_bytes: int) -> None:
        """What we write ourselves, or send on for an alias, has its own history, under the same session."""
        origin, to = envelope.origin, [recipient.address for recipient in envelope.recipients]
        self._tracking.note_accepted(
            queue_id,
            origin.session_id,
            origin.virtual_server,
            origin.peer,
            origin.user,
            envelope.sender,
            to,
            size_bytes,
            self._clock(),
        )


def exchangers_of(settings: Settings) -> Exchangers:
    """Who finds the hosts of next hops, and never those that are ourselves."""
    listening = [(end.host, end.port) for server in settings.smtp.values() for end in server.listen]
    own = OwnAddresses(settings.hostname, listening)
    resolver = dns.asyncresolver.Resolver()
    resolver.lifetime = _DNS_SECONDS
    return Exchangers(resolver, own, clock=time.monotonic)


def _mailbox_rules(settings: Settings) -> MailboxRules:
    refuse = settings.mailboxes.when_full is OnFull.REFUSE
    code, enhanced = (552, "5.2.2") if refuse else (452, "4.2.2")
    return MailboxRules(settings.mailboxes.quota_bytes, Problem(code, enhanced, "the mailbox is full"))
