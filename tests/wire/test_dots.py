"""Where a message ends, and what is refused in it. RFC 5321 §4.5.2, §2.3.8."""

from __future__ import annotations

import re
import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatepost.wire.dots import ContentFault, ContentScanner, RawScanner, Stuffer, Unstuffer, stuff, unstuff

NO_LIMIT = 10**12
# Made of what matters: line ends, dots, NUL and lines around the limit.
PIECES = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b".", b"..", b"x", b"\0", b"\r\n.", b"\r\n.\r\n", b"x" * 997, b"x" * 998, b"\xff"]
)
OCTETS = st.lists(PIECES, max_size=12).map(b"".join)
GOOD_LINES = st.lists(
    st.sampled_from([b"", b".", b"..", b".x", b"x", b"x" * 998, b"." * 998, b"\xe4 b", b"From x"]),
    max_size=12,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
CUTS = st.lists(st.integers(1, 40) | st.integers(900, 1100), min_size=1, max_size=8)


@dataclass(frozen=True, slots=True)
class Seen:
    content: bytes | None
    fault: ContentFault | None
    size_bytes: int
    rest: bytes | None


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data, cut at these lengths over and over."""
    found, at, turn = [], 0, 0
    while at < len(data):
        found.append(data[at : at + cuts[turn % len(cuts)]])
        at += cuts[turn % len(cuts)]
        turn += 1
    return found


def scan(data: bytes, cuts: list[int], limit_bytes: int = NO_LIMIT) -> Seen:
    """What a scanner says; content None after a fault, rest None without an end."""
    scanner = ContentScanner(limit_bytes)
    content, used = b"", 0
    for piece in pieces(data, cuts):
        used += len(piece)
        found = scanner.feed(piece)
        content += found.content
        if found.ended:
            rest = found.rest + data[used:]
            return Seen(None if scanner.fault else content, scanner.fault, scanner.size_bytes, rest)
    return Seen(None, scanner.fault, 0, None)


def scan_raw(data: bytes, cuts: list[int], limit_bytes: int = NO_LIMIT) -> Seen:
    scanner = RawScanner(limit_bytes)
    content = b"".join([scanner.feed(piece) for piece in pieces(data, cuts)]) + scanner.finish()
    return Seen(None if scanner.fault else content, scanner.fault, scanner.size_bytes, b"")


def plain_fault(content: bytes, *, stuffed: bool) -> ContentFault | None:
    """What the rules say, octet by octet."""
    line = 0
    for at, octet in enumerate(content):
        if octet == 0:
            return ContentFault.NUL
        if octet == 10 and content[at - 1 : at] != b"\r":
            return ContentFault.BARE_LF
        if octet == 13 and content[at + 1 : at + 2] != b"\n":
            return ContentFault.BARE_CR
        if octet in b"\r\n":
            line = at + 1
        elif at - line >= 998 + (stuffed and content[line : line + 1] == b"."):
            return ContentFault.LINE_TOO_LONG
    return None


@pytest.mark.parametrize(
    ("data", "content", "rest"),
    [
        (b".\r\n", b"", b""),
        (b".\r\nQUIT\r\n", b"", b"QUIT\r\n"),
        (b"a\r\n.\r\n", b"a\r\n", b""),
        (b"\r\n.\r\n.\r\n", b"\r\n", b".\r\n"),
        (b"a\r\n..b\r\n.\r\nRSET\r\n", b"a\r\n..b\r\n", b"RSET\r\n"),
        (b"..\r\n.\r\n", b"..\r\n", b""),
        (b".a\r\n.\r\n", b".a\r\n", b""),
    ],
)
def test_content_ends_at_the_line_with_the_dot(data: bytes, content: bytes, rest: bytes) -> None:
    for cuts in ([len(data)], [1], [2], [3]):
        assert scan(data, cuts) == Seen(content, None, len(unstuff(content)), rest)


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n\0.\r\n", b"\r\n.\r"]
)
def test_nothing_else_ends_it(end: bytes) -> None:
    data = b"a" + end + b"MAIL FROM:<x@y>\r\n.\r\nQUIT\r\n"
    for cuts in ([len(data)], [1], [2], [3]):
        seen = scan(data, cuts)
        assert seen.rest == b"QUIT\r\n"
        assert seen.fault is not None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a\nb\r\n", ContentFault.BARE_LF),
        (b"\nb\r\n", ContentFault.BARE_LF),
        (b"a\r\n\nb\r\n", ContentFault.BARE_LF),
        (b"a\rb\r\n", ContentFault.BARE_CR),
        (b"a\r\r\n", ContentFault.BARE_CR),
        (b"\r\r\n", ContentFault.BARE_CR),
        (b"a\0b\r\n", ContentFault.NUL),
        (b"x" * 999 + b"\r\n", ContentFault.LINE_TOO_LONG),
        (b"." + b"x" * 999 + b"\r\n", ContentFault.LINE_TOO_LONG),
        (b"x" * 5000 + b"\n" + b"\r\n", ContentFault.LINE_TOO_LONG),
        (b"x" * 70 + b"\n" + b"x" * 5000 + b"\r\n", ContentFault.BARE_LF),
        (b"x" * 998 + b"\r\n", None),
        (b"." + b"x" * 998 + b"\r\n", None),
        ((b"." + b"x" * 998 + b"\r\n") * 5, None),
        ((b"x" * 998 + b"\r\n") * 5, None),
    ],
)
def test_the_first_fault_is_named(content: bytes, fault: ContentFault | None) -> None:
    for cuts in ([10**6], [1], [2], [3], [999], [1000]):
        seen = scan(content + b".\r\n", cuts)
        assert (seen.fault, seen.content) == (fault, None if fault else content)


def test_a_line_of_raw_content_may_not_use_the_octet_of_the_dot() -> None:
    assert scan_raw(b"." + b"x" * 998 + b"\r\n", [10**6]).fault is ContentFault.LINE_TOO_LONG
    assert scan_raw(b"." + b"x" * 997 + b"\r\n", [10**6]).content == b".." + b"x" * 997 + b"\r\n"


def test_content_of_just_the_limit_is_taken() -> None:
    content = b"0123456\r\n"
    assert scan(content + b".\r\n", [4], limit_bytes=9).content == content
    assert scan(content + b".\r\n", [4], limit_bytes=8).fault is ContentFault.TOO_LARGE
    assert scan_raw(content, [4], limit_bytes=9).content == content
    assert scan_raw(content, [4], limit_bytes=8).fault is ContentFault.TOO_LARGE


def test_stuffed_dots_are_no_part_of_the_size() -> None:
    assert scan(b"..a\r\n" * 3 + b".\r\n", [2], limit_bytes=12).size_bytes == 12


def test_raw_content_without_a_last_crlf_gets_one() -> None:
    assert scan_raw(b"a", [1]) == Seen(b"a\r\n", None, 1, b"")
    assert scan_raw(b"", [1]) == Seen(b"", None, 0, b"")
    assert scan_raw(b".", [1]) == Seen(b"..\r\n", None, 1, b"")
    assert scan_raw(b"a\r", [1]).fault is ContentFault.BARE_CR


@given(OCTETS, CUTS)
@example(b"." + b"x" * 999 + b"\r\n.\r\n", [1])
def test_the_cuts_of_reads_do_not_matter(data: bytes, cuts: list[int]) -> None:
    assert scan(data, cuts) == scan(data, [len(data) + 1])
    assert scan_raw(data, cuts) == scan_raw(data, [len(data) + 1])


@given(OCTETS, CUTS)
def test_the_scanner_says_what_the_rules_say(data: bytes, cuts: list[int]) -> None:
    seen = scan(data, cuts)
    end = re.search(rb"(?:\A|\r\n)\.\r\n", data)
    assert (seen.rest is not None) == (end is not None)
    if end is not None:
        content = data[: end.start()] + (b"\r\n" if end.start() or end[0] != b".\r\n" else b"")
        assert seen.fault is plain_fault(content, stuffed=True)
        assert seen.rest == data[end.end() :]
        assert seen.size_bytes == len(unstuff(content))
        assert seen.content == (None if seen.fault else content)


@given(OCTETS, CUTS)
def test_raw_content_comes_out_as_data_would_carry_it(data: bytes, cuts: list[int]) -> None:
    seen = scan_raw(data, cuts)
    assert seen.fault is plain_fault(data, stuffed=False)
    assert seen.size_bytes == len(data)
    if seen.content is not None:
        assert unstuff(seen.content) == data + (b"" if data.endswith(b"\r\n") or not data else b"\r\n")
        assert scan(seen.content + b".\r\n", cuts).content == seen.content


@given(GOOD_LINES, CUTS, st.binary(max_size=20))
def test_stuffed_content_passes_the_scanner(content: bytes, cuts: list[int], rest: bytes) -> None:
    assert scan(stuff(content) + b".\r\n" + rest, cuts) == Seen(stuff(content), None, len(content), rest)


@given(OCTETS)
def test_unstuffing_undoes_stuffing(content: bytes) -> None:
    assert unstuff(stuff(content)) == content


@given(OCTETS, CUTS)
def test_streams_do_what_is_done_to_the_whole(content: bytes, cuts: list[int]) -> None:
    stuffer, unstuffer = Stuffer(), Unstuffer()
    assert b"".join(map(stuffer.feed, pieces(content, cuts))) + stuffer.finish() == stuff(content)
    assert b"".join(map(unstuffer.feed, pieces(content, cuts))) + unstuffer.finish() == unstuff(content)


def test_a_hundred_megabytes_without_a_line_end_are_not_kept() -> None:
    scanner, read = ContentScanner(NO_LIMIT), b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(1600):
            assert scanner.feed(read).content == b""
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert scanner.fault is ContentFault.LINE_TOO_LONG
    assert scanner.size_bytes == 1600 * 65536
