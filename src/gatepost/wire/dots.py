"""Dot-stuffing, and where a message ends (RFC 5321 §4.5.2, RFC 1939 §3). Pure.

The *wire form* of content is the one that goes over SMTP and POP3: lines end in CRLF and a line
that begins with a dot has one more. Gatepost keeps content in it from the first hop to the next.
Whole buffers are searched, never line by line.
"""

from __future__ import annotations

from typing import Final

from gatepost.value import value
from gatepost.wire.content import ContentCheck, ContentFault

__all__ = ["ContentFault", "ContentScanner", "RawScanner", "Scan", "Stuffer", "Unstuffer", "stuff", "unstuff"]

_END: Final = b"\r\n.\r\n"
_DOT: Final = b"\r\n."
_BEFORE: Final = b"\r\n"  # content begins at the start of a line: as if a CRLF stood before it


def stuff(content: bytes) -> bytes:
    """The wire form of whole content, without the line with the dot that ends it."""
    wire = content.replace(_DOT, b"\r\n..")
    return b"." + wire if wire.startswith(b".") else wire


def unstuff(wire: bytes) -> bytes:
    """The content of a whole wire form: the first dot of every line that begins with one is gone."""
    content = wire.replace(_DOT, b"\r\n")
    return content[1:] if content.startswith(b".") else content


class _Stream:
    """Replaces `_DOT` in a stream, wherever it is cut. Holds back at most two octets."""

    __slots__ = ("_by", "_start", "_tail")

    def __init__(self, by: bytes) -> None:
        self._by = by
        self._tail = _BEFORE
        self._start = len(_BEFORE)

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now."""
        buffer = self._tail + data
        stop = len(buffer) - _line_end(buffer)
        passed = buffer[:stop].replace(_DOT, self._by)[self._start :]
        if stop:
            self._start = 0
        self._tail = buffer[stop:]
        return passed

    def finish(self) -> bytes:
        """What was held back."""
        return self._tail[self._start :]


class Stuffer(_Stream):
    """`stuff` for content that comes in pieces."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(b"\r\n..")


class Unstuffer(_Stream):
    """`unstuff` for a wire form that comes in pieces."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(b"\r\n")


@value
class Scan:
    """What one read held.

    `content` may be passed on now: wire form, without the line with the dot. `rest` are the octets
    behind the end. Both are empty as long as there is nothing.
    """

    content: bytes
    ended: bool
    rest: bytes


class ContentScanner:
    """Finds the end of DATA content and refuses what must not be in it.

    Only <CRLF>.<CRLF> ends it (RFC 5321 §4.1.1.4), also after a fault; then nothing is passed on,
    and what was passed on before must be thrown away. Holds back at most four octets of a read.
    Not to be fed after the end.
    """

    __slots__ = ("_check", "_start", "_tail")

    def __init__(self, limit_bytes: int) -> None:
        self._check = ContentCheck(limit_bytes, stuffed=True)
        self._tail = _BEFORE
        self._start = len(_BEFORE)

    @property
    def fault(self) -> ContentFault | None:
        """The first fault found so far; the answer once the end was reached."""
        return self._check.fault

    @property
    def size_bytes(self) -> int:
        """Octets of content so far, without stuffed dots and without the line with the dot."""
        return self._check.size_bytes

    def feed(self, data: bytes) -> Scan:
        """What these octets, which follow those fed before, hold."""
        wire = self._tail + data
        end = len(wire) - len(_END) if wire.endswith(_END) else -1
        # Backward: the search that is fastest, and mail seldom has a line with a dot.
        dotted = wire.rfind(_DOT, 0, end if end >= 0 else len(wire)) >= 0
        if dotted:
            end = wire.find(_END)
        stop = end + 2 if end >= 0 else len(wire) - _held(wire)
        content = self._check.admit(wire, self._start, stop, _dots(wire, stop) if dotted else 0)
        if stop:
            self._start = 0
        if end >= 0:
            return Scan(content, True, wire[end + len(_END) :])
        self._tail = wire[stop:]
        return Scan(content, False, b"")


class RawScanner:
    """Puts BDAT content (RFC 3030) into wire form and refuses what must not be in it.

    Octets are kept as they are, dots stuffed. Content that does not end in CRLF gets one at its
    end, as in Postfix: DATA cannot carry it otherwise to the next hop. The same faults as in DATA
    content; after one nothing more is passed on.
    """

    __slots__ = ("_check", "_start", "_tail")

    def __init__(self, limit_bytes: int) -> None:
        self._check = ContentCheck(limit_bytes, stuffed=False)
        self._tail = _BEFORE
        self._start = len(_BEFORE)

    @property
    def fault(self) -> ContentFault | None:
        """The first fault found so far; the answer once `finish` was called."""
        return self._check.fault

    @property
    def size_bytes(self) -> int:
        """Octets fed; up to two of them are counted only by `finish`."""
        return self._check.size_bytes

    def feed(self, data: bytes) -> bytes:
        """Wire form of what may be passed on now. Chunk borders do not matter."""
        raw = self._tail + data
        stop = len(raw) - _line_end(raw)
        content = self._check.admit(raw, self._start, stop, 0)
        if content and raw.rfind(_DOT, 0, stop) >= 0:
            content = raw[:stop].replace(_DOT, b"\r\n..")[self._start :]
        if stop:
            self._start = 0
        self._tail = raw[stop:]
        return content

    def finish(self) -> bytes:
        """The last of the wire form, after the last octet was fed."""
        tail = self._tail
        content = self._check.admit(tail, self._start, len(tail), 0)
        if self.fault is not None or self._start:
            return b""
        return content or b"\r\n"


def _line_end(buffer: bytes) -> int:
    """How many octets at the end are a CRLF or the beginning of one."""
    if buffer.endswith(b"\r\n"):
        return 2
    return 1 if buffer.endswith(b"\r") else 0


def _held(wire: bytes) -> int:
    """How many octets at the end may be the beginning of the end: passed on by the next read."""
    if wire.endswith(_DOT):
        return 3
    if wire.endswith(b"\r\n.\r"):
        return 4
    return _line_end(wire)


def _dots(wire: bytes, stop: int) -> int:
    return wire.count(_DOT, 0, stop) if wire.rfind(_DOT, 0, stop) >= 0 else 0
