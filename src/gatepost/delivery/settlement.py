"""What follows when an attempt at a message is over: record it, try again, give up, owe a report.

A report is durable before its failure is recorded: a crash between the two repeats it, never loses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from gatepost.delivery.bounce import Kind, Reporter, owed
from gatepost.delivery.parcel import Errand
from gatepost.delivery.retry import Schedule, Verdict, after_deferral
from gatepost.log import Log
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.failure import SpoolError
from gatepost.store.job import Job

_REPORT_RETRY_SECONDS = 900.0


class Record(Protocol):
    """The spool's side of an attempt."""

    def record(
        self, job: Job, outcomes: Sequence[Outcome], *, retry_at: float | None, warned: bool = False
    ) -> None: ...

    def put_back(self, job: Job) -> None: ...


Note = Callable[[Job, Sequence[Outcome], float], None]
Reported = Callable[[Job, Kind, str, float], None]


class Settlement:
    """Closes errands. `note` is tracking, `reported` hears of reports by their ids; `clock` is Unix seconds;
    `jitter` gives numbers in [0, 1).

    `stopping`: what was not tried is not recorded, but left as it was.
    """

    def __init__(
        self,
        spool: Record,
        reporter: Reporter,
        schedule: Schedule,
        *,
        note: Note,
        reported: Reported,
        log: Log,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._spool = spool
        self._reporter = reporter
        self._schedule = schedule
        self._note = note
        self._reported = reported
        self._log = log
        self._clock = clock
        self._jitter = jitter
        self.stopping = False
        self._reporting: set[asyncio.Task[None]] = set()

    def part(self, errand: Errand, outcomes: Sequence[Outcome]) -> None:
        """Recipients that have the message are recorded, while others are still under way."""
        done = [outcome for outcome in outcomes if outcome.disposition in _HANDED_OVER]
        if done and len(done) < len(errand.job.remaining):
            self._spool.record(errand.job, done, retry_at=None)

    def close(self, errand: Errand) -> None:
        """The attempt is recorded, or will be as soon as its reports are durable."""
        job, outcomes = errand.job, errand.outcomes
        now = self._clock()
        if not errand.turn_seconds:
            for outcome in outcomes:
                if outcome.disposition not in _HANDED_OVER:
                    break
            else:
                self._spool.record(job, outcomes, retry_at=None)
                self._tell(job, outcomes, now)
                return
        if not outcomes:
            self._not_tried(errand, now)
            return
        self._close_rest(errand, now)

    async def finish(self) -> None:
        """Every report that is owed is durable."""
        while self._reporting:
            await asyncio.gather(*self._reporting, return_exceptions=True)

    def _not_tried(self, errand: Errand, now: float) -> None:
        job = errand.job
        if self.stopping:
            self._spool.put_back(job)
            return
        # record counts an attempt, and there was none
        job.attempts -= 1
        self._spool.record(job, (), retry_at=now + errand.turn_seconds)

    def _close_rest(self, errand: Errand, now: float) -> None:
        """Somebody did not get the message: try again or give up, and tell the sender what is owed."""
        job = errand.job
        verdict = self._verdict(errand, now)
        outcomes = errand.outcomes
        if verdict.retry_at is None:
            outcomes = [_given_up(outcome, self._schedule) for outcome in outcomes]
        reports = {Kind.FAILURE: owed(job.envelope, outcomes, Kind.FAILURE)}
        if verdict.warning_owed:
            reports[Kind.DELAY] = owed(job.envelope, outcomes, Kind.DELAY)
        if any(reports.values()):
            task = asyncio.get_running_loop().create_task(self._report(job, outcomes, reports, verdict))
            self._reporting.add(task)
            task.add_done_callback(self._reporting.discard)
        else:
            self._spool.record(job, outcomes, retry_at=verdict.retry_at, warned=verdict.warning_owed)
            self._tell(job, outcomes, now)

    def _verdict(self, errand: Errand, now: float) -> Verdict:
        job = errand.job
        if not errand.turn_seconds and all(o.disposition.is_final for o in errand.outcomes):
            return Verdict(None)
        verdict = after_deferral(
            self._schedule,
            attempts=job.attempts + 1,
            accepted_at=job.accepted_at,
            now=now,
            warned=job.warned,
            jitter=self._jitter(),
        )
        if errand.turn_seconds:
            return replace(verdict, retry_at=now + errand.turn_seconds)
        return verdict

    async def _report(
        self, job: Job, outcomes: list[Outcome], reports: dict[Kind, list[Outcome]], verdict: Verdict
    ) -> None:
        now = self._clock()
        retry_at, warned = verdict.retry_at, verdict.warning_owed
        try:
            for kind, about in reports.items():
                if about:
                    self._reported(job, kind, await self._reporter.report(job, kind, about, now), now)
        except (SpoolError, OSError, ValueError) as error:
            # what failed stays in the queue until its sender can be told
            self._log.error("report-not-spooled", id=job.id, problem=f"{type(error).__name__}: {error}")
            outcomes = [o for o in outcomes if o.disposition is not Disposition.FAILED]
            retry_at, warned = now + _REPORT_RETRY_SECONDS, False
        self._spool.record(job, outcomes, retry_at=retry_at, warned=warned)
        self._tell(job, outcomes, now)

    def _tell(self, job: Job, outcomes: Sequence[Outcome], now: float) -> None:
        """One log line a message, and one note for tracking."""
        self._note(job, outcomes, now)
        if not outcomes:
            return
        worst = outcomes[0]
        if len(outcomes) > 1:
            worst = max(outcomes, key=lambda outcome: _SEVERITY[outcome.disposition])
        sender = job.envelope.sender
        self._log.event(
            _EVENTS[worst.disposition],
            id=job.id,
            sender="<>" if sender is None else f"{sender.local}@{sender.domain}",
            rcpt=job.envelope.recipients[worst.recipient].address,
            count=len(outcomes),
            host=worst.host,
            code=worst.code,
            status=worst.enhanced,
            reply=worst.text,
        )


def _given_up(outcome: Outcome, schedule: Schedule) -> Outcome:
    if outcome.disposition is not Disposition.DEFERRED:
        return outcome
    hours = schedule.give_up_seconds / 3600
    return replace(
        outcome, disposition=Disposition.FAILED, text=f"given up after {hours:.0f} hours: {outcome.text}"
    )


_HANDED_OVER = (Disposition.RELAYED, Disposition.DELIVERED)
_SEVERITY = {
    Disposition.DELIVERED: 0,
    Disposition.RELAYED: 1,
    Disposition.DEFERRED: 2,
    Disposition.FAILED: 3,
}
_EVENTS = {
    Disposition.DELIVERED: "message-delivered",
    Disposition.RELAYED: "message-relayed",
    Disposition.DEFERRED: "message-deferred",
    Disposition.FAILED: "message-failed",
}
