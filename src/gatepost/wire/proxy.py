"""The PROXY protocol, versions 1 and 2: who is behind the load balancer that connected. Pure.

Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt (its sections in the remarks below).
What is not exactly as it says is a fault: a receiver must not guess (§2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
"""What a header of version 2 begins with (§2.2); nothing in SMTP, POP3 or TLS does."""
LONGEST_BYTES: Final = 4_096
"""Of a header of version 2: addresses and a dozen of its extras take some hundred."""

_LINE: Final = b"PROXY "
_LINE_BYTES: Final = 107  # §2.1: the longest there can be, CRLF included
_PORT: Final = rb"(?:0|[1-9][0-9]{0,4})"
_PARTS: Final = re.compile(rb"PROXY (TCP[46]) ([!-~]+) ([!-~]+) (%b) (%b)\r\n" % (_PORT, _PORT))
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")
_HEAD_BYTES: Final = len(SIGNATURE) + 4
_LOCAL, _PROXIED = 0x20, 0x21
_TCP4, _TCP6, _UNIX, _NOTHING = 0x11, 0x21, 0x31, 0x00
_ADDRESS_BYTES: Final = {_TCP4: 12, _TCP6: 36, _UNIX: 216, _NOTHING: 0}
_CHECKSUM: Final = 0x03  # PP2_TYPE_CRC32C, §2.2.3


class ProxyFault(ValueError):
    """What came is no header, and never will be; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """It takes up `length_bytes`; what follows is the client's.

    `source`: the client's address, IPv4 out of its IPv6 clothes and without a zone. None: the balancer
    speaks for itself, as it does to see whether we live, or cannot say for whom.
    """

    length_bytes: int
    source: IPv4Address | IPv6Address | None = None
    port: int = 0


def looks_like_header(data: bytes) -> bool:
    """Whether it begins as a header of either version does."""
    return data.startswith((_LINE, SIGNATURE))


def header(data: bytes) -> Header | None:
    """The header that `data` begins with; None while it is not whole. Raises ProxyFault."""
    if data.startswith(SIGNATURE[: len(data)]):
        return _binary(data)
    if data.startswith(_LINE[: len(data)]):
        return _line(data)
    raise ProxyFault("it begins with something else")


# version 1, §2.1


def _line(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, _LINE_BYTES)
    if end < 0:
        if len(data) >= _LINE_BYTES:
            raise ProxyFault("the line does not end")
        return None
    line = data[: end + 2]
    if _UNKNOWN.fullmatch(line):
        return Header(len(line))
    parts = _PARTS.fullmatch(line)
    if parts is None:
        raise ProxyFault("the line is malformed")
    family, source, destination, port, other = parts.groups()
    version = 4 if family == b"TCP4" else 6
    _address(destination, version)
    if int(other) > 65_535:
        raise ProxyFault(f"there is no port {int(other)}")
    return _from(len(line), _address(source, version), int(port))


def _address(text: bytes, version: int) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text.decode("ascii"))
    except ValueError:
        raise ProxyFault(f"{text.decode('ascii')!r} is no address") from None
    if address.version != version:
        raise ProxyFault(f"{address} is not IPv{version}")
    return address


def _from(length_bytes: int, source: IPv4Address | IPv6Address, port: int) -> Header:
    if port > 65_535:
        raise ProxyFault(f"there is no port {port}")
    if isinstance(source, IPv6Address):
        # RFC 4291 §2.5.5.2; a zone (RFC 4007 §11) means nothing here
        source = source.ipv4_mapped or IPv6Address(int(source))
    return Header(length_bytes, source, port)


# version 2, §2.2


def _binary(data: bytes) -> Header | None:
    if len(data) < _HEAD_BYTES:
        return None
    command, family = data[12], data[13]
    length = int.from_bytes(data[14:16], "big")
    if command not in (_LOCAL, _PROXIED):
        raise ProxyFault(f"version and command {command:#x} are unknown")
    if _HEAD_BYTES + length > LONGEST_BYTES:
        raise ProxyFault(f"it would be {_HEAD_BYTES + length} bytes long")
    whole = data[: _HEAD_BYTES + length]
    if len(whole) < _HEAD_BYTES + length:
        return None
    if command == _LOCAL:  # the family and what follows are to be ignored
        return Header(len(whole))
    if family not in _ADDRESS_BYTES:
        raise ProxyFault(f"family and protocol {family:#x} are not TCP")
    begins = _HEAD_BYTES + _ADDRESS_BYTES[family]
    if begins > len(whole):
        raise ProxyFault("the addresses are cut off")
    if family != _NOTHING:  # with nothing said nobody says what the rest is
        _look_at_extras(whole, begins)
    if family == _TCP4:
        return _from(len(whole), IPv4Address(whole[16:20]), int.from_bytes(whole[24:26], "big"))
    if family == _TCP6:
        return _from(len(whole), IPv6Address(whole[16:32]), int.from_bytes(whole[48:50], "big"))
    return Header(len(whole))


def _look_at_extras(whole: bytes, at: int) -> None:
    """Raises ProxyFault when they are malformed, or the checksum among them is wrong."""
    while at < len(whole):
        value = at + 3
        ends = value + int.from_bytes(whole[at + 1 : value], "big")
        if value > len(whole) or ends > len(whole):
            raise ProxyFault("the extras are cut off")
        if whole[at] == _CHECKSUM:
            cleared = whole[:value] + bytes(ends - value) + whole[ends:]
            if ends - value != 4 or crc32c(cleared) != int.from_bytes(whole[value:ends], "big"):
                raise ProxyFault("the checksum is wrong")
        at = ends


def _table() -> tuple[int, ...]:
    found = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        found.append(number)
    return tuple(found)


_CRC: Final = _table()


def crc32c(data: bytes) -> int:
    """The checksum of RFC 4960, appendix B, which the one in the standard library is not."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
