from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.answers import ReplyReader
from gatepost.smtp.error import RemoteProtocolError
from gatepost.smtp.reply import Reply

TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("C", "Z")), max_size=60
)
CODE = st.integers(200, 599)


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    code = draw(CODE)
    status = draw(st.none() | st.builds("{}.{}".format, st.integers(0, 999), st.integers(0, 999)))
    enhanced = None if status is None or code // 100 == 3 else f"{code // 100}.{status}"
    lines = draw(st.lists(TEXT.map(lambda text: f"x{text}"), min_size=1, max_size=5))
    return Reply(code, enhanced, tuple(lines))


def test_a_reply_of_several_lines_is_one_write() -> None:
    reply = Reply(550, "5.7.1", ("No", "Never"))
    assert reply.encode() == b"550-5.7.1 No\r\n550 5.7.1 Never\r\n"
    assert reply.encode() is reply.encode()
    assert str(reply) == "550 5.7.1 No Never"


def test_a_refusal_ends_with_its_reason() -> None:
    reply = Reply(550, "5.7.1", ("Unable to relay", "for x@else.example")).one_line("relay-denied", "7F3K2Q")
    assert reply.encode() == b"550 5.7.1 Unable to relay for x@else.example [relay-denied 7F3K2Q]\r\n"


def test_a_text_that_is_too_long_is_cut_and_the_reason_stays() -> None:
    for letter in ("x", "ä", "😀"):
        wire = Reply(550, "5.7.1", (letter * 600,)).one_line("relay-denied", "7F3K2Q").encode()
        assert 500 < len(wire) <= 512
        assert wire.decode().endswith(" [relay-denied 7F3K2Q]\r\n")
        assert len(Reply(250, None, (letter * 600, "x")).encode().split(b"\r\n")[0]) <= 510


def test_a_text_never_becomes_a_second_reply() -> None:
    assert Reply(250, None, ("a\r\n250 b\x00\x1b",)).encode() == b"250 a??250 b??\r\n"


@given(replies(), st.data())
def test_what_is_said_is_read_whatever_the_cut(reply: Reply, data: st.DataObject) -> None:
    wire, reader = reply.encode(), ReplyReader()
    cut = data.draw(st.integers(0, len(wire) - 1))
    reader.feed(wire[:cut])
    assert reader.next_reply() is None
    reader.feed(wire[cut:] + b"250")
    assert reader.next_reply() == reply
    assert reader.next_reply() is None
    assert len(reader) == 3


@pytest.mark.parametrize(
    "wire",
    [
        b"abc\r\n",
        b"25\r\n",
        b"\r\n",
        b"25x hi\r\n",
        b"\xb2\xb250 hi\r\n",
        b"250=hi\r\n",
        b"2500 hi\r\n",
        b"150 hi\r\n",
        b"650 hi\r\n",
        b"250-hi\r\n251 hi\r\n",
        b"250-hi\r\nhi\r\n",
        b"250 " + b"x" * 5000,
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250-x\r\n" * 300,
    ],
)
def test_what_is_no_reply_is_their_fault(wire: bytes) -> None:
    reader = ReplyReader()
    reader.feed(wire)
    with pytest.raises(RemoteProtocolError):
        reader.next_reply()


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250\r\n", Reply(250, None, ("",))),
        (b"250 \n", Reply(250, None, ("",))),
        (b"250-\r\n250 b\r\n", Reply(250, None, ("", "b"))),
        (b"250 2.1.0\r\n", Reply(250, "2.1.0", ("",))),
        (b"250 2.1.0 OK\r\n", Reply(250, "2.1.0", ("OK",))),
        (b"250 5.1.0 OK\r\n", Reply(250, None, ("5.1.0 OK",))),
        (b"250 2.1.0.9 OK\r\n", Reply(250, None, ("2.1.0.9 OK",))),
        (b"550-5.7.1 a\r\n550-b\r\n550 5.7.1 c\r\n", Reply(550, "5.7.1", ("a", "b", "c"))),
        (b"550 5.7.1 \x1b[2J\xff\r\n", Reply(550, "5.7.1", ("?[2J�",))),
    ],
)
def test_replies_of_all_sorts_are_read(wire: bytes, reply: Reply) -> None:
    reader = ReplyReader()
    reader.feed(wire)
    assert reader.next_reply() == reply


@given(st.binary(max_size=300))
def test_rubbish_is_an_error_or_a_reply(rubbish: bytes) -> None:
    reader = ReplyReader()
    reader.feed(rubbish)
    try:
        while (reply := reader.next_reply()) is not None:
            assert 200 <= reply.code <= 599
            assert all(line.isprintable() for line in reply.lines)
    except RemoteProtocolError:
        pass
