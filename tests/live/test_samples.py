"""Real mail arrives byte for byte below the Received field that is added, whatever stands in it."""

from __future__ import annotations

import random
import re
import smtplib
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest

from live.clients import send_plain
from live.gate import TRUSTED, Gate, route
from live.samples import LINE_LIMIT, Sample, crlf, samples
from live.sink import Received, Sink
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-samples")]

MADE = [
    Sample("empty", b""),
    Sample("one-empty-line", b"\r\n"),
    Sample("no-header", b"\r\nbody alone\r\n"),
    Sample("a-dot-alone", b".\r\n"),
    Sample("dots", b"Subject: x\r\n\r\n" + b"".join(b"." * count + b"\r\n" for count in range(1, 60))),
    Sample("eight-bit", b"Subject: x\r\n\r\n" + bytes(set(range(1, 256)) - {10, 13}) + b"\r\n"),
    Sample("lines-at-the-limit", b"Subject: x\r\n\r\n" + (b"y" * LINE_LIMIT + b"\r\n") * 300),
    Sample(
        "dotted-lines-at-the-limit", b"Subject: x\r\n\r\n" + (b"." + b"y" * (LINE_LIMIT - 1) + b"\r\n") * 300
    ),
    Sample("folded-header", b"Subject: a\r\n\tb\r\n c\r\nX-Long: " + b"z " * 400 + b"\r\n\r\nx\r\n"),
    Sample("trailing-empty-lines", b"Subject: x\r\n\r\nx\r\n\r\n\r\n"),
    Sample(
        "three-megabytes",
        crlf(b"Subject: x\n\n" + random.Random(3).randbytes(1_500_000).hex("\n", 30).encode()),
    ),
]


@pytest.fixture(scope="module")
def sink(make_sink: Callable[..., Sink]) -> Sink:
    return make_sink()


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], sink: Sink) -> Gate:
    return make_gate(route(f"smtp://{sink.host}:{sink.port}"))


def _relay(gate: Gate, sink: Sink, content: bytes) -> Received:
    before = len(sink.messages)
    send_plain(gate.host, TRUSTED, "a@client.example", ["b@elsewhere.example"], content)
    return sink.wait_for_count(before + 1)[before]


@pytest.mark.parametrize("sample", [*samples(), *MADE], ids=lambda sample: Path(sample.name).name)
def test_a_message_arrives_byte_for_byte(gate: Gate, sink: Sink, sample: Sample) -> None:
    if not sample.sendable:
        with pytest.raises(smtplib.SMTPDataError, match=r"5\.6\.0"):
            _relay(gate, sink, sample.content)
        return
    found = _relay(gate, sink, sample.content)
    assert found.content.startswith(b"Received: ")
    # The line that an mbox puts before a message is no field: it becomes one, and the fields stay fields.
    sent = re.sub(rb"\A(?=From )", b"X-Mailbox-Line: ", sample.content)
    assert found.content.endswith(sent)
    added = found.content[: len(found.content) - len(sent)]
    assert added.endswith(b"\r\n")
    fields = [line.split(b":")[0] for line in added.splitlines() if line[:1] not in (b" ", b"\t")]
    assert fields[0] == b"Received"
    # RFC 6409 §8: what comes from one of ours gets a Date and a Message-ID where it has none, and an empty
    # line below them where it does not begin with a field.
    header = message_from_bytes(sent)
    missing = {name for name in (b"Date", b"Message-ID") if name.decode() not in header}
    if not re.match(rb"[!-9;-~]+:", sent):
        missing = {b"Date", b"Message-ID", b""}
    assert set(fields[1:]) <= missing


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a\rb\r\n", "a bare CR"),
        (b"a\nb\r\n", "a bare LF"),
        (b"a\0b\r\n", "a NUL"),
        (b"x" * (LINE_LIMIT + 1) + b"\r\n", "a line of 999 octets"),
        (b"a\n.\r\nMAIL FROM:<x@y.example>\r\n", "a smuggled end with a bare LF"),
        (b"a\r\n.\nMAIL FROM:<x@y.example>\r\n", "a smuggled end before a bare LF"),
        (b"a\r.\r\nMAIL FROM:<x@y.example>\r\n", "a smuggled end with a bare CR"),
    ],
)
def test_content_that_breaks_the_line_rules_is_refused_whole(
    gate: Gate, sink: Sink, content: bytes, problem: str
) -> None:
    before = len(sink.messages)
    with Smtp(gate.host, TRUSTED) as client:
        client.ehlo()
        client.mail("a@client.example")
        client.rcpt("b@elsewhere.example")
        assert client.docmd("DATA")[0] == 354
        client.send(b"Subject: x\r\n\r\n" + content.replace(b"\r\n.\r\n", b"\r\n..\r\n") + b".\r\n")
        code, text = client.getreply()
        assert code == 554, problem
        assert text.startswith(b"5.6.0"), problem
        assert client.noop()[0] == 250, f"{problem}: the session goes on, in step"
    _relay(gate, sink, b"Subject: after\r\n\r\nx\r\n")
    assert len(sink.messages) == before + 1
