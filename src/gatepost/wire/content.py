"""Which content of a message is refused, whatever carried it. Pure.

RFC 5321 §2.3.8 (bare CR and LF), §4.5.3.1.6 (length of a text line); DESIGN: NUL and size. A bare
CR or LF is never repaired: what one server takes for the end of a message and another does not is
how SMTP smuggling works.
"""

from __future__ import annotations

import re
from enum import Enum
from io import IncrementalNewlineDecoder
from typing import Final

LINE_OCTETS: Final = 998
"""The longest text line without its CRLF (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1)."""

_LINE_AND_END: Final = LINE_OCTETS + 2
_MAY_END: Final = frozenset({b"", b"\r", b"\r\n"})
_FULL_STOP: Final = 0x2E
_CRLF: Final = "\r\n"
# Only for content that is known to be at fault: ten times the price of the whole check.
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


class ContentFault(Enum):
    """Why content is refused."""

    BARE_LF = "bare LF"
    BARE_CR = "bare CR"
    NUL = "NUL"
    LINE_TOO_LONG = "line too long"
    TOO_LARGE = "too large"


class ContentCheck:
    """Sees the content of one message piece by piece and keeps the first fault it finds.

    `fault` is None as long as all is well. `size_bytes` counts everything seen, without stuffed
    dots, after a fault too. Constant memory; a 4 kB message costs about 3 us.
    """

    __slots__ = ("_dotted", "_limit_bytes", "_line", "_newlines", "_stuffed", "fault", "size_bytes")

    def __init__(self, limit_bytes: int, *, stuffed: bool) -> None:
        self.fault: ContentFault | None = None
        self.size_bytes = 0
        self._limit_bytes = limit_bytes
        # The decoder notes in one C pass which line ends occur: half the price of counting them.
        self._newlines = IncrementalNewlineDecoder(None, translate=False)
        self._line = 2  # where the current line began, seen from the next piece
        self._dotted = False  # it begins with a dot; asked only when it began in an earlier piece
        self._stuffed = stuffed

    def admit(self, wire: bytes, start: int, stop: int, dots: int) -> bytes:
        """`wire[start:stop]` when all seen so far is well, else nothing.

        `wire[:stop]` continues the content where the last piece stopped; the first begins with a
        CRLF that is not content, `start` is 2 then. A CR whose LF may yet come is not in it. `wire`
        may reach beyond `stop`. `dots` is the number of stuffed dots in the piece.
        """
        piece = wire[start:stop]
        self.size_bytes += len(piece) - dots
        if self.fault is not None:
            return b""
        # final: a CR at the end of a piece is bare, since a CR that may yet get its LF is held back.
        self._newlines.decode(piece.decode("latin-1"), True)
        seen = self._newlines.newlines
        long_at = self._long_line(wire, stop)
        if long_at >= 0 or 0 in piece or (seen != _CRLF and seen is not None):
            self.fault = _first_fault(piece, long_at - start)
            return b""
        if self.size_bytes > self._limit_bytes:
            self.fault = ContentFault.TOO_LARGE
            return b""
        return piece

    def _long_line(self, wire: bytes, stop: int) -> int:
        """Where in `wire[:stop]` a line grows past the limit, -1 when none does.

        Looks backward from the furthest place a line may end, so it touches one line in a thousand
        octets and not each.
        """
        line = self._line
        while stop - line > LINE_OCTETS:
            found = wire.rfind(b"\r\n", line if line > 0 else 0, line + _LINE_AND_END)
            if found < 0:
                found = self._end_of_stuffed(wire, line)
                if found < 0:
                    return max(line + LINE_OCTETS, 0)
                if found >= stop:
                    break
            line = found + 2
        last = wire.rfind(b"\r\n", line if line > 0 else 0, stop)
        if last >= 0:
            line = last + 2
        if 0 <= line < stop:
            self._dotted = wire[line] == _FULL_STOP
        self._line = line - stop
        return -1

    def _end_of_stuffed(self, wire: bytes, line: int) -> int:
        """Where a line of the limit and its stuffed dot ends or may yet end, -1 when it does not."""
        end = line + LINE_OCTETS + 1  # RFC 5321 §4.5.3.1.6: the stuffed dot is not counted
        dotted = self._dotted if line < 0 else wire[line] == _FULL_STOP
        return end if self._stuffed and dotted and wire[end : end + 2] in _MAY_END else -1


def _first_fault(piece: bytes, long_at: int) -> ContentFault:
    """The fault that comes first in the piece, so that it does not matter how reads were cut."""
    bare = _BARE.search(piece)
    found = [
        (piece.find(0), ContentFault.NUL),
        (long_at, ContentFault.LINE_TOO_LONG),
        (
            bare.start() if bare else -1,
            ContentFault.BARE_LF if bare and bare.group() == b"\n" else ContentFault.BARE_CR,
        ),
    ]
    return min((at, fault.value, fault) for at, fault in found if at >= 0)[2]
