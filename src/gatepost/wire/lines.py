"""Cuts what was received into lines, within limits (RFC 5321 §2.3.8, §4.5.3.1.4). Pure."""

from __future__ import annotations

from enum import Enum


class LineFault(Enum):
    """Why a line is refused."""

    TOO_LONG = "line too long"
    BARE_LF = "bare LF"
    BARE_CR = "bare CR"


class LineError(Exception):
    """A line that is refused; it was taken from the buffer, the next one follows."""

    def __init__(self, fault: LineFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Lines:
    """Octets received and not yet used, cut into lines.

    A line ends in CRLF. What ends in LF alone, or has a CR within, is a line too, but a refused one:
    the peer gets an answer and nothing waits for a CRLF that never comes. Of a line over the limit
    nothing is kept, so the buffer holds no more than the limit and the last feed.
    """

    __slots__ = ("_at", "_buffer", "_overlong", "_searched")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0  # the next line begins here
        self._searched = 0  # no LF before this
        self._overlong = False

    @property
    def pending_bytes(self) -> int:
        """Octets that lie in the buffer."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Puts octets behind those there."""
        at = self._at
        if at == len(self._buffer):
            self._buffer = data
            self._searched = 0
        else:
            self._buffer = self._buffer[at:] + data
            self._searched = max(self._searched - at, 0)
        self._at = 0

    def next_line(self, limit_bytes: int) -> bytes | None:
        """Takes the next line, without its CRLF; None when there is no whole one.

        `limit_bytes` is the longest line with its CRLF.

        Raises:
            LineError: the line was taken and is refused.
        """
        end = self._buffer.find(b"\n", max(self._at, self._searched))
        if end < 0:
            self._wait(limit_bytes)
            return None
        line = self._buffer[self._at : end + 1]
        self._at = end + 1
        if self._overlong or len(line) > limit_bytes:
            self._overlong = False
            raise LineError(LineFault.TOO_LONG)
        if not line.endswith(b"\r\n"):
            raise LineError(LineFault.BARE_LF)
        if line.find(b"\r") < len(line) - 2:
            raise LineError(LineFault.BARE_CR)
        return line[:-2]

    def take_all(self) -> bytes:
        """Takes everything that is there: what follows is no longer lines (DATA, BDAT, TLS)."""
        rest = self._buffer[self._at :]
        self._drop()
        return rest

    def _wait(self, limit_bytes: int) -> None:
        if self.pending_bytes > limit_bytes:
            self._overlong = True
            self._drop()
        self._searched = len(self._buffer)

    def _drop(self) -> None:
        self._buffer = b""
        self._at = self._searched = 0
