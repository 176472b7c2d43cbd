"""The live tests' own parts do what the tests rely on, shown without Gatepost."""

from __future__ import annotations

import os
import smtplib
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from live import loopback
from live.authority import Authority
from live.clients import send_plain, swaks_data
from live.postfix import Postfix, below_trace
from live.program import Program, ProgramFailed, descendants, run
from live.samples import Sample, crlf, samples, sources
from live.sink import Sink
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-fixtures")]


def test_addresses_are_loopback_and_differ() -> None:
    found = [loopback.address() for _ in range(20)]
    assert len(set(found)) == 20
    assert all(address.startswith("127.") for address in found)


def test_a_taken_address_is_not_given_away() -> None:
    sink = Sink(loopback.address())
    try:
        assert loopback.address(sink.port) != sink.host
    finally:
        sink.stop()


def test_a_program_is_awaited_by_what_it_says_and_ends_on_sigterm(tmp_path: Path) -> None:
    program = Program(
        [sys.executable, "-uc", "import signal; print('ready'); signal.pause()"], folder=tmp_path
    )
    assert program.wait_for_line(lambda line: line == "ready\n")
    assert program.stop() == -15


def test_a_program_that_ends_before_it_is_ready_is_told_with_its_words(tmp_path: Path) -> None:
    program = Program([sys.executable, "-c", "raise SystemExit('no such setting')"], folder=tmp_path)
    with pytest.raises(ProgramFailed, match="no such setting"):
        program.wait_for_line(lambda line: line == "ready\n")
    with pytest.raises(ProgramFailed, match="does not listen"):
        program.wait_for_port(loopback.address(), 2525)
    program.stop()


def test_a_killed_program_takes_its_children_with_it(tmp_path: Path) -> None:
    script = "import os, signal; os.fork(); os.write(1, b'ready\\n'); signal.pause()"
    program = Program([sys.executable, "-c", script], folder=tmp_path)
    program.wait_for(lambda lines: lines.count("ready\n") == 2)
    (child,) = descendants(program.pid)
    program.kill()
    while is_running(child):  # the kernel kills it in its own time; the test's own time limit ends the wait
        os.sched_yield()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def postfix(make_postfix: Callable[..., Postfix]) -> Postfix:
    return make_postfix()


def test_postfix_keeps_what_swaks_sends_over_tls(
    postfix: Postfix, authority: Authority, tmp_path: Path, require: Callable[..., None]
) -> None:
    require("swaks")
    letter = tmp_path / "letter.eml"
    letter.write_bytes(b"Subject: by swaks\r\n\r\n.dot\r\n..two\r\nend\r\n")
    sent = run(
        "swaks", "--server", postfix.host, "--port", str(postfix.port), "--tls", "--tls-verify",
        "--tls-ca-path", authority.ca_file, "--from", "a@b.example", "--to", "swaks@c.example",
        "--data", f"@{swaks_data(letter)}",
    )  # fmt: skip
    assert sent.returncode == 0, sent.stdout
    (found,) = [mail for mail in postfix.wait_for(1) if mail.recipient == "swaks@c.example"]
    assert found.below_received == letter.read_bytes().replace(b"\r\n", b"\n")
    assert b"using TLSv1.3" in found.content


def test_postfix_refuses_whom_it_is_told_to_refuse(postfix: Postfix) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="no such user"):
        send_plain(
            postfix.host, postfix.port, "a@b.example", ["refused@refused.example"], b"Subject: x\r\n\r\nx\r\n"
        )


def test_two_postfixes_stand_side_by_side(postfix: Postfix, make_postfix: Callable[..., Postfix]) -> None:
    other = make_postfix()
    send_plain(other.host, other.port, "a@b.example", ["other@c.example"], b"Subject: other\r\n\r\nx\r\n")
    assert [mail.recipient for mail in other.wait_for(1)] == ["other@c.example"]
    assert "other@c.example" not in [mail.recipient for mail in postfix.delivered()]


def test_the_authority_is_what_makes_postfix_trusted(postfix: Postfix, authority: Authority) -> None:
    with Smtp(postfix.host, postfix.port) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(authority.ca_file)))
    with Smtp(postfix.host, postfix.port) as client, pytest.raises(ssl.SSLCertVerificationError):
        client.starttls(context=ssl.create_default_context())


@pytest.mark.parametrize("content", [b"x: y\r\n\r\n.\r\n..\r\nend\r\n", b"\r\n", b".\r\n", b"\xff\x80\r\n"])
def test_the_sink_keeps_every_byte(make_sink: Callable[..., Sink], content: bytes) -> None:
    sink = make_sink()
    send_plain(sink.host, sink.port, "a@b.example", ["c@d.example", "e@f.example"], content)
    (found,) = sink.wait_for_count(1)
    assert (found.sender, found.recipients) == ("a@b.example", ("c@d.example", "e@f.example"))
    assert found.content == content


def test_trace_fields_end_where_the_message_begins() -> None:
    assert (
        below_trace(b"Return-Path: <>\nReceived: from a\n\tby b\nReceived: x\nFrom: c\n d\n\nz")
        == b"From: c\n d\n\nz"
    )


def test_there_is_real_mail_to_send() -> None:
    missing = [name for name, count in sources().items() if not count]
    if missing:
        pytest.skip(f"{' and '.join(missing)}: not on this machine, so less real mail is tried")
    assert len(samples()) >= 40


def test_a_sample_with_a_bare_cr_or_an_overlong_line_is_not_sendable() -> None:
    assert Sample("x", crlf(b"a\nb\r\nc")).content == b"a\r\nb\r\nc\r\n"
    assert Sample("x", b"a\r\n").sendable
    for content in (b"a\rb\r\n", b"a\0b\r\n", b"x" * 999 + b"\r\n"):
        assert not Sample("x", content).sendable
