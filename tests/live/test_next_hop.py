"""A real Postfix as the next hop: over TLS, verified when that is asked for, and its refusals told back."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from live.authority import Authority
from live.clients import send_plain
from live.gate import TRUSTED, Gate, route
from live.postfix import Delivered, Postfix
from live.samples import Sample, samples
from live.sink import Sink

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-next-hop")]

DATED = b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\nMessage-ID: <hop@client.example>\r\n"
LETTER = DATED + b"From: a@client.example\r\nSubject: hop\r\n\r\n.dot\r\nend\r\n"


def _to(postfix: Postfix, tls: str, *, domain: str = "*", ca_file: Path | None = None) -> str:
    return route(f"smtp://{postfix.host}:{postfix.port}", domain=domain, tls=tls, ca_file=ca_file)


def _only(mails: list[Delivered], recipient: str) -> Delivered:
    (found,) = [mail for mail in mails if mail.recipient == recipient]
    return found


@pytest.fixture(scope="module")
def postfix(make_postfix: Callable[..., Postfix]) -> Postfix:
    return make_postfix(tls="encrypt")


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], postfix: Postfix) -> Gate:
    return make_gate(_to(postfix, "require"))


def _send(
    gate: Gate,
    recipient: str,
    content: bytes = LETTER,
    *,
    sender: str = "a@client.example",
    mail_options: tuple[str, ...] = (),
) -> None:
    send_plain(gate.host, TRUSTED, sender, [recipient], content, mail_options=mail_options)


@pytest.mark.parametrize("tls", ["may", "require"])
def test_a_hop_that_wants_tls_gets_it(postfix: Postfix, make_gate: Callable[..., Gate], tls: str) -> None:
    before = len(postfix.delivered())
    _send(make_gate(_to(postfix, tls)), f"{tls}@elsewhere.example")
    found = _only(postfix.wait_for(before + 1), f"{tls}@elsewhere.example")
    assert b"using TLSv1.3" in found.content
    assert found.below_received == LETTER.replace(b"\r\n", b"\n")


def test_a_hop_without_tls_is_not_used_when_tls_is_required(
    make_postfix: Callable[..., Postfix], make_gate: Callable[..., Gate]
) -> None:
    bare = make_postfix(tls="none")
    gate = make_gate(_to(bare, "require"))
    _send(gate, "never@elsewhere.example")
    bare.program.wait_for(lambda lines: any("disconnect from" in line for line in lines))
    assert bare.delivered() == []
    listed = gate.command("queue", "list")
    assert "never@elsewhere.example" in listed.stdout


def test_a_hop_whose_certificate_cannot_be_verified_is_not_used(
    make_postfix: Callable[..., Postfix], make_gate: Callable[..., Gate], tmp_path: Path
) -> None:
    stranger = make_postfix(trusted=Authority(tmp_path / "another"))
    gate = make_gate(_to(stranger, "verify"))
    _send(gate, "never@elsewhere.example")
    stranger.program.wait_for(
        lambda lines: any("disconnect from" in line or "lost connection" in line for line in lines)
    )
    assert stranger.delivered() == []
    assert "never@elsewhere.example" in gate.command("queue", "list").stdout


def test_a_hop_whose_certificate_is_verified_is_used(
    postfix: Postfix, make_gate: Callable[..., Gate], authority: Authority
) -> None:
    before = len(postfix.delivered())
    _send(make_gate(_to(postfix, "verify", ca_file=authority.ca_file)), "verified@elsewhere.example")
    assert b"using TLSv1.3" in _only(postfix.wait_for(before + 1), "verified@elsewhere.example").content


def test_a_refused_recipient_is_reported_to_the_sender(
    make_postfix: Callable[..., Postfix], make_gate: Callable[..., Gate], make_sink: Callable[..., Sink]
) -> None:
    postfix, home = make_postfix(), make_sink()
    gate = make_gate(
        _to(postfix, "may", domain="refused.example")
        + route(f"smtp://{home.host}:{home.port}", domain="client.example")
    )
    _send(gate, "refused@refused.example")
    (report,) = home.wait_for_count(1)
    assert (report.sender, report.recipients) == ("", ("a@client.example",))
    parsed = message_from_bytes(report.content, policy=policy.default)
    assert parsed.get_content_type() == "multipart/report"
    status = next(part for part in parsed.walk() if part.get_content_type() == "message/delivery-status")
    text = status.as_string()
    assert "refused@refused.example" in text
    assert "5.1.1" in text
    assert "no such user" in text


def test_an_address_in_utf_8_arrives(gate: Gate, postfix: Postfix) -> None:
    before = len(postfix.delivered())
    content = DATED + "From: jürgen@bücher.example\r\nSubject: Grüße\r\n\r\nschön\r\n".encode()
    _send(
        gate,
        "jürgen@bücher.example",
        content,
        sender="élodie@client.example",
        mail_options=("SMTPUTF8", "BODY=8BITMIME"),
    )
    found = _only(postfix.wait_for(before + 1), "jürgen@bücher.example")
    assert found.below_received == content.replace(b"\r\n", b"\n")


def test_25_megabytes_arrive(gate: Gate, postfix: Postfix) -> None:
    before = len(postfix.delivered())
    attachment = base64.encodebytes(random.Random(2026).randbytes(18_500_000)).replace(b"\n", b"\r\n")
    content = DATED + b"Subject: large\r\nContent-Transfer-Encoding: base64\r\n\r\n" + attachment
    assert len(content) > 25_000_000
    _send(gate, "large@elsewhere.example", content)
    found = _only(postfix.wait_for(before + 1), "large@elsewhere.example")
    assert found.below_received == content.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: Path(sample.name).name)
def test_real_mail_lies_in_postfixs_mailbox_as_it_was_sent(
    gate: Gate, postfix: Postfix, sample: Sample
) -> None:
    if not sample.sendable:
        pytest.skip("holds a bare CR, a NUL or an overlong line: refused, which test_samples shows")
    if not sample.well_formed:
        pytest.skip("Postfix itself mends a header that ends without an empty line")
    before = len(postfix.delivered())
    recipient = f"{Path(sample.name).stem.lower()}@elsewhere.example"
    _send(gate, recipient, sample.content)
    found = _only(postfix.wait_for(before + 1), recipient)
    assert found.content.endswith(sample.content.replace(b"\r\n", b"\n"))
