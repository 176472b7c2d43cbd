"""The form in which a Maildir keeps a message, and the size POP3 tells for it.

Lines end in LF, as Dovecot and other readers of a Maildir keep them. A message that holds a CR outside a
line end is kept with CRLF instead: so it comes back byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatepost.pop3 import content
from gatepost.wire.dots import Unstuffer


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A whole message as it is kept. `virtual_bytes` is its size with CRLF."""

    message: bytes
    virtual_bytes: int


def stored_form(message: bytes) -> StoredForm:
    """The form of a message that came with any line ends; its last line gets one if it has none."""
    lines = message.replace(b"\r\n", b"\n")
    if b"\r" in lines:
        whole = content.crlf(message)
        return StoredForm(whole, len(whole))
    if lines and not lines.endswith(b"\n"):
        lines += b"\n"
    return StoredForm(lines, len(lines) + lines.count(b"\n"))


class StoredPieces:
    """The form of a message in pieces: `header`, then wire form. It must hold no lone CR.

    The sizes are right once the pieces are used up.
    """

    def __init__(self, header: bytes, wire: Iterable[bytes]) -> None:
        self._header = header
        self._wire = wire
        self._cut = b""
        self._last = b"\n"
        self.stored_bytes = 0
        self.virtual_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        unstuffer = Unstuffer()
        yield self._lines(self._header)
        for piece in self._wire:
            yield self._lines(unstuffer.feed(piece))
        yield self._lines(unstuffer.finish())
        if self._cut or self._last != b"\n":
            self._cut = b""
            yield self._counted(b"\n")

    def _lines(self, piece: bytes) -> bytes:
        piece = self._cut + piece
        self._cut = b"\r" if piece.endswith(b"\r") else b""
        return self._counted(piece.removesuffix(b"\r").replace(b"\r\n", b"\n"))

    def _counted(self, lines: bytes) -> bytes:
        self.stored_bytes += len(lines)
        self.virtual_bytes += len(lines) + lines.count(b"\n")
        self._last = lines[-1:] or self._last
        return lines
