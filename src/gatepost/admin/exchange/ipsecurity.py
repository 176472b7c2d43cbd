"""The lists of addresses in the IIS metabase (`RelayIpList`, `IPSecurity`), decoded. Pure.

The binary form is described in Microsoft's iiscnfg.h (MD_IP_SEC). All numbers are 32 bits, little-endian;
a reference is an offset from the beginning with the highest bit set.

    header          deny addresses, grant addresses, deny names, grant names (references), flags, size
    address list    how many groups, how many addresses; then the groups
    group           family, addresses in it, bytes of the mask that are all ones, the mask's next byte,
                    reference to the addresses, the first of which is the mask itself
    name list       how many groups, how many names; then the groups
    name group      labels of its names, how many names; then references to the names, ended by a zero byte

Without grants everybody is granted but those denied: "All except the list below". A grant of 0.0.0.0
alone is how "Only the list below" is kept while the list is empty.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

_REFERENCE: Final = 0x8000_0000
_WORD: Final = 4
_HEADER: Final = 24
_GROUP: Final = 20
_SIZES: Final = {2: 4, 23: 16}  # AF_INET and AF_INET6 of Windows
_NOBODY: Final = ip_network("0.0.0.0/32")
_LARGEST: Final = 4 * 1024 * 1024


class BadIpList(ValueError):
    """The bytes are no such list; the text says where they stop being one."""


@dataclass(frozen=True, slots=True)
class IpList:
    """Who is granted, or denied. `names` stand for a domain with all below it."""

    granted: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()
    granted_names: tuple[str, ...] = ()
    denied_names: tuple[str, ...] = ()
    only_listed: bool = False

    @property
    def grants_by_default(self) -> bool:
        """*All except the list below*."""
        return not self.only_listed


def of_hex(text: str) -> IpList:
    """The list in the hexadecimal form of MetaBase.xml. Raises BadIpList."""
    digits = "".join(text.split())
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        raise BadIpList(f"{text[:20]!r}... is not hexadecimal") from None
    return decoded(data)


def decoded(data: bytes) -> IpList:
    """The list. No bytes at all grant everybody. Raises BadIpList."""
    if not data:
        return IpList()
    if len(data) > _LARGEST:
        raise BadIpList(f"{len(data)} bytes are no list of addresses")
    reader = _Reader(data)
    denied, granted = (tuple(reader.addresses(reader.reference(at))) for at in (0, 4))
    denied_names, granted_names = (tuple(reader.names(reader.reference(at))) for at in (8, 12))
    only = bool(granted or granted_names)
    return IpList(
        tuple(network for network in _fewest(granted) if network != _NOBODY),
        _fewest(denied),
        tuple(dict.fromkeys(granted_names)),
        tuple(dict.fromkeys(denied_names)),
        only,
    )


def _fewest(networks: tuple[Network, ...]) -> tuple[Network, ...]:
    old = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    new = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    return (*old, *new)


class _Reader:
    """Bytes with offsets in them, none of which is believed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if len(data) < _HEADER:
            raise BadIpList(f"{len(data)} bytes are too few for a header")

    def word(self, at: int) -> int:
        if at < 0 or at + _WORD > len(self._data):
            raise BadIpList(f"it ends before byte {at + _WORD}")
        value: int = struct.unpack_from("<I", self._data, at)[0]
        return value

    def reference(self, at: int) -> int:
        value = self.word(at)
        if not value & _REFERENCE:
            raise BadIpList(f"byte {at} is no reference")
        return value & ~_REFERENCE

    def addresses(self, at: int) -> Iterator[Network]:
        groups, total = self.word(at), self.word(at + _WORD)
        if total * _WORD > len(self._data):
            raise BadIpList(f"{total} addresses do not fit into {len(self._data)} bytes")
        for index in range(groups):
            group = at + 2 * _WORD + index * _GROUP
            inside = max(self.word(group + _WORD) - 1, 0)
            total -= inside
            if total < 0:
                raise BadIpList("the groups hold more addresses than the list")
            yield from self._group(group, inside)
        if total:
            raise BadIpList("the groups hold fewer addresses than the list")

    def _group(self, at: int, count: int) -> Iterator[Network]:
        size = _SIZES.get(self.word(at))
        if size is None:
            raise BadIpList(f"addresses of the unknown family {self.word(at)}")
        prefix = _prefix(size, self.word(at + 2 * _WORD), self.word(at + 3 * _WORD))
        first = self.reference(at + 4 * _WORD) + size  # behind the mask
        for number in range(count):
            begins = first + number * size
            packed = self._data[begins : begins + size]
            if len(packed) < size:
                raise BadIpList(f"it ends within the address at byte {begins}")
            yield ip_network((packed, prefix), strict=False)

    def names(self, at: int) -> Iterator[str]:
        groups, total = self.word(at), self.word(at + _WORD)
        if total * _WORD > len(self._data):
            raise BadIpList(f"{total} names do not fit into {len(self._data)} bytes")
        at += 2 * _WORD
        for _ in range(groups):
            inside = self.word(at + _WORD)
            total -= inside
            if total < 0:
                raise BadIpList("the groups hold more names than the list")
            yield from (self._name(self.reference(at + (2 + index) * _WORD)) for index in range(inside))
            at += (2 + inside) * _WORD
        if total:
            raise BadIpList("the groups hold fewer names than the list")

    def _name(self, at: int) -> str:
        end = self._data.find(b"\0", at, at + 256)
        if at >= len(self._data) or end < 0:
            raise BadIpList(f"the name at byte {at} has no end")
        name = self._data[at:end].decode("latin-1")
        if not name.isprintable() or not name:
            raise BadIpList(f"the name at byte {at} is none")
        return name.lower()


def _prefix(size: int, full_bytes: int, last_byte: int) -> int:
    """The length of the mask: so many bytes of ones, then the bits of one byte."""
    ones = last_byte.bit_count()
    contiguous = last_byte <= 0xFF and last_byte == (0xFF << (8 - ones)) & 0xFF
    if full_bytes > size or not contiguous or (full_bytes == size and ones):
        raise BadIpList(f"{full_bytes} bytes and {last_byte:#x} are no mask")
    return full_bytes * 8 + ones
