"""Programs that people send mail with log in, relay when they may, and are told why when they may not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from live.authority import Authority
from live.clients import CLIENTS, Client, Letter, installed
from live.conftest import why_missing
from live.gate import ANN, BOB, Gate, User, route
from live.postfix import below_trace
from live.sink import Sink

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-clients")]

CONTENT = (
    b"From: Ann <ann@local.example>\r\n"
    b"To: you@elsewhere.example\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <letter@client.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b"Sch\xc3\xb6ne Gr\xc3\xbc\xc3\x9fe\r\n"
    b".a dot\r\n"
    b"..two dots\r\n"
    b".\tdot and tab\r\n"
    b"\r\n" + b"x" * 998 + b"\r\n"
    b"end\r\n"
)
ELSEWHERE = "you@elsewhere.example"
WAYS = [
    pytest.param(
        client, mechanism, implicit, id=f"{client.name}-{mechanism}-{'tls' if implicit else 'starttls'}"
    )
    for client in CLIENTS
    for mechanism in client.mechanisms
    for implicit in (False, True)
]
ONE_WAY_EACH = [pytest.param(client, id=client.name) for client in CLIENTS]


@pytest.fixture(scope="module")
def sink(make_sink: Callable[..., Sink]) -> Sink:
    return make_sink()


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], sink: Sink) -> Gate:
    return make_gate(route(f"smtp://{sink.host}:{sink.port}"))


@pytest.fixture
def letter(gate: Gate, authority: Authority, tmp_path: Path) -> Letter:
    content = tmp_path / "letter.eml"
    content.write_bytes(CONTENT)
    return Letter(gate.host, False, authority.ca_file, ANN, ELSEWHERE, content)


def _need(client: Client) -> None:
    if not installed(client):
        pytest.skip(why_missing(client.program))


def _from_bob(letter: Letter) -> Letter:
    letter.content.write_bytes(CONTENT.replace(b"Ann <ann@", b"Bob <bob@"))
    return dataclasses.replace(letter, user=BOB)


@pytest.mark.parametrize(("client", "mechanism", "implicit_tls"), WAYS)
def test_a_members_mail_is_relayed_byte_for_byte(
    client: Client, mechanism: str, implicit_tls: bool, letter: Letter, sink: Sink
) -> None:
    _need(client)
    before = len(sink.messages)
    letter = dataclasses.replace(letter, mechanism=mechanism, implicit_tls=implicit_tls)
    result = client.send(letter)
    assert result.taken, result.text
    found = sink.wait_for_count(before + 1)[before]
    assert (found.sender, found.recipients) == (ANN.address, (ELSEWHERE,))
    assert below_trace(found.content) == CONTENT
    trace = found.content.removesuffix(CONTENT).replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
    assert trace.count(b"Received:") == 1
    assert b"with ESMTPSA" in trace


@pytest.mark.parametrize("client", ONE_WAY_EACH)
def test_who_is_not_in_the_group_is_refused_with_the_reason(
    client: Client, letter: Letter, sink: Sink
) -> None:
    _need(client)
    before = len(sink.messages)
    result = client.send(_from_bob(letter))
    assert not result.taken
    # curl says the code alone, and the text only in its talkative mode: it is on, so both stand there.
    assert f"Unable to relay for {ELSEWHERE}" in result.text
    assert "[relay-denied " in result.text
    assert "550" in result.text
    assert len(sink.messages) == before


@pytest.mark.parametrize("client", ONE_WAY_EACH)
def test_a_wrong_password_is_refused(client: Client, letter: Letter, sink: Sink) -> None:
    _need(client)
    before = len(sink.messages)
    result = client.send(dataclasses.replace(letter, user=User(ANN.name, "not Ann's")))
    assert not result.taken
    # curl tells the code in its talkative mode only as the server's line, msmtp in its debug output.
    assert "535" in result.text or "5.7.8" in result.text
    assert len(sink.messages) == before


@pytest.mark.parametrize("client", ONE_WAY_EACH)
def test_who_is_not_in_the_group_may_write_to_a_local_mailbox(client: Client, letter: Letter) -> None:
    _need(client)
    result = client.send(dataclasses.replace(_from_bob(letter), recipient=ANN.address))
    assert result.taken, result.text


@pytest.mark.parametrize("client", ONE_WAY_EACH)
def test_a_forged_sender_is_refused(client: Client, letter: Letter, sink: Sink) -> None:
    _need(client)
    before = len(sink.messages)
    letter.content.write_bytes(CONTENT.replace(b"Ann <ann@", b"Boss <boss@"))
    result = client.send(letter)  # the envelope is Ann's, the From field somebody else's
    assert not result.taken
    assert "5.7.1" in result.text
    assert len(sink.messages) == before


def test_explain_says_what_the_clients_were_told(gate: Gate) -> None:
    question = ("explain", "submission", "--from", gate.host, "--tls", "--rcpt", ELSEWHERE)
    yes = gate.command(*question, "--user", ANN.name, "--mail-from", ANN.address)
    assert yes.returncode == 0, yes.stdout
    no = gate.command(*question, "--user", BOB.name, "--mail-from", BOB.address)
    assert no.returncode == 3, no.stdout
    assert "relay-denied" in no.stdout
    stranger = (
        "explain",
        "internet",
        "--from",
        "203.0.113.9",
        "--mail-from",
        "a@b.example",
        "--rcpt",
        ELSEWHERE,
    )
    refused = gate.command(*stranger)
    assert refused.returncode == 3, refused.stdout
    assert "relay-denied" in refused.stdout
