"""What the tracking tells, and what it can be asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackedOutcome:
    """What became of one recipient at one attempt. `at` is Unix seconds."""

    recipient: str
    disposition: str
    code: int
    enhanced: str
    text: str
    next_hop: str | None
    at: float


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """A message that was taken in. The null sender is an empty text. `at` is Unix seconds."""

    queue_id: str
    session: str
    virtual_server: str
    peer: str
    user: str | None
    sender: str
    recipients: tuple[str, ...]
    size_bytes: int
    at: float
    outcomes: tuple[TrackedOutcome, ...]
    subject: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class TrackedRefusal:
    """Something that was refused, with the stage, the reason and the reply sent."""

    session: str
    virtual_server: str
    peer: str
    user: str | None
    stage: str
    reason: str
    sender: str
    recipient: str | None
    reply: str
    at: float
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for; None does not narrow. Addresses compare without regard to case.

    `said` is words of the next hop's answers, all of them. `outcome` is what became of a recipient at some
    attempt (`failed`), or was done with the message (`held`, `bounced`). `limit` is on messages and on
    refusals each, the newest of them.
    """

    session: str | None = None
    queue_id: str | None = None
    sender: str | None = None
    recipient: str | None = None
    user: str | None = None
    device: str | None = None
    peer: str | None = None
    reason: str | None = None
    said: str | None = None
    outcome: str | None = None
    since: float | None = None
    before: float | None = None
    limit: int = 100
