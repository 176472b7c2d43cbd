"""OAUTHBEARER and XOAUTH2: what is read, what is said, and that both sides understand each other."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.secret import Secret
from gatepost.wire.bearer import BearerClient, BearerServer
from gatepost.wire.external import ExternalServer
from gatepost.wire.sasl import Bearer, Challenge, External, SaslError, SaslFault

ADVICE = {"scope": "mail", "openid-configuration": "https://id.example/.well-known/openid-configuration"}
NAMES = ["OAUTHBEARER", "XOAUTH2"]


def server(name: str) -> BearerServer:
    return BearerServer(name, ADVICE)


@pytest.mark.parametrize("name", NAMES)
@given(user=st.text(st.characters(exclude_characters="\x00\x01", exclude_categories=["Cs"]), min_size=1))
def test_both_sides_understand_each_other(name: str, user: str) -> None:
    client = BearerClient(name, user, Secret("ab.cd.ef"))
    step = server(name).step(client.start() or client.step(b""))
    assert isinstance(step, Bearer)
    assert (step.authzid, step.token.reveal()) == (user, "ab.cd.ef")
    assert client.step(b"") == client._message()
    client.finish()


def test_the_rfc_s_example_is_read() -> None:
    message = (
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmT\x01\x01"
    )
    step = server("OAUTHBEARER").step(message)
    assert isinstance(step, Bearer)
    assert (step.authzid, step.token.reveal()) == ("user@example.com", "vF9dft4qmT")


def test_nobody_and_nothing_may_be_said() -> None:
    step = server("OAUTHBEARER").step(b"n,,\x01auth=\x01\x01")
    assert isinstance(step, Bearer)
    assert step.authzid == ""
    assert not step.token
    assert server("XOAUTH2").step(None) == Challenge(b"")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("OAUTHBEARER", b""),
        ("OAUTHBEARER", b"n,a=x,"),
        ("OAUTHBEARER", b"p=tls-exporter,,\x01auth=Bearer x\x01\x01"),
        ("OAUTHBEARER", b"n,x=y,\x01auth=Bearer x\x01\x01"),
        ("OAUTHBEARER", b"n,a=x,\x01auth=Basic x\x01\x01"),
        ("OAUTHBEARER", b"n,a=x,\x01auth=Bearer x\x01"),
        ("OAUTHBEARER", b"n,a==,\x01auth=Bearer x\x01\x01"),
        ("OAUTHBEARER", b"n,a=x,\x01auth=Bearer x\x01auth=Bearer y\x01\x01"),
        ("XOAUTH2", b"user=\x01auth=Bearer x\x01\x01"),
        ("XOAUTH2", b"auth=Bearer x\x01\x01"),
        ("XOAUTH2", b"user=x\x01nonsense\x01\x01"),
        ("XOAUTH2", b"user=\xff\x01\x01"),
        ("XOAUTH2", b"user=a\x00b\x01auth=Bearer x\x01\x01"),
    ],
)
def test_anything_else_is_malformed(name: str, message: bytes) -> None:
    with pytest.raises(SaslError) as caught:
        server(name).step(message)
    assert caught.value.fault is SaslFault.MALFORMED


@pytest.mark.parametrize("name", NAMES)
@given(message=st.binary(max_size=80))
def test_no_octets_make_reading_fail_otherwise(name: str, message: bytes) -> None:
    with contextlib.suppress(SaslError):
        server(name).step(message)


def test_a_bad_token_is_told_what_a_good_one_is() -> None:
    assert json.loads(server("OAUTHBEARER").refusal().data) == {"status": "invalid_token", **ADVICE}
    assert json.loads(server("XOAUTH2").refusal().data) == {"status": "401", "schemes": "bearer", **ADVICE}


@pytest.mark.parametrize(("name", "answer"), [("OAUTHBEARER", b"\x01"), ("XOAUTH2", b"")])
def test_the_client_answers_a_refusal_with_nothing_in_particular(name: str, answer: bytes) -> None:
    client = BearerClient(name, "bob", Secret("x"))
    client.start()
    assert client.step(b'{"status":\n"401"}') == answer
    assert client.reason == '{"status": "401"}'
    with pytest.raises(SaslError):
        client.step(b"more")


def test_a_long_token_does_not_go_with_the_command() -> None:
    client = BearerClient("XOAUTH2", "bob", Secret("x" * 1000))
    assert client.start() is None
    assert b"x" * 1000 in client.step(b"")


def test_external_says_whom_it_wants_to_be() -> None:
    assert ExternalServer().step(None) == Challenge(b"")
    assert ExternalServer().step(b"") == External("")
    assert ExternalServer().step("bób".encode()) == External("bób")
    with pytest.raises(SaslError):
        ExternalServer().step(b"a\x00b")
