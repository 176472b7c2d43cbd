"""Cuts a stream into whole LDAP messages (RFC 4511 §5.1): BER sequences of a definite length. Pure."""

from __future__ import annotations

from typing import Final

_SEQUENCE: Final = 0x30
MESSAGE_BYTES: Final = 4 * 1024 * 1024


class NotLdap(ValueError):
    """What came is no LDAP message, or one too large."""


class Frames:
    """Bytes in, whole messages out; at most one message is kept that is not whole yet."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now. Raises NotLdap."""
        self._buffer += data
        messages: list[bytes] = []
        begins = 0
        while (ends := _end(self._buffer, begins)) is not None and ends <= len(self._buffer):
            messages.append(bytes(self._buffer[begins:ends]))
            begins = ends
        del self._buffer[:begins]
        return messages


def _end(buffer: bytearray, begins: int) -> int | None:
    """Where the message that begins there ends; None while its length is not here."""
    have = len(buffer) - begins
    if have > 0 and buffer[begins] != _SEQUENCE:
        raise NotLdap("what came is not LDAP")
    if have < 2:
        return None
    first = buffer[begins + 1]
    if first < 0x80:
        return begins + 2 + first
    octets = first & 0x7F
    if not 1 <= octets <= 4:
        raise NotLdap("a message without a usable length")
    if have < 2 + octets:
        return None
    length = int.from_bytes(buffer[begins + 2 : begins + 2 + octets], "big")
    if length > MESSAGE_BYTES:
        raise NotLdap(f"a message of {length} bytes")
    return begins + 2 + octets + length
