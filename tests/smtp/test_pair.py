"""The two cores joined by a pretend wire, which cuts and delays as it likes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.mail.address import Address
from gatepost.smtp import command as c
from gatepost.smtp.client import Answer, Client
from gatepost.smtp.error import LocalProtocolError, RemoteProtocolError
from gatepost.smtp.event import NEED_DATA
from gatepost.smtp.state import State
from smtp.office import Office

ANN, BOB, NO = Address("ann", "example.org"), Address("bob", "example.net"), Address("no", "x.test")
WIRE = b"Subject: x\r\n\r\n..stuffed\r\n"
RAW = b"Subject: x\r\n\r\n.stuffed\r\n"
COMMANDS = st.sampled_from(
    (
        c.Helo("client.test"),
        c.Helo("client.test", extended=False),
        c.StartTls(),
        c.Auth("PLAIN"),
        c.Auth("PLAIN", b"\0ann\0secret"),
        c.AuthResponse(b"\0ann\0secret"),
        c.AuthCancelled(),
        c.Mail(ANN),
        c.Mail(ANN),
        c.Mail(None),
        c.Mail(NO),
        c.Rcpt(BOB),
        c.Rcpt(BOB),
        c.Rcpt(NO),
        c.Data(),
        c.Data(),
        c.Dot(),
        c.Chunk(len(RAW)),
        c.Chunk(len(RAW), last=True),
        c.Rset(),
        c.Noop(),
        c.Vrfy("ann"),
        c.Quit(),
    )
)


class Wire:
    """What is under way in both directions."""

    def __init__(self) -> None:
        self.office, self.client = Office(error_limit=1000), Client()
        self.outward, self.homeward = b"", self.office.greet()
        self.sent: list[c.Command] = []
        self.answers: list[Answer] = []

    def say(self, command: c.Command) -> None:
        """Says it if the rules let the client."""
        try:
            line = self.client.send(command)
        except LocalProtocolError:
            return
        self.sent.append(command)
        before = WIRE if isinstance(command, c.Dot) else b""
        behind = RAW if isinstance(command, c.Chunk) else b""
        self.outward += before + line + behind

    def carry_out(self, size: int) -> None:
        piece, self.outward = self.outward[:size], self.outward[size:]
        if piece:
            self.homeward += self.office.give(piece)

    def carry_home(self, size: int) -> None:
        piece, self.homeward = self.homeward[:size], self.homeward[size:]
        if piece:
            self.client.feed(piece)
        while (answer := self.client.next_reply()) is not NEED_DATA:
            self.answers.append(answer)
        if self.client.state is State.TLS:
            self.office.start_tls()
            self.client.tls_started()

    def settle(self) -> None:
        while self.outward or self.homeward:
            self.carry_out(len(self.outward))
            self.carry_home(len(self.homeward))


@settings(max_examples=200)
@given(st.lists(st.tuples(COMMANDS, st.integers(0, 60), st.integers(0, 120)), max_size=40))
def test_both_sides_agree_whatever_is_said_and_however_it_is_cut(
    steps: list[tuple[c.Command, int, int]],
) -> None:
    wire = Wire()
    wire.carry_home(1000)
    wire.say(c.Helo("client.test"))
    wire.settle()
    for command, out, home in steps:
        wire.say(command)
        wire.carry_out(out)
        wire.carry_home(home)
    wire.settle()
    # Every command has its one answer, in order, and both sides stand in the same state.
    assert [answer.command for answer in wire.answers[1:]] == wire.sent
    assert wire.client.answers_due == 0
    assert wire.client.state is wire.office.core.state
    assert wire.client.authenticated is wire.office.core.conditions.authenticated
    assert set(wire.office.messages) <= {WIRE * n for n in range(1, 41)}


def test_a_message_by_data_and_one_by_bdat_are_the_same_in_the_spool() -> None:
    wire = Wire()
    wire.settle()
    wire.say(c.Helo("client.test"))
    wire.settle()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        wire.say(command)
    wire.settle()
    for command in (c.Dot(), c.Mail(ANN), c.Rcpt(BOB), c.Chunk(len(RAW), last=True), c.Quit()):
        wire.say(command)
    wire.settle()
    assert wire.office.messages == [WIRE, WIRE]
    assert wire.client.closed
    assert wire.office.core.closed


WORDS = st.sampled_from(
    [
        b"EHLO a",
        b"MAIL FROM:<a@b.c>",
        b"RCPT TO:<a@b.c>",
        b"DATA",
        b"BDAT 5",
        b"BDAT 3 LAST",
        b"AUTH PLAIN",
        b"STARTTLS",
        b"QUIT",
        b"RSET",
        b"\r\n",
        b"\n",
        b"\r\n.\r\n",
        b" ",
        b"\0",
        b"\xff",
        b"x" * 600,
    ]
)
RUBBISH = st.lists(WORDS | st.binary(max_size=20)).map(b"".join)


@settings(max_examples=200)
@given(RUBBISH, st.integers(1, 50))
def test_rubbish_never_breaks_the_server(rubbish: bytes, step: int) -> None:
    office = Office()
    office.greet()
    for at in range(0, len(rubbish), step):
        if office.core.state is State.TLS:
            office.start_tls()
        out = office.give(rubbish[at : at + step])
        assert out == b"" or out.endswith(b"\r\n")
        assert office.core.buffered_bytes <= 12288
    if office.core.state is State.TLS:
        office.start_tls()
    office.give(b"")
    assert office.core.closed


REPLIES = st.lists(
    st.sampled_from(
        [b"220 x", b"250 x", b"250-x", b"354 x", b"421 x", b"550 5.1.1 x", b"\r\n", b"\n", b"999"]
    )
    | st.binary(max_size=10)
).map(b"".join)


@settings(max_examples=200)
@given(REPLIES, st.lists(COMMANDS, max_size=10), st.integers(1, 30))
def test_rubbish_is_the_server_s_fault(rubbish: bytes, commands: list[c.Command], step: int) -> None:
    client = Client()
    try:
        client.feed(b"220 x\r\n")
        client.next_reply()
        for at in range(0, len(rubbish), step):
            for command in commands:
                try:
                    client.send(command)
                except LocalProtocolError:
                    continue
            if client.state is State.TLS:
                client.tls_started()
            client.feed(rubbish[at : at + step])
            while client.next_reply() is not NEED_DATA:
                pass
        client.feed(b"")
        client.next_reply()
    except RemoteProtocolError:
        return
    assert client.answers_due == 0 or client.closed
