"""The core under every order of commands, every cut of the bytes, and rubbish."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.pop3 import event
from gatepost.pop3.reply import Reply, err, ok
from gatepost.pop3.server import AHEAD_LIMIT_BYTES, NEED_DATA, RESPONSE_LIMIT_BYTES, Server
from gatepost.pop3.state import LocalProtocolError, State
from gatepost.pop3.view import View
from pop3.maildrop import MESSAGES, Maildrop

COMMANDS = (
    "USER bob", "PASS pass word", "PASS wrong", "CAPA", "STAT", "LIST", "LIST 1", "LIST 9", "UIDL", "UIDL 2",
    "RETR 1", "RETR 3", "RETR 0", "TOP 1 1", "DELE 1", "DELE 2", "DELE 3", "RSET", "NOOP", "LANG", "LANG en",
    "UTF8", "AUTH PLAIN", "AUTH", "*", "AGJvYgBwYXNzIHdvcmQ=", "QUIT", "XYZZY", "",
)  # fmt: skip


def started() -> Server:
    server = Server()
    server.greeting(ok())
    return server


def logged_in() -> Maildrop:
    drop = Maildrop()
    drop.greet()
    assert drop.give(b"USER bob\r\nPASS pass word\r\n").startswith(b"+OK")
    return drop


def test_an_event_must_be_answered_before_the_next() -> None:
    server = started()
    server.feed(b"CAPA\r\nCAPA\r\n")
    assert server.next_event() == event.Capa()
    with pytest.raises(LocalProtocolError):
        server.next_event()
    server.reply(ok())
    assert server.next_event() == event.Capa()


def test_a_reply_to_nothing_is_our_own_fault() -> None:
    server = started()
    with pytest.raises(LocalProtocolError):
        server.reply(ok())
    with pytest.raises(LocalProtocolError):
        server.greeting(ok())


def test_a_refused_greeting_ends_the_session() -> None:
    server = Server()
    assert server.greeting(err("busy")) == b"-ERR busy\r\n"
    server.feed(b"USER bob\r\n")
    assert server.next_event() == event.Closed()


def test_secrets_do_not_print() -> None:
    server = started()
    server.feed(b"USER bob\r\nPASS hunter2\r\nAUTH PLAIN aHVudGVyMg==\r\n")
    server.next_event()
    server.reply(ok())
    shown = repr(server.next_event())
    server.reply(err("no"))
    assert "hunter2" not in shown + repr(server.next_event()) + repr(event.AuthResponse(b"hunter2"))


def test_a_password_keeps_its_spaces() -> None:
    server = started()
    server.feed(b"USER bob\r\nPASS  two words \r\n")
    server.next_event()
    server.reply(ok())
    asked = server.next_event()
    assert isinstance(asked, event.Pass)
    assert (asked.name, asked.password.reveal()) == ("bob", " two words ")


def test_an_overlong_line_is_refused_once_and_costs_bounded_memory() -> None:
    drop = logged_in()
    for _ in range(200):
        assert drop.give(b"x" * 65_536) == b""
        assert drop.core.buffered_bytes <= RESPONSE_LIMIT_BYTES
    assert drop.give(b"x\r\nNOOP\r\n") == b"-ERR line too long\r\n+OK\r\n"


def test_an_overlong_line_ends_an_exchange() -> None:
    drop = Maildrop()
    drop.greet()
    assert drop.give(b"AUTH PLAIN\r\n" + b"A" * 20_000 + b"\r\nCAPA\r\n").startswith(
        b"+ \r\n-ERR line too long\r\n+OK capa"
    )


def test_a_client_far_ahead_is_not_read() -> None:
    server = started()
    server.feed(b"NOOP\r\n" * (AHEAD_LIMIT_BYTES // 6 + 1))
    assert not server.wants_data


@pytest.mark.parametrize("behind", [b"x", b"USER bob\r\n", b"\x16\x03\x01"])
def test_bytes_in_clear_behind_stls_are_an_intrusion(behind: bytes) -> None:
    together, later = started(), started()
    together.feed(b"STLS\r\n" + behind)
    assert together.next_event() == event.Intrusion()
    assert together.next_event() == event.Closed()
    later.feed(b"STLS\r\n")
    assert later.next_event() == event.Stls()
    later.reply(ok())
    later.feed(behind)
    with pytest.raises(LocalProtocolError):
        later.tls_started()
    assert later.next_event() == event.Intrusion()


def test_a_refused_stls_leaves_the_session_as_it_was() -> None:
    server = started()
    server.feed(b"STLS\r\n")
    server.next_event()
    server.reply(err("no TLS here"))
    server.feed(b"CAPA\r\n")
    assert server.next_event() == event.Capa()


def test_a_dropped_session_removes_nothing() -> None:
    drop = logged_in()
    drop.give(b"DELE 1\r\nDELE 2\r\nQUI")
    assert drop.removed == ()
    assert drop.give(b"T\r\n").startswith(b"+OK")
    assert drop.removed == (0, 1)


@given(st.lists(st.sampled_from(COMMANDS), max_size=30), st.data())
@settings(max_examples=150, deadline=None)
def test_how_the_bytes_are_cut_changes_nothing(commands: list[str], data: st.DataObject) -> None:
    sent = b"".join(command.encode() + b"\r\n" for command in commands)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    whole, cut = Maildrop(), Maildrop()
    whole.greet()
    cut.greet()
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert whole.give(sent) == b"".join(cut.give(piece) for piece in pieces)
    assert whole.core.state is cut.core.state


@given(st.lists(st.sampled_from(COMMANDS), max_size=40))
@settings(max_examples=150, deadline=None)
def test_each_command_has_one_answer_and_marks_count_at_quit_alone(commands: list[str]) -> None:
    drop = Maildrop()
    drop.greet()
    marked: set[int] = set()
    for command in commands:
        before = drop.core.state
        answer = drop.give(command.encode() + b"\r\n")
        if before is State.CLOSED:
            assert answer == b""
            continue
        assert answer.startswith((b"+OK", b"-ERR", b"+ "))
        assert answer.endswith(b"\r\n")
        if before is State.TRANSACTION and answer.startswith(b"+OK"):
            if command.startswith("DELE"):
                marked.add(int(command[5:]) - 1)
            elif command == "RSET":
                marked.clear()
        assert drop.view is None or set(drop.view.deleted()) == marked
        ended = drop.core.state is State.CLOSED and before is State.TRANSACTION and command == "QUIT"
        assert set(drop.removed) == (marked if ended else set())


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"\r\n", b"\n", b"USER bob\r\n"]), max_size=40))
@settings(max_examples=200, deadline=None)
def test_rubbish_is_answered_or_ends_the_session(pieces: list[bytes]) -> None:
    drop = Maildrop()
    drop.greet()
    for piece in pieces:
        for line in drop.give(piece).splitlines():
            assert line.isascii()
            assert len(line) <= 510


@given(st.lists(st.tuples(st.sampled_from("LUDRX"), st.integers(-2, 6)), max_size=40))
def test_the_view_agrees_with_a_plain_list(steps: list[tuple[str, int]]) -> None:
    sizes = [len(message) for message in MESSAGES]
    view, left = View(sizes, ["a", "b", "c"]), {1, 2, 3}
    for verb, number in steps:
        if verb == "X":
            view.answer(event.Rset())
            left = {1, 2, 3}
            continue
        there = number in left
        if verb == "D":
            assert view.answer(event.Dele(number)).sign.name == ("OK" if there else "ERR")
            left.discard(number)
        elif verb == "R":
            assert isinstance(view.index(number), Reply) is not there
        else:
            asked = event.List(number) if verb == "L" else event.Uidl(number)
            assert view.answer(asked).sign.name == ("OK" if there else "ERR")
        assert (view.count, view.size_bytes) == (len(left), sum(sizes[n - 1] for n in left))


def test_a_reply_never_breaks_its_line() -> None:
    assert err("a\r\n+OK b\x00").encode() == b"-ERR a  +OK b\r\n"
    assert len(err("ü" * 600).encode()) <= 512
    assert err("no").marked("in-use", "7F3K2Q").encode() == b"-ERR no [in-use 7F3K2Q]\r\n"


def test_nothing_needs_data_twice() -> None:
    server = started()
    assert server.next_event() is NEED_DATA
    server.feed(b"")
    assert server.next_event() is NEED_DATA
