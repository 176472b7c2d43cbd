from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address
from gatepost.mail.envelope import Body
from gatepost.smtp import command as c
from gatepost.smtp.error import CommandError
from gatepost.smtp.path import parse_mail, parse_rcpt
from gatepost.smtp.syntax import GRAMMAR, parse_chunk, parse_response

LOCAL = st.text('abc.XYZ+-_ "\\@<>,ä', min_size=1, max_size=20)
DOMAIN = st.sampled_from(("example.org", "a.b-c.test", "[192.0.2.1]", "[ipv6:2001:db8::1]", "bücher.example"))
ADDRESS = st.builds(Address, LOCAL, DOMAIN)
XTEXT = st.text("abc<>2B", min_size=1, max_size=50)
MAIL = st.builds(
    c.Mail,
    st.none() | ADDRESS,
    st.none() | st.integers(0, 10**19),
    st.none() | st.sampled_from(Body),
    st.booleans(),
    st.none() | st.sampled_from(("FULL", "HDRS")),
    st.none() | XTEXT,
    st.none() | XTEXT,
    st.booleans(),
)
NOTIFY = st.sampled_from((None, "NEVER", "SUCCESS", "SUCCESS,FAILURE,DELAY", "DELAY,FAILURE"))
RCPT = st.builds(c.Rcpt, ADDRESS, NOTIFY, st.none() | XTEXT.map("rfc822;{}".format))


def _line(command: c.Command) -> str:
    wire = command.encode()
    assert wire.endswith(b"\r\n")
    return wire[:-2].decode()


@given(MAIL)
def test_a_mail_that_is_said_is_the_one_read(mail: c.Mail) -> None:
    assert parse_mail(_line(mail)) == mail


@given(RCPT)
def test_a_recipient_that_is_said_is_the_one_read(rcpt: c.Rcpt) -> None:
    assert parse_rcpt(_line(rcpt)) == rcpt


@given(st.binary(max_size=100))
def test_a_response_that_is_said_is_the_one_read(response: bytes) -> None:
    said = c.AuthResponse(response)
    assert parse_response(_line(said)) == said
    auth = c.Auth("PLAIN", response)
    assert GRAMMAR["AUTH"].read(_line(auth)) == auth
    assert "***" in repr(auth) or repr(response) not in repr(auth)


def test_every_other_command_that_is_said_is_the_one_read() -> None:
    for command in (
        c.Helo("client.test"),
        c.Helo("client.test", extended=False),
        c.StartTls(),
        c.Auth("LOGIN"),
        c.Data(),
        c.Rset(),
        c.Noop(),
        c.Vrfy("ann"),
        c.Expn("list"),
        c.Help(),
        c.Help("MAIL"),
        c.Quit(),
    ):
        line = _line(command)
        grammar = GRAMMAR[line[:4].upper()]
        assert grammar.read(line) == command
        assert grammar.read(line.lower()) == command or isinstance(command, c.Help)
        assert grammar.verb is command.verb
    for chunk in (c.Chunk(0, last=True), c.Chunk(10**18)):
        assert parse_chunk(_line(chunk)) == chunk
    assert parse_response(_line(c.AuthCancelled())) == c.AuthCancelled()


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(c.Auth("PLAIN", b"hunter2"))
    assert "hunter2" not in repr(c.AuthResponse(b"hunter2"))


def _code(line: str) -> int:
    """What the line is refused with, 0 when it is not."""
    try:
        GRAMMAR[line[:4]].read(line)
    except CommandError as error:
        return error.reply.code
    return 0


@given(st.sampled_from(sorted(GRAMMAR)), st.text(st.characters(exclude_categories=("C",)), max_size=60))
def test_no_line_breaks_a_reader(word: str, rest: str) -> None:
    assert _code(word + rest) in (0, 500, 501, 553, 555)


@given(st.sampled_from(("MAIL FROM:", "RCPT TO:")), st.text('<>"\\@:, ab[]=;', max_size=40))
def test_no_path_breaks_a_reader(start: str, rest: str) -> None:
    assert _code(start + rest) in (0, 501, 553, 555)
