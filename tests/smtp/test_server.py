"""What no transcript can show: calls in the wrong order, and bytes that come between them."""

from __future__ import annotations

import pytest

from gatepost.smtp import command as c
from gatepost.smtp.error import LocalProtocolError
from gatepost.smtp.event import NEED_DATA, BadCommand, Closed, Content, EndOfContent
from gatepost.smtp.reply import Reply
from gatepost.smtp.server import Server
from gatepost.smtp.state import State
from gatepost.wire.dots import ContentFault
from smtp.office import OK, Office

HI = Reply(220, None, ("mx.test ESMTP",))
GO = Reply(354, None, ("Go",))


def _ready() -> Server:
    server = Server("mx.test", size_limit_bytes=100_000)
    server.greeting(HI)
    server.feed(b"EHLO a\r\n")
    server.next_event()
    server.reply(OK)
    return server


def _in_data() -> Server:
    server = _ready()
    server.feed(b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n")
    for reply in (OK, OK, GO):
        server.next_event()
        server.reply(reply)
    return server


def test_nothing_is_read_before_the_greeting_but_early_talk_is_seen() -> None:
    server = Server("mx.test")
    server.feed(b"EHLO a\r\n")
    assert server.next_event() is NEED_DATA
    assert server.buffered_bytes == 8
    server.greeting(HI)
    assert server.next_event() == c.Helo("a")


def test_the_core_holds_back_until_it_has_its_reply() -> None:
    server = _ready()
    server.feed(b"NOOP\r\nQUIT\r\n")
    assert server.next_event() == c.Noop()
    assert server.awaits_reply
    assert server.next_event() is NEED_DATA
    server.reply(OK)
    assert not server.awaits_reply
    assert server.next_event() == c.Quit()


def test_a_bad_command_cannot_be_accepted() -> None:
    server = _ready()
    server.feed(b"FOO\r\n")
    event = server.next_event()
    assert isinstance(event, BadCommand)
    with pytest.raises(LocalProtocolError):
        server.reply(OK)
    assert server.reply(event.reply.one_line("syntax", "7F3K2Q")).endswith(b"[syntax 7F3K2Q]\r\n")
    with pytest.raises(LocalProtocolError):
        server.reply(event.reply)


def test_bytes_between_starttls_and_its_reply_end_the_session() -> None:
    server = _ready()
    server.feed(b"STARTTLS\r\n")
    assert server.next_event() == c.StartTls(injected=False)
    server.feed(b"\x16")
    assert server.reply(HI) == b""
    assert server.closed
    assert server.next_event() == Closed()


def test_bytes_after_the_reply_to_starttls_are_not_taken() -> None:
    server = _ready()
    with pytest.raises(LocalProtocolError):
        server.tls_started()
    server.feed(b"STARTTLS\r\n")
    server.next_event()
    server.reply(HI)
    with pytest.raises(LocalProtocolError):
        server.feed(b"\x16")
    server.tls_started()
    assert server.conditions.tls
    assert server.state is State.START


def test_a_refused_starttls_goes_on_in_clear() -> None:
    server = _ready()
    server.feed(b"STARTTLS\r\n")
    server.next_event()
    server.reply(Reply(454, "4.7.0", ("Not now",)))
    server.feed(b"NOOP\r\n")
    assert server.next_event() == c.Noop()


def test_421_closes_whatever_it_answers_and_may_answer_nothing() -> None:
    server = _ready()
    server.feed(b"NOOP\r\nNOOP\r\n")
    server.next_event()
    bye = Reply(421, "4.3.2", ("Stopping",))
    assert server.reply(bye) == b"421 4.3.2 Stopping\r\n"
    assert server.next_event() == Closed()
    with pytest.raises(LocalProtocolError):
        server.hang_up(bye)
    waiting = _in_data()
    assert waiting.hang_up(bye) == b"421 4.3.2 Stopping\r\n"
    assert waiting.closed


def test_what_was_said_before_the_end_is_answered_and_half_a_line_is_not() -> None:
    server = _ready()
    server.feed(b"NOOP\r\nNOO")
    server.feed(b"")
    assert server.next_event() == c.Noop()
    assert server.next_event() is NEED_DATA
    server.reply(OK)
    assert server.next_event() == Closed()


def test_content_cut_off_by_the_end_is_no_message() -> None:
    server = _in_data()
    server.feed(b"half\r\n.")
    server.feed(b"")
    events = [server.next_event(), server.next_event()]
    assert events == [Content(b"half"), Closed()]


def test_content_over_the_limit_is_read_and_not_given() -> None:
    server = _in_data()
    given = 0
    for _ in range(100):
        server.feed(b"x" * 76 + b"\r\n" + b"y" * 900 + b"\r\n")
        server.feed(b"z" * 898 + b"\r\n")
        while isinstance(event := server.next_event(), Content):
            given += len(event.data)
        assert event is NEED_DATA
        assert server.buffered_bytes == 0
    server.feed(b".\r\n")
    event = server.next_event()
    assert isinstance(event, EndOfContent)
    assert event.fault is ContentFault.TOO_LARGE
    assert event.size_bytes == 100 * (78 + 902 + 900)
    assert given <= 100_000


def test_an_endless_line_is_not_kept() -> None:
    server = _ready()
    for _ in range(100):
        server.feed(b"x" * 10_000)
        assert server.next_event() is NEED_DATA
        assert server.buffered_bytes == 0
    server.feed(b"x" * 100_000)
    event = server.next_event()
    assert isinstance(event, BadCommand)
    server.reply(event.reply)
    assert server.closed
    server.feed(b"x")
    assert server.buffered_bytes <= 1


def test_under_implicit_tls_starttls_is_refused_and_requiretls_taken() -> None:
    office = Office(tls=True)
    office.greet()
    office.give(b"EHLO a\r\n")
    assert office.give(b"STARTTLS\r\n") == b"503 5.5.1 TLS is already active\r\n"
    assert office.give(b"MAIL FROM:<a@b> REQUIRETLS\r\n") == b"250 2.1.0 OK\r\n"


def test_it_is_exhausted_when_the_last_command_of_a_batch_has_its_reply() -> None:
    server = _ready()
    server.feed(b"NOOP\r\nNOOP\r\n")
    server.next_event()
    server.reply(OK)
    assert not server.exhausted()
    server.next_event()
    server.reply(OK)
    assert server.exhausted()
    assert server.next_event() is NEED_DATA


def test_it_is_never_exhausted_before_the_end_was_told() -> None:
    server = _ready()
    server.feed(b"QUIT\r\n")
    server.next_event()
    server.reply(Reply(221, None, ("Bye",)))
    assert not server.exhausted()
    assert server.next_event() == Closed()
    lost = _ready()
    lost.feed(b"NOOP\r\n")
    lost.feed(b"")
    lost.next_event()
    lost.reply(OK)
    assert not lost.exhausted()
    assert lost.next_event() == Closed()
