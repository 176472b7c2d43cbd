from __future__ import annotations

import pytest

from gatepost.mail.address import Address
from gatepost.mail.envelope import Body
from gatepost.smtp import command as c
from gatepost.smtp.client import Answer, Client
from gatepost.smtp.error import LocalProtocolError, RemoteProtocolError
from gatepost.smtp.event import NEED_DATA
from gatepost.smtp.extension import Extensions
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import State, Verb

ANN = Address("ann", "example.org")
BOB = Address("bob", "example.net")
EVERYTHING = (
    b"250-mx\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
    b"250-DSN\r\n250-STARTTLS\r\n250-REQUIRETLS\r\n250 AUTH PLAIN\r\n"
)


def _codes(client: Client, replies: bytes) -> list[int]:
    client.feed(replies)
    codes = []
    while (answer := client.next_reply()) is not NEED_DATA:
        codes.append(answer.reply.code)
    return codes


def _introduced(offers: bytes = EVERYTHING) -> Client:
    client = Client()
    _codes(client, b"220 mx\r\n")
    client.send(c.Helo("client.test"))
    assert _codes(client, offers) == [250]
    return client


def _in_data() -> Client:
    client = _introduced()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        client.send(command)
    assert _codes(client, b"250 a\r\n250 b\r\n354 c\r\n") == [250, 250, 354]
    return client


def test_nothing_is_sent_before_the_greeting() -> None:
    with pytest.raises(LocalProtocolError):
        Client().send(c.Helo("client.test"))


def test_a_refusing_greeting_leaves_only_quit() -> None:
    client = Client()
    assert _codes(client, b"554 no\r\n") == [554]
    with pytest.raises(LocalProtocolError):
        client.send(c.Helo("client.test"))
    assert client.send(c.Quit()) == b"QUIT\r\n"
    assert _codes(client, b"221 bye\r\n") == [221]
    assert client.closed
    with pytest.raises(LocalProtocolError):
        client.send(c.Noop())


def test_a_batch_is_answered_command_by_command() -> None:
    client = _introduced()
    batch: list[c.Command] = [c.Mail(ANN, size_bytes=5), c.Rcpt(BOB), c.Rcpt(ANN), c.Data()]
    wire = b"".join(client.send(command) for command in batch)
    assert wire == (
        b"MAIL FROM:<ann@example.org> SIZE=5\r\nRCPT TO:<bob@example.net>\r\n"
        b"RCPT TO:<ann@example.org>\r\nDATA\r\n"
    )
    client.feed(b"250 a\r\n550 5.1.1 b\r\n250 c\r\n354 d\r\n")
    answers = [client.next_reply() for _ in batch]
    assert [answer.command for answer in answers if isinstance(answer, Answer)] == batch
    assert client.state is State.DATA
    assert client.send(c.Dot()) == b".\r\n"
    # RFC 2920 allows the next message behind the dot.
    client.send(c.Mail(ANN))
    client.send(c.Rcpt(BOB))
    assert _codes(client, b"250 taken\r\n250 a\r\n250 b\r\n") == [250, 250, 250]
    assert client.state is State.RCPT


def test_a_dot_waits_for_354_and_for_every_answer_before_it() -> None:
    client = _introduced()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        client.send(command)
    with pytest.raises(LocalProtocolError):
        client.send(c.Dot())
    assert _codes(client, b"250 a\r\n250 b\r\n") == [250, 250]
    with pytest.raises(LocalProtocolError):
        client.send(c.Dot())


def test_nothing_goes_behind_data_before_its_answer() -> None:
    client = _introduced()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        client.send(command)
    with pytest.raises(LocalProtocolError):
        client.send(c.Rset())


def test_a_refused_mail_takes_the_batch_with_it() -> None:
    client = _introduced()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        client.send(command)
    assert _codes(client, b"550 a\r\n503 b\r\n503 c\r\n") == [550, 503, 503]
    assert client.state is State.READY
    client.send(c.Mail(ANN))


@pytest.mark.parametrize(
    ("replies", "codes"),
    [(b"550 a\r\n503 b\r\n354 c\r\n", [550, 503, 354]), (b"250 a\r\n550 b\r\n354 c\r\n", [250, 550, 354])],
)
def test_a_354_for_nobody_is_answered_with_a_lone_dot(replies: bytes, codes: list[int]) -> None:
    client = _introduced()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        client.send(command)
    assert _codes(client, replies) == codes
    assert client.send(c.Dot()) == b".\r\n"
    assert _codes(client, b"554 nobody\r\n") == [554]
    assert client.state is State.READY


def test_without_pipelining_every_answer_is_waited_for() -> None:
    client = _introduced(b"250 mx\r\n")
    client.send(c.Mail(ANN))
    with pytest.raises(LocalProtocolError):
        client.send(c.Rcpt(BOB))
    assert _codes(client, b"250 a\r\n") == [250]
    client.send(c.Rcpt(BOB))


@pytest.mark.parametrize(
    "command",
    [
        c.StartTls(),
        c.Auth("PLAIN"),
        c.Mail(ANN, size_bytes=1),
        c.Mail(ANN, body=Body.EIGHT_BIT),
        c.Mail(ANN, smtputf8=True),
        c.Mail(ANN, ret="HDRS"),
        c.Mail(ANN, envid="x"),
        c.Mail(ANN, auth="<>"),
        c.Mail(ANN, require_tls=True),
    ],
)
def test_what_is_not_offered_is_not_sent(command: c.Command) -> None:
    with pytest.raises(LocalProtocolError):
        _introduced(b"250 mx\r\n").send(command)
    _introduced().send(command)


@pytest.mark.parametrize("command", [c.Rcpt(BOB, notify="NEVER"), c.Rcpt(BOB, orcpt="a;b"), c.Chunk(1)])
def test_what_is_not_offered_is_not_sent_for_a_recipient(command: c.Command) -> None:
    client = _introduced(b"250 mx\r\n")
    for other in (c.Mail(ANN), c.Rcpt(BOB)):
        client.send(other)
        _codes(client, b"250 a\r\n")
    with pytest.raises(LocalProtocolError):
        client.send(command)


def test_a_line_break_is_never_sent_within_a_command() -> None:
    client = _introduced()
    for command in (c.Mail(Address("a\r\nDATA", "b")), c.Vrfy("a\nb"), c.Mail(Address("a\0", "b"))):
        with pytest.raises(LocalProtocolError):
            client.send(command)
    assert client.answers_due == 0
    assert client.state is State.READY


def test_starttls_forgets_what_was_offered() -> None:
    client = _introduced()
    client.send(c.StartTls())
    assert _codes(client, b"220 go\r\n") == [220]
    with pytest.raises(LocalProtocolError):
        client.feed(b"x")
    client.tls_started()
    assert client.tls
    assert client.extensions == Extensions()
    with pytest.raises(LocalProtocolError):
        client.send(c.Mail(ANN))
    client.send(c.Helo("client.test"))


def test_replies_in_clear_behind_starttls_are_an_attack() -> None:
    client = _introduced()
    client.send(c.StartTls())
    client.feed(b"220 go\r\n250 mx\r\n")
    with pytest.raises(RemoteProtocolError):
        client.next_reply()


def test_a_login_in_two_steps() -> None:
    client = _introduced()
    client.send(c.Auth("PLAIN"))
    assert _codes(client, b"334 \r\n") == [334]
    with pytest.raises(LocalProtocolError):
        client.send(c.Mail(ANN))
    client.send(c.AuthResponse(b"\0ann\0secret"))
    assert _codes(client, b"235 2.7.0 welcome\r\n") == [235]
    assert client.authenticated
    with pytest.raises(LocalProtocolError):
        client.send(c.Auth("PLAIN"))


def test_a_refused_login_may_be_tried_again() -> None:
    client = _introduced()
    client.send(c.Auth("PLAIN", b"x"))
    assert _codes(client, b"535 no\r\n") == [535]
    client.send(c.Auth("PLAIN"))
    assert _codes(client, b"334 \r\n") == [334]
    client.send(c.AuthCancelled())
    assert _codes(client, b"501 ok\r\n") == [501]
    assert client.state is State.READY


def test_421_closes_whatever_it_answers() -> None:
    client = _introduced()
    assert _codes(client, b"421 idle\r\n") == [421]
    assert client.closed
    client = _in_data()
    client.send(c.Dot())
    client.feed(b"421 stopping\r\n")
    assert client.next_reply() == Answer(c.Dot(), Reply(421, None, ("stopping",)), Verb.CONTENT)
    assert client.closed


@pytest.mark.parametrize(
    "replies",
    [b"250 to nothing\r\n", b"rubbish\r\n"],
)
def test_a_reply_to_nothing_is_their_fault(replies: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        _codes(_introduced(), replies)


@pytest.mark.parametrize("reply", [b"354 go\r\n", b"334 x\r\n"])
def test_a_reply_that_answers_nothing_of_the_kind_is_their_fault(reply: bytes) -> None:
    client = _introduced()
    client.send(c.Mail(ANN))
    with pytest.raises(RemoteProtocolError):
        _codes(client, reply)


def test_the_end_of_the_connection_before_the_answer_is_their_fault() -> None:
    client = _in_data()
    client.send(c.Dot())
    with pytest.raises(RemoteProtocolError):
        _codes(client, b"")
    assert client.closed
    idle = _introduced()
    assert _codes(idle, b"") == []


def test_bdat_may_be_pipelined() -> None:
    client = _introduced()
    sent = [client.send(command) for command in (c.Mail(ANN), c.Rcpt(BOB), c.Chunk(3), c.Chunk(0, last=True))]
    assert sent[2:] == [b"BDAT 3\r\n", b"BDAT 0 LAST\r\n"]
    assert _codes(client, b"250 a\r\n250 b\r\n250 c\r\n250 d\r\n") == [250] * 4
    assert client.state is State.READY


def test_a_refused_bdat_asks_for_rset() -> None:
    client = _introduced()
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Chunk(3)):
        client.send(command)
    assert _codes(client, b"250 a\r\n250 b\r\n552 c\r\n") == [250, 250, 552]
    with pytest.raises(LocalProtocolError):
        client.send(c.Mail(ANN))
    client.send(c.Rset())
    assert _codes(client, b"250 a\r\n") == [250]
    client.send(c.Mail(ANN))


def test_a_group_goes_out_as_its_commands_would() -> None:
    together, singly = _introduced(), _introduced()
    commands = (c.Mail(ANN), c.Rcpt(BOB), c.Rcpt(ANN), c.Data())
    line = together.begin(c.Mail(ANN), [c.Rcpt(BOB), c.Rcpt(ANN)])
    assert line == b"".join(singly.send(command) for command in commands)
    assert together.answers_due == singly.answers_due == 4
    said = b"250 a\r\n250 b\r\n550 c\r\n354 d\r\n"
    for client in (together, singly):
        client.feed(said)
    answers = list(together.replies())
    assert answers == list(singly.replies())
    assert [answer.verb for answer in answers] == [Verb.MAIL, Verb.RCPT, Verb.RCPT, Verb.DATA]
    assert together.state is singly.state is State.DATA


@pytest.mark.parametrize("said", [b"250 a\r\n250 b\r\n354 c\r\n", b"250 2.1.0 a\r\n251 2.1.5 b\r\n354 c\r\n"])
def test_one_answer_stands_for_a_group_that_was_taken(said: bytes) -> None:
    client = _in_data()
    client.send(c.Dot())
    client.begin(c.Mail(ANN), [c.Rcpt(BOB)])
    client.feed(b"250 it is mine\r\n" + said)
    assert [answer.verb for answer in client.replies()] == [Verb.CONTENT, Verb.DATA]
    assert client.state is State.DATA
    assert client.answers_due == 0
    assert client.send(c.Dot())
    assert _codes(client, b"250 that too\r\n") == [250]


@pytest.mark.parametrize(
    "said",
    [
        [b"250 a\r\n", b"250 b\r\n354 c\r\n"],
        [b"250 a\r\n250 b\r\n35", b"4 c\r\n"],
        [b"250-a\r\n250 a\r\n250 b\r\n354 c\r\n"],
        [b"250-a\r\n250 b\r\n354 c\r\n", b"250 b\r\n354 c\r\n"],
        [b"250 a\n250 b\r\n354 c\r\n"],
        [b"250 a\r\n550 b\r\n354 c\r\n"],
        [b"250 a\r\n550 b\r\n554 c\r\n"],
        [b"450 a\r\n503 b\r\n503 c\r\n"],
        [b"421 a\r\n"],
        [b"250 a\r\n250 b\r\n354 c\r\n354 d\r\n"],
        [b"250 a\r\n250 b\r\n250 c\r\n"],
        [b"250 a\r\n2x0 b\r\n354 c\r\n"],
    ],
)
def test_a_group_is_else_answered_as_its_commands_would_be(said: list[bytes]) -> None:
    together, singly = _introduced(), _introduced()
    together.begin(c.Mail(ANN), [c.Rcpt(BOB)])
    for command in (c.Mail(ANN), c.Rcpt(BOB), c.Data()):
        singly.send(command)
    heard = []
    for client in (together, singly):
        answers: list[object] = []
        try:
            for octets in said:
                client.feed(octets)
                answers += client.replies()
        except RemoteProtocolError as error:
            answers.append(str(error))
        heard.append((answers, client.state))
    assert heard[0] == heard[1]


def test_a_group_may_follow_the_dot_and_nothing_else() -> None:
    client = _in_data()
    with pytest.raises(LocalProtocolError):
        client.begin(c.Mail(ANN), [c.Rcpt(BOB)])
    client.send(c.Dot())
    client.begin(c.Mail(ANN), [c.Rcpt(BOB)])
    with pytest.raises(LocalProtocolError):
        client.begin(c.Mail(ANN), [c.Rcpt(BOB)])


@pytest.mark.parametrize(
    ("mail", "recipients"),
    [
        (c.Mail(ANN), []),
        (c.Mail(ANN), [c.Rcpt(Address("bob\r\nRSET", "example.net"))]),
        (c.Mail(ANN), [c.Rcpt(BOB), c.Rcpt(Address("bob", "example\n.net"))]),
    ],
)
def test_a_group_that_may_not_be_sent_changes_nothing(mail: c.Mail, recipients: list[c.Rcpt]) -> None:
    client = _introduced()
    with pytest.raises(LocalProtocolError):
        client.begin(mail, recipients)
    assert client.answers_due == 0
    assert client.send(c.Mail(ANN))


def test_a_group_asks_for_nothing_that_is_not_offered() -> None:
    client = _introduced(b"250-mx\r\n250 PIPELINING\r\n")
    for mail, rcpt in ((c.Mail(ANN, 5), c.Rcpt(BOB)), (c.Mail(ANN), c.Rcpt(BOB, "NEVER"))):
        with pytest.raises(LocalProtocolError):
            client.begin(mail, [rcpt])
    with pytest.raises(LocalProtocolError):
        _introduced(b"250 mx\r\n").begin(c.Mail(ANN), [c.Rcpt(BOB)])
