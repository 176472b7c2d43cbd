"""The header: what is read from it, and what goes on top."""

from __future__ import annotations

import contextlib
import email
import email.policy
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address, parse_address
from gatepost.mail.date import mail_date
from gatepost.mail.header import (
    HeaderError,
    field,
    from_addresses,
    header_block,
    received,
    received_count,
    submission_lines,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def froms(body: str) -> list[str]:
    return [str(address) for address in from_addresses(f"To: x@y\r\nFrom: {body}\r\nX: y\r\n".encode())]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_date_reads_as_it_is(at: datetime) -> None:
    assert parsedate_to_datetime(mail_date(at)) == at.replace(microsecond=0)


def test_a_date_is_written_in_utc() -> None:
    assert mail_date(AT.astimezone(timezone(timedelta(hours=9)))) == "Fri, 02 Jan 2026 03:04:05 +0000"


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore", b"A: b\r\nC: d\r\n"),
        (b"\r\nbody\r\n\r\n", b""),
        (b"A: b\r\n", b"A: b\r\n"),
        (b"", b""),
    ],
)
def test_the_header_ends_at_the_first_empty_line(content: bytes, header: bytes) -> None:
    assert header_block(content) == header


def test_received_fields_are_counted_in_any_case() -> None:
    header = b"Received: a\r\n\tReceived: folded\r\nRECEIVED: b\r\nX-Received: c\r\nreceived: d\r\n"
    assert received_count(header) == 3
    assert received_count(b"") == 0


def test_a_dot_that_the_next_hop_takes_away_hides_no_field() -> None:
    header = b".From: boss@x\r\nX: y\r\n.received: a\r\n.FROM: b@x,\r\n. c@x\r\n"
    assert from_addresses(header) == tuple(map(parse_address, ("boss@x", "b@x", "c@x")))
    assert received_count(header + b".Received: b\r\n") == 2


def test_a_field_is_found_folded_in_any_case_and_with_white_space() -> None:
    header = b"from: a\r\n b\r\nFromage: c\r\nX: From: d\r\nFROM \t:e\r\n"
    assert field(header, "From") == (b"a\r\n b", b"e")
    assert field(b"Date:", "Date") == (b"",)
    assert field(b"X: y\r\n", "Date") == ()


@pytest.mark.parametrize(
    ("body", "addresses"),
    [
        ("ann@example.org", ["ann@example.org"]),
        ("Ann Lee <Ann@Example.org>", ["Ann@example.org"]),
        ("=?utf-8?q?J=C3=B6rg?= <j@x>", ["j@x"]),
        ("Jörg <jörg@x>", ["jörg@x"]),
        ('"Lee, Ann" <a@x>, b@x', ["a@x", "b@x"]),
        ('"boss@x" <a@x>', ["a@x"]),
        ("Ann\r\n <a@x>,\r\n\tBob <b@x>", ["a@x", "b@x"]),
        ("(c, (nested \\) ) ) a@x (boss@x)", ["a@x"]),
        ("Friends: a@x, Bob <b@x>;", ["a@x", "b@x"]),
        ("undisclosed-recipients:;", []),
        ("", []),
        ("a . b @ x", ["a.b@x"]),
        ("<@r1,@r2:a@x>", ["a@x"]),
        ('"a b"@x', ['"a b"@x']),
        ("a@[192.0.2.1]", ["a@[192.0.2.1]"]),
        ("<a@x>, , <b@x>", ["a@x", "b@x"]),
    ],
)
def test_the_from_addresses_are_read(body: str, addresses: list[str]) -> None:
    assert froms(body) == addresses


@pytest.mark.parametrize(
    "body",
    [
        "Ann", "a b@x", "boss@x <a@x>", "<a@x> b", "<a@x><b@x>", "<a@x", "a@x>", "(a@x", "a@x)", '"Ann <a@x>',
        "a@x b@x", "<>", "<boss@x <a@x>>", "a@x: b@x;", "g:h:a@x;", "a@x\0", "Ann <a@x\udcff>", "[a@x",
        "a\\@x", "(" * 30 + ")" * 30 + "a@x",
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(body: str) -> None:
    with pytest.raises(HeaderError):
        from_addresses(b"From: " + body.encode("utf-8", "surrogateescape") + b"\r\n")


def test_every_from_field_counts() -> None:
    header = b"From: a@x\r\nSubject: y\r\nfrom : b@x\r\n"
    assert from_addresses(header) == (parse_address("a@x"), parse_address("b@x"))


@given(st.text() | st.text('a@x<>,:;()"\\ .[]', max_size=40))
def test_every_from_field_is_read_or_refused(body: str) -> None:
    try:
        found = froms(body.replace("\r", "").replace("\n", "").encode("utf-8", "replace").decode())
    except HeaderError:
        return
    for address in found:
        assert str(parse_address(address)) == address


@pytest.mark.parametrize(
    "piece", [" ", "a ", "(", "()", '"', '"" ', "\\", "<", "a@b,", "@", "@,", ".", "[", "a:", "g:;"]
)
def test_a_huge_from_field_costs_little(piece: str) -> None:
    header = b"From: " + (piece * (32_700 // len(piece))).encode() + b"\r\n"
    start = time.process_time()
    with contextlib.suppress(HeaderError):
        from_addresses(header)
    assert time.process_time() - start < 10  # seconds; what is quadratic takes minutes


def test_a_from_field_without_end_is_refused() -> None:
    with pytest.raises(HeaderError):
        from_addresses(b"From: " + b"a@x, " * 10_000)


def plain_received(**changed: object) -> bytes:
    values: dict[str, object] = {
        "hostname": "mail.example.org",
        "helo": "client.example",
        "peer": "192.0.2.1",
        "protocol": "ESMTPSA",
        "queue_id": "Q1",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "at": AT,
        "for_": Address("ann", "example.org"),
    }
    return received(**(values | changed))  # type: ignore[arg-type]


def test_received_says_from_by_with_id_for() -> None:
    assert plain_received() == (
        b"Received: from client.example ([192.0.2.1])\r\n"
        b"\t(using TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
        b"\tby mail.example.org (Gatepost) with ESMTPSA id Q1\r\n"
        b"\tfor <ann@example.org>;\r\n"
        b"\tFri, 02 Jan 2026 03:04:05 +0000\r\n"
    )


def test_received_is_shorter_in_the_clear_and_for_many() -> None:
    assert plain_received(tls=None, for_=None, peer="2001:db8::1") == (
        b"Received: from client.example ([IPv6:2001:db8::1])\r\n"
        b"\tby mail.example.org (Gatepost) with ESMTPSA id Q1;\r\n"
        b"\tFri, 02 Jan 2026 03:04:05 +0000\r\n"
    )


@given(st.text(max_size=300))
def test_no_helo_breaks_the_field(helo: str) -> None:
    field_ = plain_received(helo=helo)
    assert field_.count(b"\r\n") == field_.count(b"\n") == 5
    assert field_.isascii()
    assert field_.count(b"(") == field_.count(b")")
    assert max(map(len, field_.split(b"\r\n"))) < 998
    assert email.message_from_bytes(field_ + b"\r\n")["received"].endswith("+0000")


def test_a_submitted_message_gets_what_it_lacks() -> None:
    def added(header: bytes) -> bytes:
        return submission_lines(header, hostname="mail.example.org", token="t0k", at=AT)

    date, identity = b"Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n", b"Message-ID: <t0k@mail.example.org>\r\n"
    assert added(b"From: a@x\r\n") == date + identity
    assert added(b"DATE: x\r\n") == identity
    assert added(b"Message-Id: <x@y>\r\n") == date
    assert added(b"Date: x\r\nMessage-ID: <x@y>\r\n") == b""
    assert added(b"") == date + identity
    assert added(b"hello there\r\n") == date + identity + b"\r\n"
