from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.smtp.command import StartTls
from gatepost.smtp.error import LocalProtocolError
from gatepost.smtp.event import NEED_DATA, BadCommand, Chunk, Closed, Content, TooManyErrors
from gatepost.smtp.reply import Reply
from gatepost.smtp.server import Server
from gatepost.smtp.state import TABLE, TOLERATED, State, Verb

LINES = {
    Verb.HELO: b"EHLO a\r\n",
    Verb.STARTTLS: b"STARTTLS\r\n",
    Verb.AUTH: b"AUTH PLAIN\r\n",
    Verb.MAIL: b"MAIL FROM:<a@b>\r\n",
    Verb.RCPT: b"RCPT TO:<a@b>\r\n",
    Verb.DATA: b"DATA\r\n",
    Verb.BDAT: b"BDAT 3\r\nx\r\n",
    Verb.LAST: b"BDAT 3 LAST\r\nx\r\n",
    Verb.RSET: b"RSET\r\n",
    Verb.NOOP: b"NOOP\r\n",
    Verb.VRFY: b"VRFY a\r\n",
    Verb.EXPN: b"EXPN a\r\n",
    Verb.HELP: b"HELP\r\n",
    Verb.QUIT: b"QUIT\r\n",
}
HI = Reply(220, None, ("hi",))


def test_every_state_has_its_rows_and_every_row_a_refusal() -> None:
    assert set(TABLE) == set(State)
    for row in TABLE.values():
        for outcomes in row.values():
            assert {4, 5} <= set(outcomes) <= {2, 3, 4, 5}


def test_a_refusal_moves_nothing_but_where_the_standards_say_so() -> None:
    moved = {
        (state, verb)
        for state, row in TABLE.items()
        for verb, outcomes in row.items()
        if outcomes[5] is not state
    }
    assert moved == {
        (State.NEW, Verb.GREETING),
        (State.AUTH, Verb.RESPONSE),
        (State.DATA, Verb.CONTENT),
        (State.RCPT, Verb.BDAT),
        (State.CHUNK, Verb.BDAT),
        (State.RCPT, Verb.LAST),
        (State.CHUNK, Verb.LAST),
    }


def test_every_state_is_reached_and_all_but_the_last_are_left() -> None:
    reached = {after for row in TABLE.values() for outcomes in row.values() for after in outcomes.values()}
    assert reached == set(State) - {State.NEW}
    assert {state for state, row in TABLE.items() if not row} == {State.TLS, State.CLOSED}


def test_what_a_client_tolerates_is_in_no_row() -> None:
    for state, row in TOLERATED.items():
        for verb in row:
            assert verb not in TABLE[state]


class Walk:
    """A server core under random commands; every reply is what `digits` say."""

    def __init__(self) -> None:
        self.core = Server("mx.test", error_limit=1000)
        self.core.greeting(HI)

    def say(self, verb: Verb, digit: int, *, ahead: bytes = b"") -> None:
        core = self.core
        state = core.state
        if state is State.TLS:
            core.tls_started()
            return
        inside = {State.AUTH: b"eA==\r\n", State.DATA: b"x\r\n.\r\n"}
        asked = {State.AUTH: Verb.RESPONSE, State.DATA: Verb.CONTENT}.get(state, verb)
        core.feed(inside.get(state, LINES[verb]) + ahead)
        events = []
        while not core.awaits_reply and (event := core.next_event()) is not NEED_DATA:
            events.append(event)
            if isinstance(event, Closed):
                assert state is State.CLOSED
                return
        self._answer(events[-1], asked, state, digit)

    def _answer(self, event: object, asked: Verb, state: State, digit: int) -> None:
        core = self.core
        assert core.next_event() is NEED_DATA
        outcomes = TABLE[state].get(asked)
        if isinstance(event, BadCommand):
            twice = (asked is Verb.AUTH and core.conditions.authenticated) or (
                asked is Verb.STARTTLS and core.conditions.tls
            )
            assert outcomes is None or twice
            assert event.reply.code in (503, 554)
            core.reply(event.reply)
            assert core.state is state
            return
        assert outcomes is not None
        code = {2: 250, 3: 354, 4: 450, 5: 550}[digit]
        if digit not in outcomes:
            with pytest.raises(LocalProtocolError):
                core.reply(Reply(code, None, ("x",)))
            code = 450
        assert core.reply(Reply(code, None, ("x",))).count(b"\r\n") == 1
        assert core.state is outcomes[code // 100]
        with pytest.raises(LocalProtocolError):
            core.reply(Reply(code, None, ("x",)))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(sorted(LINES)), st.sampled_from((2, 2, 2, 3, 4, 5)))))
def test_the_server_obeys_the_table(steps: list[tuple[Verb, int]]) -> None:
    walk = Walk()
    for verb, digit in steps:
        walk.say(verb, digit)


@given(st.lists(st.sampled_from(sorted(LINES)), max_size=30), st.data())
def test_a_batch_gets_one_reply_a_command(verbs: list[Verb], data: st.DataObject) -> None:
    """However it is cut and whatever is answered."""
    stream = b"".join(LINES[verb] for verb in verbs if verb not in (Verb.STARTTLS, Verb.AUTH, Verb.DATA))
    core = Server("mx.test", error_limit=1000)
    core.greeting(HI)
    asked = answered = 0
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        core.feed(stream[:cut])
        stream = stream[cut:]
        while not isinstance(event := core.next_event(), Closed) and event is not NEED_DATA:
            if isinstance(event, Content | Chunk):
                continue
            assert not isinstance(event, StartTls | TooManyErrors)
            asked += 1
            code = 503 if isinstance(event, BadCommand) else data.draw(st.sampled_from((250, 451, 550)))
            answered += core.reply(Reply(code, None, ("x",))).count(b"\r\n")
    said = [verb for verb in verbs if verb not in (Verb.STARTTLS, Verb.AUTH, Verb.DATA)]
    assert asked == answered
    assert asked == len(said) or (core.closed and asked < len(said))
