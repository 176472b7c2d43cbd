"""A refusal is worded after what was asked for, and its reason is the verdict's."""

from __future__ import annotations

import pytest

from gatepost.policy.access import Answer, Effect, Entry, Right, Verdict, parse_principal
from gatepost.policy.reasons import Reason
from gatepost.policy.refusal import refusal, said


def _denied_to(principal: str) -> Verdict:
    entry = Entry(Effect.DENY, frozenset(Right), parse_principal(principal))
    return Verdict(Answer.NO, Reason.ACCESS_DENIED, entry)


@pytest.mark.parametrize(
    ("right", "code", "words"),
    [
        (Right.CONNECT, 554, "Connections from your address are not accepted"),
        (Right.SUBMIT, 550, "You may not hand in mail here"),
        (Right.RELAY, 550, "Unable to relay for x@else.example"),
        (Right.ANY_SENDER, 550, "x@else.example is not your address"),
        (Right.COLLECT, 550, "You may not collect mail here"),
    ],
)
def test_a_denial_is_said_after_the_right(right: Right, code: int, words: str) -> None:
    told = refusal(right, _denied_to("anyone"), login_would_be_heard=True)
    assert (told.said.code, told.said.words(address="x@else.example")) == (code, words)
    assert told.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize(("right", "code"), [(Right.CONNECT, 421), (Right.SUBMIT, 451), (Right.RELAY, 451)])
def test_a_doubt_is_temporary(right: Right, code: int) -> None:
    told = refusal(right, Verdict(Answer.UNKNOWN, Reason.FACT_UNKNOWN), login_would_be_heard=True)
    assert (told.said.code, told.reason) == (code, Reason.FACT_UNKNOWN)


def test_a_stranger_is_told_to_log_in_where_that_would_help() -> None:
    nobody_spoke = Verdict(Answer.NO, Reason.SUBMIT_DENIED)
    assert refusal(Right.SUBMIT, nobody_spoke, login_would_be_heard=True).reason is Reason.AUTH_REQUIRED
    assert refusal(Right.SUBMIT, nobody_spoke).reason is Reason.SUBMIT_DENIED
    helped = refusal(Right.SUBMIT, _denied_to("anonymous"), login_would_be_heard=True)
    assert helped.reason is Reason.AUTH_REQUIRED
    denied = refusal(Right.SUBMIT, _denied_to("net:192.0.2.0/24"), login_would_be_heard=True)
    assert denied.reason is Reason.ACCESS_DENIED


def test_a_yes_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="no refusal"):
        refusal(Right.SUBMIT, Verdict(Answer.YES, Reason.ALLOWED))


def test_why_a_login_failed_stays_here() -> None:
    assert said(Reason.ACCOUNT_DISABLED) == said(Reason.WRONG_PASSWORD) == said(Reason.UNKNOWN_USER)
