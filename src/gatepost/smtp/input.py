"""What the peer sent and nobody has read yet: cut into command lines, or taken as it lies. Pure.

RFC 5321 §2.3.8: only CR LF ends a line. Memory is bounded whatever is sent: of a line that is too
long nothing is kept.
"""

from __future__ import annotations

from typing import Final

from gatepost.smtp import refusal
from gatepost.smtp.error import CommandError
from gatepost.smtp.syntax import GRAMMAR, RESPONSE_LIMIT_BYTES

_SHORT_LINE_BYTES: Final = 510
# A line longer than this is not swallowed to its end: who sends it is not speaking SMTP.
_SWALLOW_LIMIT_BYTES: Final = 1 << 20


class Input:
    """Bytes in order of arrival."""

    __slots__ = ("_at", "_buffer", "_searched", "_swallowed_bytes")

    def __init__(self) -> None:
        self._buffer = b""  # what was not read yet begins at _at,
        self._at = 0
        self._searched = 0  # and has no line end before _searched
        self._swallowed_bytes = 0  # of a line that is too long, while it lasts

    def __len__(self) -> int:
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """These bytes came after those fed before."""
        if self._at == len(self._buffer):
            self._buffer, self._at, self._searched = data, 0, 0
        else:
            self._buffer = self._buffer[self._at :] + data
            self._searched -= self._at
            self._at = 0

    def take(self) -> bytes:
        """Everything, as it lies."""
        data = self._buffer[self._at :] if self._at else self._buffer
        self.clear()
        return data

    def clear(self) -> None:
        """Everything is forgotten."""
        self._buffer, self._at, self._searched = b"", 0, 0

    def line(self, *, response: bool = False) -> bytes | None:
        """The next line without CR LF; None when it is not complete.

        `response`: it belongs to an AUTH exchange and may be longer.

        Raises:
            CommandError: bare LF, CR or NUL in it, too long. The line is read and gone.
        """
        buffer = self._buffer
        end = buffer.find(b"\n", self._searched)
        if end < 0:
            self._keep(response=response)
            return None
        start = self._at
        self._at = self._searched = end + 1
        if self._swallowed_bytes:
            self._swallowed_bytes = 0
            raise CommandError(refusal.LINE_TOO_LONG)
        if end == start or buffer[end - 1] != 13:
            raise CommandError(refusal.BARE_LINE_FEED)
        line = buffer[start : end - 1]
        if len(line) > _SHORT_LINE_BYTES and len(line) > _limit(line, response=response):
            raise CommandError(refusal.LINE_TOO_LONG)
        if b"\r" in line or b"\0" in line:
            raise CommandError(refusal.CONTROL_CHARACTER)
        return line

    def _keep(self, *, response: bool) -> None:
        """What there is of an incomplete line is kept, or swallowed when it is too long."""
        line = self.take()
        size = len(line)
        # One more than the limit: it may be the CR.
        if self._swallowed_bytes or (
            size > _SHORT_LINE_BYTES + 1 and size > _limit(line, response=response) + 1
        ):
            self._swallowed_bytes += size
            if self._swallowed_bytes > _SWALLOW_LIMIT_BYTES:
                raise CommandError(refusal.ENDLESS_LINE)
        else:
            self._buffer, self._searched = line, size


def _limit(line: bytes, *, response: bool) -> int:
    if response:
        return RESPONSE_LIMIT_BYTES
    grammar = GRAMMAR.get(line[:4].upper())
    return _SHORT_LINE_BYTES if grammar is None else grammar.limit_bytes
