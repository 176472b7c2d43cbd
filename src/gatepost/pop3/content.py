"""A stored message becomes what RETR and TOP send (RFC 1939 §3, §5, §7). Pure.

Messages lie with LF (as Dovecot and old mail store them), with CRLF, or mixed. On the wire each line
ends in CRLF, a leading dot is doubled, and `.` alone closes. Whole-buffer methods only: a line of 1 MB
costs no more than many short ones.
"""

from __future__ import annotations

from typing import Final

from gatepost.wire.dots import stuff

CLOSE: Final = b".\r\n"


def crlf(message: bytes) -> bytes:
    """The message with every line ended by CRLF, the last one too."""
    # Most mail is stored with LF and holds no CR at all: one memchr tells.
    if b"\r" not in message:
        lines = message.replace(b"\n", b"\r\n")
    elif message.count(b"\n") == message.count(b"\r\n"):
        lines = message
    else:
        lines = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return lines if not lines or lines.endswith(b"\r\n") else _ended(lines)


def size_bytes(message: bytes) -> int:
    """How many octets RETR gives for it: dot-stuffing and the closing dot don't count (RFC 1939 §11)."""
    newlines = message.count(b"\n")
    size = len(message) + newlines - (message.count(b"\r\n") if b"\r" in message else 0)
    if not message or message.endswith(b"\n"):
        return size
    return size + (1 if message.endswith(b"\r") else 2)


def wire(message: bytes) -> bytes:
    """The body of a reply to RETR: lines ended, dots stuffed, closed."""
    return stuff(crlf(message)) + CLOSE


def top(message: bytes, lines: int) -> bytes:
    """The body of a reply to TOP: the header, the empty line, and so many lines of the body."""
    end = _header_end(message)
    for _line in range(lines):
        if end < 0 or end >= len(message):
            break
        end = message.find(b"\n", end) + 1 or -1
    return wire(message if end < 0 else message[:end])


class Wire:
    """The same in pieces, for messages too large to hold: `stuff` each piece, then `close` once."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\n"

    def stuff(self, piece: bytes) -> bytes:
        """The wire form of the next piece; pieces may be cut anywhere."""
        if not piece:
            return b""
        before, self._last = self._last, piece[-1:]
        # A CR at the end may be half a line end: it is given out, and its LF then adds no other.
        if before == b"\r" and piece.startswith(b"\n"):
            rest = _converted(piece[1:])
            return b"\n" + (b"." + rest if rest.startswith(b".") else rest)
        lines = _converted(piece)
        return b"." + lines if before == b"\n" and piece.startswith(b".") else lines

    def close(self) -> bytes:
        """What ends the message."""
        if self._last == b"\n":
            return CLOSE
        return (b"\n" if self._last == b"\r" else b"\r\n") + CLOSE


def _converted(piece: bytes) -> bytes:
    if b"\r" in piece:
        piece = piece.replace(b"\r\n", b"\n")
    return piece.replace(b"\n", b"\r\n").replace(b"\n.", b"\n..")


def _ended(lines: bytes) -> bytes:
    return lines + (b"\n" if lines.endswith(b"\r") else b"\r\n")


def _header_end(message: bytes) -> int:
    """Where the body begins: behind the first empty line; -1 when there is none."""
    if message.startswith(b"\n"):
        return 1
    if message.startswith(b"\r\n"):
        return 2
    found = [place + len(gap) for gap in (b"\n\n", b"\n\r\n") if (place := message.find(gap)) >= 0]
    return min(found, default=-1)
