"""The part of a message that goes to one next hop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.delivery.nexthop import NextHop
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.spool import Job

_TEXT_LIMIT = 500


class Errand:
    """One attempt at a job: `open_parcels` are under way, `outcomes` are known so far.

    `turn_seconds` is set when some recipients' turn did not come: after so long it does.
    """

    __slots__ = ("job", "open_parcels", "outcomes", "turn_seconds")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.open_parcels = 1
        self.outcomes: list[Outcome] = []
        self.turn_seconds = 0.0


class Parcel:
    """Those recipients of a job, by index, that go to `hop`.

    `handed_back` counts how often a connection ended before the message was offered, so that such a
    parcel is not passed from connection to connection for ever.
    """

    __slots__ = ("errand", "handed_back", "hop", "job", "recipients")

    def __init__(self, errand: Errand, recipients: Sequence[int], hop: NextHop) -> None:
        self.errand = errand
        self.job = errand.job
        self.recipients = recipients
        self.hop = hop
        self.handed_back = 0

    def all(self, problem: Problem, host: str | None = None) -> list[Outcome]:
        """The same outcome for every recipient."""
        kind, text = problem.disposition, clean(problem.text)
        return [Outcome(r, kind, problem.code, problem.enhanced, text, host) for r in self.recipients]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing could be handed over: for now (`code` 4xx) or for good (5xx)."""

    code: int
    enhanced: str
    text: str

    @property
    def disposition(self) -> Disposition:
        return Disposition.FAILED if self.code >= 500 else Disposition.DEFERRED


def clean(text: str) -> str:
    """A peer's words, fit for log, queue and report: at most 500 characters, all of them printable."""
    if len(text) > _TEXT_LIMIT:
        text = text[:_TEXT_LIMIT] + "..."
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)
