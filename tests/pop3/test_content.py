"""What is stored comes out as the wire wants it, whole or in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.pop3 import content

MAIL = st.lists(
    st.sampled_from([b"\n", b"\r\n", b".", b"..", b"a", b"From x", b"\r", b" "]), max_size=30
).map(b"".join)


def by_line(message: bytes) -> list[bytes]:
    """The lines, the slow and certain way: LF ends one, a CR before it belongs to the end."""
    lines = message.split(b"\n")
    ends = [line.removesuffix(b"\r") for line in lines[:-1]]
    return ends + ([lines[-1].removesuffix(b"\r")] if lines[-1] else [])


def stuffed(lines: list[bytes]) -> bytes:
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"


@given(MAIL)
def test_the_wire_form_is_that_of_the_slow_way(message: bytes) -> None:
    lines = by_line(message)
    assert content.wire(message) == stuffed(lines)
    assert content.crlf(message) == b"".join(line + b"\r\n" for line in lines)


@given(MAIL)
def test_the_size_is_that_of_what_comes_out(message: bytes) -> None:
    assert content.size_bytes(message) == len(content.crlf(message))


@given(MAIL, st.lists(st.integers(0, 60), max_size=6))
def test_pieces_give_the_same_as_the_whole(message: bytes, cuts: list[int]) -> None:
    cuts = sorted({min(cut, len(message)) for cut in cuts})
    pieces = [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)], strict=True)]
    stream = content.Wire()
    assert b"".join([stream.stuff(piece) for piece in pieces] + [stream.close()]) == content.wire(message)


@given(MAIL, st.integers(0, 8))
def test_top_gives_the_header_and_so_many_lines(message: bytes, count: int) -> None:
    lines = by_line(message)
    shown = lines[: lines.index(b"") + 1 + count] if b"" in lines else lines
    assert content.top(message, count) == stuffed(shown)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_of_one_megabyte_passes(end: bytes) -> None:
    message = b"Subject: x\n\n" + b"." * 1_000_000 + end
    assert content.wire(message) == b"Subject: x\r\n\r\n." + b"." * 1_000_000 + b"\r\n.\r\n"
