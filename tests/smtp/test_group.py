"""Commands that came together are found at once, or read one by one with the same result."""

from __future__ import annotations

import pytest

from gatepost.mail.address import Address
from gatepost.smtp import command as c
from gatepost.smtp.event import Content, EndOfContent
from gatepost.smtp.reply import Reply
from gatepost.smtp.server import Server
from gatepost.smtp.state import State

OK = Reply(250, "2.0.0", ("OK",))
GO = Reply(354, None, ("Go",))
ANN, BOB, EVE = Address("ann", "a.example"), Address("bob", "b.example"), Address("eve", "b.example")
MAIL, TO_BOB, TO_EVE = (
    b"MAIL FROM:<ann@a.example>\r\n",
    b"RCPT TO:<bob@b.example>\r\n",
    b"RCPT TO:<eve@b.example>\r\n",
)
DATA, DOT = b"DATA\r\n", b"Subject: x\r\n\r\nx\r\n.\r\n"


def _say(server: Server, octets: bytes, *replies: Reply) -> None:
    server.feed(octets)
    for reply in replies:
        server.next_event()
        server.reply(reply)


def _ready() -> Server:
    """One that has heard all of these lines."""
    server = Server("mx.test")
    server.greeting(Reply(220, None, ("mx.test",)))
    _say(server, b"EHLO a\r\n", OK)
    _say(server, MAIL + TO_BOB + TO_EVE + DATA, OK, OK, OK, GO)
    server.feed(DOT)
    assert isinstance(server.next_event(), Content)
    assert isinstance(server.next_event(), EndOfContent)
    server.reply(OK)
    assert server.exhausted()
    return server


def test_a_group_is_found_and_nothing_of_it_is_read() -> None:
    server = _ready()
    server.feed(MAIL + TO_BOB + TO_EVE + DATA)
    assert server.group() == (c.Mail(ANN), [c.Rcpt(BOB), c.Rcpt(EVE)])
    assert server.state is State.READY
    assert server.next_event() == c.Mail(ANN)
    assert server.group() is None


def test_content_follows_a_group_that_was_taken() -> None:
    server = _ready()
    for _ in range(2):
        server.feed(MAIL + TO_BOB + DATA)
        assert server.group() is not None
        server.group_taken()
        assert server.state is State.DATA
        assert server.exhausted()
        server.feed(DOT)
        assert server.next_event() == Content(b"Subject: x\r\n\r\nx\r\n")
        assert server.next_event() == EndOfContent(None, 17)
        server.reply(OK)
        assert server.state is State.READY


@pytest.mark.parametrize(
    "octets",
    [
        MAIL + DATA,
        TO_BOB + DATA,
        DATA,
        MAIL + TO_BOB,
        MAIL + TO_BOB + DATA[:-2],
        MAIL + TO_BOB + DATA + b"RSET\r\n",
        MAIL + TO_BOB + DATA + DATA,
        MAIL + TO_BOB + b"RSET\r\n" + MAIL + TO_BOB + DATA,
        MAIL + MAIL + TO_BOB + DATA,
        TO_BOB + MAIL + DATA,
        MAIL + b"RCPT TO:<never@seen.example>\r\n" + DATA,
        MAIL + TO_BOB + b"XDATA\r\n",
        MAIL + TO_BOB[:-2] + b"\n" + DATA,
        b"EHLO a\r\n" + MAIL + TO_BOB + DATA,
    ],
)
def test_all_else_is_read_one_by_one(octets: bytes) -> None:
    server = _ready()
    server.feed(octets)
    assert server.group() is None


def test_what_asks_for_tls_or_smtputf8_is_read_one_by_one() -> None:
    server = _ready()
    asking = b"MAIL FROM:<ann@a.example> SMTPUTF8\r\n"
    _say(server, asking + b"RSET\r\n", OK, OK)
    server.feed(asking + TO_BOB + DATA)
    assert server.group() is None


def test_a_group_is_none_out_of_order() -> None:
    server = _ready()
    _say(server, MAIL, OK)
    server.feed(MAIL + TO_BOB + DATA)
    assert server.group() is None
