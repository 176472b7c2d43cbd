"""The server's side of GSSAPI, over a context that is scripted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.wire.gssapi import TOKEN_BYTES, GssapiServer, GssError
from gatepost.wire.sasl import Challenge, SaslError, SaslFault, Vouched

GROUPS = frozenset({"S-1-5-21-1"})


@dataclass
class Context:
    """Takes the tokens t1, t2, ...; after `rounds` of them it is established. Wrapping puts a W in front."""

    rounds: int = 1
    last: bytes = b""
    complete: bool = False
    initiator: str = "REALM\\alice"
    groups: frozenset[str] = GROUPS

    def step(self, token: bytes) -> bytes:
        if not token.startswith(b"t"):
            raise GssError("no token of ours")
        self.rounds -= 1
        self.complete = self.rounds <= 0
        return self.last if self.complete else b"more"

    def wrap(self, message: bytes) -> bytes:
        return b"W" + message

    def unwrap(self, message: bytes) -> bytes:
        if not message.startswith(b"W"):
            raise GssError("not wrapped")
        return message[1:]


AGREED = b"W\1\0\0\0"


def test_a_client_is_vouched_for_when_it_agreed_to_no_layer() -> None:
    server = GssapiServer(Context())
    assert server.step(b"t1") == Challenge(AGREED)
    assert server.step(AGREED) == Vouched("", "REALM\\alice", GROUPS)


def test_tokens_go_on_until_the_context_is_there() -> None:
    server = GssapiServer(Context(rounds=3, last=b"last"))
    assert server.step(None) == Challenge(b"")
    assert server.step(b"t1") == Challenge(b"more")
    assert server.step(b"t2") == Challenge(b"more")
    assert server.step(b"t3") == Challenge(b"last")
    assert server.step(b"") == Challenge(AGREED)
    assert server.step(AGREED + b"alice") == Vouched("alice", "REALM\\alice", GROUPS)


@pytest.mark.parametrize(
    "answer", [b"W", b"W\1\0\0", b"W\2\0\0\0", b"W\4\0\xff\xff", b"W\1\0\0\0\xff", b"W\1\0\0\0a\0b"]
)
def test_what_was_not_offered_is_refused(answer: bytes) -> None:
    server = GssapiServer(Context())
    server.step(b"t1")
    with pytest.raises(SaslError) as caught:
        server.step(answer)
    assert caught.value.fault is SaslFault.MALFORMED


@pytest.mark.parametrize("responses", [[b"x"], [b"t1", b"\1\0\0\0"], [b""]])
def test_what_the_context_refuses_proves_nothing(responses: list[bytes]) -> None:
    server = GssapiServer(Context())
    for response in responses[:-1]:
        server.step(response)
    with pytest.raises(SaslError) as caught:
        server.step(responses[-1])
    assert caught.value.fault is SaslFault.REFUSED


def test_a_token_behind_the_last_one_is_refused() -> None:
    server = GssapiServer(Context(last=b"last"))
    server.step(b"t1")
    with pytest.raises(SaslError):
        server.step(b"t2")
    with pytest.raises(SaslError):
        GssapiServer(Context()).step(b"t" * (TOKEN_BYTES + 1))


@given(st.lists(st.one_of(st.none(), st.binary(max_size=20)), max_size=6), st.integers(1, 3), st.booleans())
def test_any_responses_end_in_an_answer_or_a_refusal(
    responses: list[bytes | None], rounds: int, last: bool
) -> None:
    server = GssapiServer(Context(rounds=rounds, last=b"last" if last else b""))
    for response in responses:
        try:
            step = server.step(response)
        except SaslError:
            return
        assert isinstance(step, Challenge | Vouched)
