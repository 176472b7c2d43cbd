"""TOP of a message that comes in pieces (RFC 1939 §7). Pure."""

from __future__ import annotations

from typing import Final

_GAPS: Final = (b"\n\n", b"\n\r\n")


class TopCut:
    """Lets through the header, the empty line and so many lines of the body; `done` when no more comes."""

    __slots__ = ("_in_body", "_left", "_tail", "done")

    def __init__(self, lines: int) -> None:
        self._left = lines
        self._tail = b"\n"  # the message may begin with the empty line
        self._in_body = False
        self.done = False

    def take(self, piece: bytes) -> bytes:
        """What is let through of the next piece of the stored message; pieces may be cut anywhere."""
        end = 0
        if not self._in_body:
            end = self._body_at(piece)
            if end < 0:
                return piece
        while self._left:
            line_end = piece.find(b"\n", end)
            if line_end < 0:
                return piece
            end = line_end + 1
            self._left -= 1
        self.done = True
        return piece[:end]

    def _body_at(self, piece: bytes) -> int:
        """Where in the piece the body begins, -1 when not in it."""
        window = self._tail + piece
        ends = [place + len(gap) for gap in _GAPS if (place := window.find(gap)) >= 0]
        if not ends:
            self._tail = window[-2:]
            return -1
        self._in_body = True
        return min(ends) - len(self._tail)
