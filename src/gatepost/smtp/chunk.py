"""The octets of one BDAT (RFC 3030), counted off and put into wire form. Pure."""

from __future__ import annotations

from gatepost.smtp.command import Chunk
from gatepost.wire.dots import ContentFault, RawScanner, Scan


class ChunkReader:
    """Reads one chunk as `ContentScanner` reads DATA: `feed` until it has `ended`.

    `scanner` is the message's, the same for all its chunks; None drops the octets of a refused BDAT,
    which come all the same (RFC 3030 §2).
    """

    __slots__ = ("_last", "_left", "_scanner")

    def __init__(self, scanner: RawScanner | None, chunk: Chunk) -> None:
        self._scanner = scanner
        self._left = chunk.size_bytes
        self._last = chunk.last

    @property
    def fault(self) -> ContentFault | None:
        return None if self._scanner is None else self._scanner.fault

    @property
    def size_bytes(self) -> int:
        return 0 if self._scanner is None else self._scanner.size_bytes

    def feed(self, data: bytes) -> Scan:
        """What these octets, which follow those fed before, hold. A chunk of no octets ends with none."""
        taken = data if len(data) <= self._left else data[: self._left]
        self._left -= len(taken)
        ended = self._left == 0
        return Scan(self._wire_form(taken), ended, data[len(taken) :])

    def _wire_form(self, data: bytes) -> bytes:
        scanner = self._scanner
        if scanner is None:
            return b""
        content = scanner.feed(data) if data else b""
        return content + scanner.finish() if self._last and not self._left else content
