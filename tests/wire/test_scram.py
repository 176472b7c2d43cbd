"""SCRAM-SHA-256 and its -PLUS: both sides against each other, RFC 7677's example, and scramp."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from gatepost.secret import Secret
from gatepost.wire import scram
from gatepost.wire.sasl import Challenge, KeysWanted, Proven, SaslError, SaslFault, Step
from gatepost.wire.saslprep import SaslprepError, saslprep
from gatepost.wire.scram_client import ScramClient
from gatepost.wire.scram_server import ScramOffer, ScramServer

BINDING = {"tls-exporter": b"e" * 32, "tls-server-end-point": b"p" * 32}
OFFER = ScramOffer(b"s" * 18, b"k" * 32, 4096)
PLUS = replace(OFFER, bindings=BINDING, plus_offered=True)


@dataclass(frozen=True, slots=True)
class Keys:
    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def keys_of(password: str, salt: bytes = b"0123456789abcdef", iterations: int = 4096) -> Keys:
    salted = scram.salted_password(saslprep(password), salt, iterations)
    return Keys(salt, iterations, scram.stored_key(scram.client_key(salted)), scram.server_key(salted))


KEYS = keys_of("pencil")  # not compared
ANN = {"ann": keys_of("pencil"), "a=b,c": keys_of("pencil"), "IX": keys_of("pencil")}


def given_keys(step: Step) -> Challenge:
    assert isinstance(step, KeysWanted)
    return step.give([ANN[step.name]] if step.name in ANN else [], [])


def talk(server: ScramServer, client: ScramClient) -> Proven:
    """The whole exchange."""
    challenge = given_keys(server.step(client.start()))
    final = server.step(client.step(challenge.data))
    assert isinstance(final, Challenge)
    proven = server.step(client.step(final.data))
    client.finish()
    assert isinstance(proven, Proven)
    return proven


def client(name: str = "ann", password: str = "pencil", **kw: object) -> ScramClient:
    return ScramClient(name, Secret(password), nonce=b"c" * 18, **kw)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ann", "a=b,c", "I\u00adX"])
def test_who_knows_the_password_is_proven(name: str) -> None:
    assert talk(ScramServer(OFFER, plus=False), client(name)) == Proven("", saslprep(name), KEYS)


@pytest.mark.parametrize("kind", ["tls-exporter", "tls-server-end-point"])
def test_the_channel_is_proven(kind: str) -> None:
    ours = client(binding=scram.ChannelBinding(kind, BINDING[kind]))
    assert ours.name == "SCRAM-SHA-256-PLUS"
    assert talk(ScramServer(PLUS, plus=True), ours) == Proven("", "ann", KEYS)


@pytest.mark.parametrize(
    "binding",
    [
        scram.ChannelBinding("tls-exporter", b"x" * 32),
        scram.ChannelBinding("tls-server-end-point", b"e" * 32),
        scram.ChannelBinding("tls-unique", b"e" * 32),
    ],
)
def test_another_channel_is_refused(binding: scram.ChannelBinding) -> None:
    with pytest.raises(SaslError) as raised:
        talk(ScramServer(PLUS, plus=True), client(binding=binding))
    assert raised.value.fault is SaslFault.CHANNEL


def test_an_offer_that_was_made_smaller_on_its_way_is_seen() -> None:
    with pytest.raises(SaslError) as raised:
        talk(ScramServer(PLUS, plus=False), client(could_bind=True))
    assert raised.value.fault is SaslFault.CHANNEL
    assert talk(ScramServer(OFFER, plus=False), client(could_bind=True)) == Proven("", "ann", KEYS)


def test_mechanism_and_flag_must_agree() -> None:
    with pytest.raises(SaslError):
        ScramServer(PLUS, plus=True).step(client().start())
    with pytest.raises(SaslError):
        ScramServer(PLUS, plus=False).step(
            client(binding=scram.ChannelBinding("tls-exporter", b"e" * 32)).start()
        )


def failure(name: str, password: str) -> tuple[SaslFault, str]:
    with pytest.raises(SaslError) as raised:
        talk(ScramServer(OFFER, plus=False), client(name, password))
    return raised.value.fault, str(raised.value)


def test_an_unknown_name_fails_as_a_wrong_password() -> None:
    assert (
        failure("ann", "pen")
        == failure("nobody", "pencil")
        == (
            SaslFault.REFUSED,
            "SCRAM: the proof is wrong",
        )
    )


def challenge_for(name: str, offer: ScramOffer = OFFER) -> bytes:
    return given_keys(ScramServer(offer, plus=False).step(client(name).start())).data


def test_an_unknown_name_has_a_lasting_salt() -> None:
    assert challenge_for("nobody") == challenge_for("Nobody") != challenge_for("nobody2")
    assert challenge_for("nobody") != challenge_for("nobody", replace(OFFER, unknown_key=b"l" * 32))
    assert len(challenge_for("nobody")) == len(challenge_for("ann"))
    assert challenge_for("nobody").endswith(b",i=4096")


def test_a_server_without_the_keys_is_found_out() -> None:
    ours = client()
    server = ScramServer(OFFER, plus=False)
    first = given_keys(server.step(ours.start()))
    ours.step(first.data)
    for final in (b"v=" + base64.b64encode(b"x" * 32), b"e=other-error", b"", b"v=", b"x"):
        with pytest.raises(SaslError):
            ours.step(final)
    with pytest.raises(SaslError):
        ours.finish()


@pytest.mark.parametrize(
    "first",
    [
        b"r=x,s=MDEyMw==,i=4096",
        b"r=%b,s=MDEyMw==,i=4096",
        b"r=%bz,s=MDEyMw==,i=1",
        b"r=%bz,s=MDEyMw==,i=99999999",
        b"r=%bz,s=,i=4096",
        b"r=%bz,s=MDEyMw==,i=-4096",
        b"m=x,r=%bz,s=MDEyMw==,i=4096",
        b"r=%bz",
        b"\xff",
    ],
)
def test_a_client_does_not_trust_a_bad_first_message(first: bytes) -> None:
    with pytest.raises(SaslError):
        client().step(first.replace(b"%b", base64.b64encode(b"c" * 18)))


@pytest.mark.parametrize(
    "message",
    [
        b"", b"n", b"n,", b"n,,", b"n,,n=ann", b"n,,n=,r=x", b"n,,n=a=b,r=x", b"n,,n=ann,r=", b"n,,r=x,n=ann",
        b"n,,m=1,n=ann,r=x", b"x,,n=ann,r=x", b"p=,,n=ann,r=x", b"p,,n=ann,r=x", b"n=x,,n=ann,r=x",
        b"n,b=c,n=ann,r=x", b"n,,n=ann,r=x,junk", b"n,,n=ann\0,r=x", b"n,,n=\xff,r=x", b"n,,n=\xc2\xad,r=x",
        b"n,,n=a\x07,r=x", b"n,,n=ann,r=\xc3\xa4",
    ],
)  # fmt: skip
def test_a_first_message_of_another_shape_is_malformed(message: bytes) -> None:
    with pytest.raises(SaslError) as raised:
        ScramServer(OFFER, plus=False).step(message)
    assert raised.value.fault is SaslFault.MALFORMED


@given(st.binary(max_size=80) | st.text("cnrp=,biwsAB+/", max_size=60).map(str.encode))
def test_no_last_message_proves_anything_by_chance(message: bytes) -> None:
    server = ScramServer(OFFER, plus=False)
    given_keys(server.step(client().start()))
    with pytest.raises(SaslError):
        server.step(message)
    with pytest.raises(SaslError):
        server.step(message)


def test_a_proof_is_good_for_one_nonce() -> None:
    ours, server = client(), ScramServer(OFFER, plus=False)
    final = ours.step(given_keys(server.step(ours.start())).data)
    other = ScramServer(replace(OFFER, nonce=b"t" * 18), plus=False)
    given_keys(other.step(client().start()))
    with pytest.raises(SaslError):
        other.step(final)


def test_the_authorization_name_is_told() -> None:
    step = ScramServer(OFFER, plus=False).step(b"n,a=bob=2Cx,n=ann,r=x")
    assert isinstance(step, KeysWanted)
    assert (step.authzid, step.name) == ("bob,x", "ann")


def test_the_example_of_the_standard() -> None:
    """RFC 7677 §3; its nonces are not made of octets of ours, so the arithmetic is compared."""
    salted = scram.salted_password("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    spoken = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    )
    key = scram.client_key(salted)
    proof = scram.combined(key, scram.mac(scram.stored_key(key), spoken))
    assert base64.b64encode(proof) == b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    signature = scram.mac(scram.server_key(salted), spoken)
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize(("name", "password"), [("ann", "pencil"), ("a=b,c", "pencil")])
def test_our_server_understands_scramp(name: str, password: str, bound: bool) -> None:
    channel = ("tls-server-end-point", BINDING["tls-server-end-point"]) if bound else None
    mechanism = "SCRAM-SHA-256-PLUS" if bound else "SCRAM-SHA-256"
    theirs = scramp.ScramClient([mechanism], name, password, channel_binding=channel)
    server = ScramServer(PLUS if bound else OFFER, plus=bound)
    theirs.set_server_first(given_keys(server.step(theirs.get_client_first().encode())).data.decode())
    final = server.step(theirs.get_client_final().encode())
    assert isinstance(final, Challenge)
    theirs.set_server_final(final.data.decode())
    assert server.step(b"") == Proven("", name, KEYS)


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("password", ["pencil", "p\u00e4ss w\u00f6rd", "I\u00adX", "\u2168"])
def test_our_client_is_understood_by_scramp(password: str, bound: bool) -> None:
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256-PLUS" if bound else "SCRAM-SHA-256")
    data = BINDING["tls-server-end-point"]
    stored = mechanism.make_auth_info(password)
    theirs = mechanism.make_server(
        lambda _: stored, channel_binding=("tls-server-end-point", data) if bound else None
    )
    binding = scram.ChannelBinding("tls-server-end-point", data) if bound else None
    ours = client(password=password, binding=binding)
    theirs.set_client_first(ours.start().decode())
    theirs.set_client_final(ours.step(theirs.get_server_first().encode()).decode())
    assert ours.step(theirs.get_server_final().encode()) == b""
    ours.finish()


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
    ],
)
def test_saslprep_gives_one_form(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\x07", "\u0627\u0031", "\ue000", "\ud800", "\u0627a\u0627", "\u200e"])
def test_saslprep_prohibits(text: str) -> None:
    with pytest.raises(SaslprepError):
        saslprep(text)


@given(st.text())
def test_saslprep_is_done_once(text: str) -> None:
    try:
        prepared = saslprep(text)
    except SaslprepError:
        return
    assert saslprep(prepared) == prepared
