"""Bounces and warnings, read back by Python's email package. RFC 3464, RFC 3461 §6, RFC 6533."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope, Origin, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.mail.report import Subject, bounce, delay_warning, success

ARRIVAL = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = ARRIVAL + timedelta(days=2)
ORIGINAL = (
    b"From: ann@example.org\r\nMessage-ID: <m1@example.org>\r\nSubject: Hello\r\n\r\n"
    b"First line\r\n.dotted\r\n"
)
ENVELOPE = Envelope(
    Address("ann", "example.org"),
    (
        Recipient(Address("bob", "remote.example"), orcpt="rfc822;bob+2Bx@old.example"),
        Recipient(Address("cy d", "remote.example")),
    ),
    Origin("S1", "submission", "192.0.2.1", "ann", ARRIVAL),
    envid="E+3D1",
)
SUBJECT = Subject(ENVELOPE, "Q1", "mail.example.org", ORIGINAL, ARRIVAL, NOW, "t0ken")
FAILED = (
    Outcome(0, Disposition.FAILED, 550, "5.1.1", "No such user here", "mx.remote.example"),
    Outcome(1, Disposition.FAILED, 554, "", "given up", None),
)


def read(report: bytes) -> EmailMessage:
    """The message, with no defect anywhere and no line end but CRLF."""
    assert report.count(b"\r\n") == report.count(b"\n") == report.count(b"\r")
    assert report.endswith(b"\r\n")
    message = email.message_from_bytes(report, policy=email.policy.SMTP)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
    return message


def parts(message: EmailMessage) -> list[EmailMessage]:
    found = list(message.iter_parts())
    assert all(isinstance(part, EmailMessage) for part in found)
    return found  # type: ignore[return-value]


def statuses(part: EmailMessage) -> list[dict[str, str]]:
    """The groups of fields in a message/delivery-status part."""
    payload = part.get_payload()
    assert isinstance(payload, list)
    return [{name: " ".join(str(value).split()) for name, value in group.items()} for group in payload]


def test_a_bounce_is_addressed_to_the_sender_and_answers_nothing() -> None:
    message = read(bounce(SUBJECT, FAILED))
    assert message["from"].addresses[0].addr_spec == "MAILER-DAEMON@mail.example.org"
    assert message["to"].addresses[0].addr_spec == "ann@example.org"
    assert message["auto-submitted"] == "auto-replied"
    assert message["references"] == "<m1@example.org>"
    assert message["message-id"] == "<t0ken@mail.example.org>"
    assert message["date"].datetime == NOW
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"


def test_a_bounce_says_it_in_words() -> None:
    text = parts(read(bounce(SUBJECT, FAILED)))[0]
    assert text.get_content_type() == "text/plain"
    words = text.get_content()
    assert "<bob@remote.example>:" in words
    assert "mx.remote.example said: 550 5.1.1 No such user here" in words
    assert '<"cy d"@remote.example>:' in words
    assert "Q1" in words


def test_a_bounce_says_it_in_fields() -> None:
    about, bob, cy = statuses(parts(read(bounce(SUBJECT, FAILED)))[1])
    assert about == {
        "Original-Envelope-Id": "E=1",
        "Reporting-MTA": "dns; mail.example.org",
        "Arrival-Date": "Fri, 02 Jan 2026 03:04:05 +0000",
        "X-Gatepost-Queue-ID": "Q1",
    }
    assert bob == {
        "Original-Recipient": "rfc822; bob+x@old.example",
        "Final-Recipient": "rfc822; bob@remote.example",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.remote.example",
        "Diagnostic-Code": "smtp; 550 5.1.1 No such user here",
        "Last-Attempt-Date": "Sun, 04 Jan 2026 03:04:05 +0000",
    }
    assert cy == {
        "Final-Recipient": 'rfc822; "cy d"@remote.example',
        "Action": "failed",
        "Status": "5.0.0",
        "Diagnostic-Code": "smtp; 554 given up",
        "Last-Attempt-Date": "Sun, 04 Jan 2026 03:04:05 +0000",
    }


def test_the_header_alone_is_returned_unless_full_was_asked_for() -> None:
    for ret in (None, "HDRS"):
        returned = parts(read(bounce(replace(SUBJECT, envelope=replace(ENVELOPE, ret=ret)), FAILED)))[2]
        assert returned.get_content_type() == "text/rfc822-headers"
        assert returned.get_payload().strip() == (  # type: ignore[union-attr]
            "From: ann@example.org\r\nMessage-ID: <m1@example.org>\r\nSubject: Hello"
        )


def test_the_whole_message_is_returned_when_asked_for() -> None:
    report = bounce(replace(SUBJECT, envelope=replace(ENVELOPE, ret="FULL")), FAILED)
    returned = parts(read(report))[2]
    assert returned.get_content_type() == "message/rfc822"
    assert ORIGINAL in report
    assert returned.get_payload(0)["subject"] == "Hello"  # type: ignore[index]


def test_eight_bit_content_is_returned_as_it_is() -> None:
    subject = replace(SUBJECT, envelope=replace(ENVELOPE, ret="FULL"), original=ORIGINAL + b"\xe4\xf6\r\n")
    report = bounce(subject, FAILED)
    message = read(report)
    assert message["content-transfer-encoding"] == "8bit"
    assert parts(message)[2]["content-transfer-encoding"] == "8bit"
    assert ORIGINAL + b"\xe4\xf6\r\n" in report


def test_a_warning_says_until_when() -> None:
    delayed = (Outcome(0, Disposition.DEFERRED, 451, "4.4.1", "connection timed out"),)
    envelope = replace(ENVELOPE, ret="FULL")
    message = read(
        delay_warning(replace(SUBJECT, envelope=envelope), delayed, until=ARRIVAL + timedelta(days=2))
    )
    assert message["subject"].startswith("Delayed mail")
    _, bob = statuses(parts(message)[1])
    assert (bob["Action"], bob["Status"]) == ("delayed", "4.4.1")
    assert bob["Will-Retry-Until"] == "Sun, 04 Jan 2026 03:04:05 +0000"
    assert parts(message)[2].get_content_type() == "text/rfc822-headers"


def test_a_success_says_how_far_it_is_known() -> None:
    outcomes = (
        Outcome(0, Disposition.RELAYED, 250, "2.0.0", "queued", "mx.remote.example"),
        Outcome(1, Disposition.DELIVERED, 250, "2.0.0", "put into the mailbox"),
    )
    message = read(success(replace(SUBJECT, envelope=replace(ENVELOPE, ret="FULL")), outcomes))
    _, bob, cy = statuses(parts(message)[1])
    assert (bob["Action"], cy["Action"]) == ("relayed", "delivered")
    assert bob["Status"] == "2.0.0"
    assert parts(message)[2].get_content_type() == "text/rfc822-headers"


def test_about_a_message_with_utf8_addresses_it_is_written_in_utf8() -> None:
    envelope = replace(
        ENVELOPE,
        sender=Address("jörg", "bücher.example"),
        recipients=(Recipient(Address("zoë", "remote.example"), orcpt="utf-8;zoë@old.example"),),
        smtputf8=True,
    )
    message = read(bounce(replace(SUBJECT, envelope=envelope), FAILED[:1]))
    _, status, returned = parts(message)
    assert status.get_content_type() == "message/global-delivery-status"
    assert returned.get_content_type() == "message/global-headers"
    report = bounce(replace(SUBJECT, envelope=envelope), FAILED[:1])
    assert "\r\nTo: <jörg@bücher.example>\r\n".encode() in report
    assert "\r\nFinal-Recipient: utf-8; zoë@remote.example\r\n".encode() in report
    assert "\r\nOriginal-Recipient: utf-8; zoë@old.example\r\n".encode() in report


def test_nobody_is_told_about_a_report() -> None:
    with pytest.raises(ValueError, match="owed"):
        bounce(replace(SUBJECT, envelope=replace(ENVELOPE, sender=None)), FAILED)


@given(st.text(max_size=2_000), st.text(max_size=30), st.binary(max_size=200))
def test_nobodys_words_break_a_report(text: str, envid: str, body: bytes) -> None:
    envelope = replace(ENVELOPE, envid=envid, ret="FULL")
    original = ORIGINAL + body.replace(b"\r", b"").replace(b"\n", b"")
    report = bounce(replace(SUBJECT, envelope=envelope, original=original), (replace(FAILED[0], text=text),))
    _, bob = statuses(parts(read(report))[1])
    assert bob["Status"] == "5.1.1"
    assert max(map(len, report.replace(original, b"").split(b"\r\n"))) <= 998
