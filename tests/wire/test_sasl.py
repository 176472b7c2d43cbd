"""PLAIN, LOGIN, and what stands between a mechanism and the line."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.secret import Secret
from gatepost.wire.login import LoginClient, LoginServer
from gatepost.wire.mechanisms import client_mechanism, server_mechanism
from gatepost.wire.plain import PlainClient, PlainServer
from gatepost.wire.sasl import (
    Challenge,
    Credentials,
    SaslError,
    SaslFault,
    decode,
    decode_initial,
    encode,
    encode_initial,
)
from gatepost.wire.scram import ChannelBinding
from gatepost.wire.scram_server import ScramOffer

OFFER = ScramOffer(b"n" * 18, b"k" * 32, 4096)
ANN = Credentials("", "ann", Secret("pass word"))


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert decode(encode(data)) == data
    assert decode_initial(encode_initial(data)) == data


@given(st.binary() | st.text("ab=+/\r\n", max_size=9).map(str.encode))
def test_nothing_but_base64_is_decoded(line: bytes) -> None:
    try:
        data = decode(line)
    except SaslError:
        return
    assert base64.b64decode(line, validate=True) == data


@pytest.mark.parametrize(
    "line", [b"a", b"====", b"YQ", b"YQ==YQ==", b"Y Q=", b"YQ==\r", b"=YQ=", b"\xff\xff"]
)
def test_rubbish_is_malformed(line: bytes) -> None:
    with pytest.raises(SaslError) as raised:
        decode(line)
    assert raised.value.fault is SaslFault.MALFORMED


def test_the_equals_sign_is_an_empty_initial_response_only() -> None:
    assert decode_initial(b"=") == b""
    assert decode_initial(None) is None
    with pytest.raises(SaslError):
        decode(b"=")


def test_plain_is_taken_at_once_or_after_an_empty_challenge() -> None:
    assert PlainServer().step(b"\0ann\0pass word") == ANN
    server = PlainServer()
    assert server.step(None) == Challenge(b"")
    assert server.step(b"root\0ann\0pass word") == Credentials("root", "ann", Secret("pass word"))


@pytest.mark.parametrize(
    "message",
    [b"", b"ann", b"\0ann", b"\0\0pw", b"\0ann\0pw\0", b"\0a\xff\0pw", b"\0ann\0\xff", b"\xff\0ann\0pw"],
)
def test_plain_of_another_shape_is_malformed(message: bytes) -> None:
    with pytest.raises(SaslError) as raised:
        PlainServer().step(message)
    assert raised.value.fault is SaslFault.MALFORMED


def test_an_empty_password_is_flagged() -> None:
    for step in (PlainServer().step(b"\0ann\0"), login(b"ann", b"")):
        assert isinstance(step, Credentials)
        assert step.password_empty


def login(name: bytes, password: bytes) -> object:
    server = LoginServer()
    server.step(None)
    server.step(name)
    return server.step(password)


def test_login_has_the_prompts_that_old_firmware_compares() -> None:
    server = LoginServer()
    for response, line in ((None, b"VXNlcm5hbWU6"), (b"ann", b"UGFzc3dvcmQ6")):
        challenge = server.step(response)
        assert isinstance(challenge, Challenge)
        assert encode(challenge.data) == line
    assert server.step(b"pass word") == ANN


def test_login_takes_the_name_with_the_command() -> None:
    server = LoginServer()
    assert server.step(b"ann") == Challenge(b"Password:")
    assert server.step(b"pass word") == ANN


@pytest.mark.parametrize(("name", "password"), [(b"", b"x"), (b"a\0", b"x"), (b"\xff", b"x"), (b"a", b"\0")])
def test_login_of_another_shape_is_malformed(name: bytes, password: bytes) -> None:
    with pytest.raises(SaslError):
        login(name, password)


@pytest.mark.parametrize("client", [PlainClient, LoginClient])
def test_client_and_server_understand_each_other(client: type[PlainClient | LoginClient]) -> None:
    ours = client("ann", Secret("pass word"))
    server = server_mechanism(ours.name, lambda: OFFER)
    assert server is not None
    step = server.step(ours.start())
    while isinstance(step, Challenge):
        step = server.step(ours.step(step.data))
    ours.finish()
    assert step == ANN


def test_a_client_does_not_say_an_empty_password() -> None:
    with pytest.raises(SaslError):
        PlainClient("ann", Secret("")).start()
    client = LoginClient("ann", Secret(""))
    client.step(b"Username:")
    with pytest.raises(SaslError):
        client.step(b"Password:")


@pytest.mark.parametrize(
    ("offered", "encrypted", "bound", "name"),
    [
        (("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), True, True, "SCRAM-SHA-256-PLUS"),
        (("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), True, False, "SCRAM-SHA-256"),
        (("PLAIN", "SCRAM-SHA-256"), False, False, "SCRAM-SHA-256"),
        (("LOGIN", "PLAIN"), True, True, "PLAIN"),
        (("LOGIN",), True, False, "LOGIN"),
        (("LOGIN", "PLAIN"), False, False, None),
        (("GSSAPI",), True, False, None),
    ],
)
def test_the_best_mechanism_is_taken(
    offered: tuple[str, ...], encrypted: bool, bound: bool, name: str | None
) -> None:
    binding = ChannelBinding("tls-exporter", b"x") if bound else None
    client = client_mechanism(
        offered, "ann", Secret("pw"), nonce=b"n" * 18, encrypted=encrypted, binding=binding
    )
    assert (client.name if client else None) == name


@given(
    st.sampled_from(["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]),
    st.lists(st.none() | st.binary(), max_size=4),
)
def test_no_rubbish_does_more_than_fail(name: str, responses: list[bytes | None]) -> None:
    server = server_mechanism(name, lambda: OFFER)
    assert server is not None
    try:
        for response in responses:
            if not isinstance(server.step(response), Challenge):
                break
    except SaslError:
        pass


def test_an_unknown_mechanism_is_none() -> None:
    assert server_mechanism("GSSAPI", lambda: OFFER) is None
