"""The table is the law: what it says, and what it must never say."""

from __future__ import annotations

import pytest

from gatepost.pop3.state import TABLE, LocalProtocolError, Sign, State, Verb, after, may_come

MAIL_VERBS = (Verb.STAT, Verb.LIST, Verb.RETR, Verb.TOP, Verb.UIDL, Verb.DELE, Verb.RSET, Verb.NOOP)
BEFORE_LOGIN = (State.AUTHORIZATION, State.NAMED, State.AUTHENTICATING, State.SECURING)


@pytest.mark.parametrize("state", [state for state in State if state is not State.TRANSACTION])
def test_mail_is_seen_in_transaction_alone(state: State) -> None:
    assert not any(may_come(state, verb) for verb in MAIL_VERBS)


def test_only_a_proven_login_leads_into_transaction() -> None:
    ways = {
        (state, verb, sign)
        for (state, verb, sign), then in TABLE.items()
        if then is State.TRANSACTION and state is not State.TRANSACTION
    }
    assert ways == {
        (State.NAMED, Verb.PASS, Sign.OK),
        (State.NAMED, Verb.AUTH, Sign.OK),
        (State.AUTHORIZATION, Verb.AUTH, Sign.OK),
        (State.AUTHENTICATING, Verb.RESPONSE, Sign.OK),
    }


def test_update_is_entered_by_quit_alone() -> None:
    ways = {key for key, then in TABLE.items() if then is State.UPDATE}
    assert ways == {(State.TRANSACTION, Verb.QUIT, Sign.ASKED)}


def test_nothing_follows_the_end() -> None:
    assert not any(state is State.CLOSED for state, _verb, _sign in TABLE)


def test_tls_is_started_before_login_alone() -> None:
    assert {state for state in State if may_come(state, Verb.STLS)} == {State.AUTHORIZATION, State.NAMED}


@pytest.mark.parametrize("state", BEFORE_LOGIN)
def test_a_refusal_never_logs_anybody_in(state: State) -> None:
    for verb in Verb:
        assert TABLE.get((state, verb, Sign.ERR)) is not State.TRANSACTION


def test_every_state_can_be_reached() -> None:
    reached = {State.GREETING}
    while more := {then for (state, _v, _s), then in TABLE.items() if state in reached} - reached:
        reached |= more
    assert reached == set(State)


def test_an_answer_outside_the_table_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError):
        after(State.TRANSACTION, Verb.QUIT, Sign.CONTINUE)
