"""What a peer is told when the access table did not say yes. Pure.

The reason is the same wherever it is shown; the code and the words depend on what was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gatepost.policy.access import NOBODY_SPOKE, Answer, Right, Verdict
from gatepost.policy.principal import Kind
from gatepost.policy.reasons import REPLIES, Reason, Said


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason` goes into log, metric and reply; `said` is the reply without its bracket."""

    reason: Reason
    said: Said


def refusal(right: Right, verdict: Verdict, *, login_would_be_heard: bool = False) -> Refusal:
    """What to say for a verdict that is not yes.

    `login_would_be_heard`: nobody is logged in and this virtual server offers AUTH, now or after
    STARTTLS: then a stranger who may not hand in mail is told to log in (RFC 4954 §6).

    Raises:
        ValueError: the verdict is a yes.
    """
    if verdict.allowed:
        raise ValueError("a yes is no refusal")
    if right is Right.SUBMIT and login_would_be_heard and _strangers_only(verdict):
        return Refusal(Reason.AUTH_REQUIRED, REPLIES[Reason.AUTH_REQUIRED])
    return Refusal(verdict.reason, said(verdict.reason, right))


def _strangers_only(verdict: Verdict) -> bool:
    """Whether a login could change the answer."""
    if verdict.answer is not Answer.NO:
        return False
    return verdict.entry is None or verdict.entry.to.kind is Kind.ANONYMOUS


def said(reason: Reason, right: Right | None = None) -> Said:
    """The reply for a reason; a denial and a doubt are worded after the right that was asked for."""
    shown = reason.shown
    if right is not None and shown is Reason.ACCESS_DENIED:
        return REPLIES[NOBODY_SPOKE[right]]
    if right is not None and shown is Reason.FACT_UNKNOWN:
        return _DOUBTS.get(right, REPLIES[shown])
    return REPLIES[shown]


_DOUBT = REPLIES[Reason.FACT_UNKNOWN]
_DOUBTS = {
    # A 451 is no greeting: RFC 5321 §3.1 lets a connection open with 220, 421 or 554 alone.
    Right.CONNECT: replace(_DOUBT, code=421),
    Right.RELAY: replace(
        _DOUBT, text="Unable to tell now whether relaying for {address} is permitted, try later"
    ),
}
