"""Logins are offered only over a channel that they may be tried over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.policy.login import Channel, LoginRules, login_refused, offered, password_refused
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret

_RULES = LoginRules(("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"))
_CLEAR = Channel(tls=False)
_TLS = Channel(tls=True)
_BOUND = Channel(tls=True, binding=True)


def test_nothing_is_offered_in_clear() -> None:
    assert offered(_RULES, _CLEAR) == ()


def test_channel_binding_is_offered_where_there_is_a_channel() -> None:
    assert offered(_RULES, _TLS) == ("SCRAM-SHA-256", "PLAIN", "LOGIN")
    assert offered(_RULES, _BOUND) == _RULES.mechanisms


def test_auth_in_clear_is_offered_where_it_was_asked_for() -> None:
    rules = LoginRules(("PLAIN", "SCRAM-SHA-256-PLUS"), auth_in_clear=True)
    assert offered(rules, _CLEAR) == ("PLAIN",)


@pytest.mark.parametrize(
    ("mechanism", "rules", "channel", "reason"),
    [
        ("plain", _RULES, _TLS, None),
        ("PLAIN", _RULES, _CLEAR, Reason.AUTH_NEEDS_TLS),
        ("CRAM-MD5", _RULES, _CLEAR, Reason.AUTH_NEEDS_TLS),
        ("CRAM-MD5", _RULES, _TLS, Reason.UNKNOWN_MECHANISM),
        ("SCRAM-SHA-256-PLUS", _RULES, _TLS, Reason.UNKNOWN_MECHANISM),
        ("PLAIN", LoginRules(()), _TLS, Reason.AUTH_NOT_OFFERED),
        ("PLAIN", LoginRules(()), _CLEAR, Reason.AUTH_NOT_OFFERED),
    ],
)
def test_a_login_is_tried_or_told_why_not(
    mechanism: str, rules: LoginRules, channel: Channel, reason: Reason | None
) -> None:
    assert login_refused(mechanism, rules, channel) is reason


@given(
    st.sampled_from(["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "X"]),
    st.lists(st.sampled_from(_RULES.mechanisms), unique=True).map(tuple),
    st.booleans(),
    st.sampled_from([_CLEAR, _TLS, _BOUND]),
)
def test_what_is_offered_is_what_is_tried(
    mechanism: str, mechanisms: tuple[str, ...], in_clear: bool, channel: Channel
) -> None:
    rules = LoginRules(mechanisms, auth_in_clear=in_clear)
    assert (login_refused(mechanism, rules, channel) is None) == (mechanism in offered(rules, channel))


def test_an_empty_password_reaches_nobody() -> None:
    assert password_refused(Secret("")) is Reason.EMPTY_PASSWORD
    assert password_refused(Secret("x")) is None
