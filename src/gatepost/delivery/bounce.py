"""Which reports are owed to a sender, and their way into the spool (RFC 3461 §4.1, §5.2; RFC 3464).

A report goes with the null sender, through the same spool as every message. Nothing is ever reported to
the null sender: a report about a report would go round for ever (RFC 5321 §6.1).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum

from gatepost.delivery.respool import Respool
from gatepost.mail.envelope import Body, Envelope, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.mail.report import Subject, bounce, delay_warning
from gatepost.store.job import Job
from gatepost.wire.dots import stuff, unstuff

# A larger message is returned by its header alone, whatever RET says: nobody needs it twice.
_FULL_LIMIT_BYTES = 1 << 20


class Kind(Enum):
    """What a report tells; the value is the word in NOTIFY."""

    FAILURE = "FAILURE"
    DELAY = "DELAY"


_ABOUT = {
    Kind.FAILURE: Disposition.FAILED,
    Kind.DELAY: Disposition.DEFERRED,
}


def wants(recipient: Recipient, kind: Kind) -> bool:
    """Whether the sender wants such a report: failures and delays when no NOTIFY says (RFC 3461 §5.2.1)."""
    return recipient.notify is None or kind.value in recipient.notify.upper().split(",")


def owed(envelope: Envelope, outcomes: Sequence[Outcome], kind: Kind) -> list[Outcome]:
    """The outcomes that such a report must tell; none when none is owed."""
    if envelope.sender is None:
        return []
    return [
        outcome
        for outcome in outcomes
        if outcome.disposition is _ABOUT[kind] and wants(envelope.recipients[outcome.recipient], kind)
    ]


class Reporter:
    """Makes reports in the name of `hostname` and spools them. `token` gives a new random word each time."""

    def __init__(
        self, hostname: str, respool: Respool, *, give_up_seconds: float, token: Callable[[], str]
    ) -> None:
        self._hostname = hostname
        self._respool = respool
        self._give_up_seconds = give_up_seconds
        self._token = token

    async def report(self, job: Job, kind: Kind, outcomes: Sequence[Outcome], now: float) -> str:
        """The report is durable; its queue id.

        Raises:
            SpoolError, OSError: it is not, or the message could not be read.
        """
        subject = self._subject(job, now)
        if kind is Kind.FAILURE:
            content = bounce(subject, outcomes)
        else:
            until = datetime.fromtimestamp(job.accepted_at + self._give_up_seconds, UTC)
            content = delay_warning(subject, outcomes, until=until)
        return await self._respool.put(_envelope(job.envelope, subject.now), _once(stuff(content)))

    def _subject(self, job: Job, now: float) -> Subject:
        envelope = job.envelope
        if envelope.ret == "FULL" and job.size_bytes <= _FULL_LIMIT_BYTES:
            original = unstuff(job.content())
        else:
            envelope, original = replace(envelope, ret="HDRS"), unstuff(job.header_bytes)
        return Subject(
            envelope,
            job.id,
            self._hostname,
            original,
            arrival=envelope.origin.received_at,
            now=datetime.fromtimestamp(now, UTC),
            token=self._token(),
        )


def _envelope(original: Envelope, now: datetime) -> Envelope:
    """From nobody to the sender; its own clock starts now."""
    if original.sender is None:
        raise ValueError("nobody is owed a report")
    return Envelope(
        None,
        (Recipient(original.sender),),
        replace(original.origin, user=None, received_at=now),
        Body.EIGHT_BIT,
        smtputf8=original.smtputf8,
    )


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
