"""Lines cut from what was received. RFC 5321 §2.3.8."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.wire.lines import LineError, LineFault, Lines

OCTETS = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"x", b"yy" * 6]), max_size=20).map(b"".join)


def taken(data: bytes, cut: int, limit_bytes: int = 20) -> list[bytes | LineFault]:
    """All lines of the data, fed in pieces of this size."""
    lines, found = Lines(), list[bytes | LineFault]()
    for at in range(0, len(data), cut):
        lines.feed(data[at : at + cut])
        while True:
            try:
                line = lines.next_line(limit_bytes)
            except LineError as error:
                found.append(error.fault)
                continue
            if line is None:
                break
            found.append(line)
    return found


def test_lines_come_without_their_end() -> None:
    assert taken(b"EHLO x\r\n\r\nQUIT\r\nNO", 100) == [b"EHLO x", b"", b"QUIT"]


@pytest.mark.parametrize("cut", [1, 2, 3, 100])
def test_a_refused_line_is_followed_by_the_next(cut: int) -> None:
    data = b"a\nb\rc\r\n" + b"x" * 19 + b"\r\n" + b"x" * 18 + b"\r\nQUIT\r\n"
    faults = [LineFault.BARE_LF, LineFault.BARE_CR, LineFault.TOO_LONG]
    assert taken(data, cut) == [*faults, b"x" * 18, b"QUIT"]


@given(OCTETS, st.integers(1, 30))
def test_the_cuts_of_reads_do_not_matter(data: bytes, cut: int) -> None:
    assert taken(data, cut) == taken(data, len(data) + 1)


@given(OCTETS)
def test_the_lines_are_all_there_is(data: bytes) -> None:
    assert len(taken(data, 7)) == data.count(b"\n")


def test_what_follows_can_be_taken_as_it_is() -> None:
    lines = Lines()
    lines.feed(b"DATA\r\nline\nof")
    assert lines.next_line(20) == b"DATA"
    assert lines.pending_bytes == 7
    assert lines.take_all() == b"line\nof"
    lines.feed(b"RSET\r\n")
    assert lines.next_line(20) == b"RSET"


def test_an_endless_line_is_not_kept() -> None:
    lines, read = Lines(), b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(200):
            lines.feed(read)
            assert lines.next_line(512) is None
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()
    lines.feed(b"\r\nQUIT\r\n")
    with pytest.raises(LineError):
        lines.next_line(512)
    assert lines.next_line(512) == b"QUIT"
