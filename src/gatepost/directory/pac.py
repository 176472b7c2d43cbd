"""The groups in a ticket of Active Directory: KERB_VALIDATION_INFO ([MS-PAC] §2.5), in NDR ([C706] §14).

The domain controller signed it, and Kerberos has checked that by the time it is read here.
"""

from __future__ import annotations

import struct
from typing import Final

from gatepost.directory.ldap_person import sid_text

_HEADERS_BYTES: Final = 20  # of the stream, of the object, and the pointer to the structure itself
_TIMES_BYTES: Final = 48
_STRINGS: Final = 6
_ENABLED: Final = 0x4  # SE_GROUP_ENABLED
_MOST: Final = 4_000


class BadPac(ValueError):
    """It is none, or cut off."""


class _Reader:
    """Little-endian NDR from a place onwards."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = _HEADERS_BYTES

    def skip(self, size_bytes: int) -> None:
        self._at += size_bytes

    def number(self) -> int:
        """The next 32 bits."""
        return int(struct.unpack("<I", self.take(4))[0])

    def take(self, size_bytes: int) -> bytes:
        taken = self._data[self._at : self._at + size_bytes]
        if len(taken) < size_bytes:
            raise BadPac("it is cut off")
        self._at += size_bytes
        return taken

    def string(self) -> bool:
        """A RPC_UNICODE_STRING's fixed part: whether its text follows later."""
        self.skip(4)
        return self.number() != 0

    def skip_text(self) -> None:
        """The text of a string that had one."""
        self.skip(8)
        size_bytes = self.number() * 2
        self.skip(size_bytes + size_bytes % 4)

    def sid(self) -> str:
        count = self.number()
        if count > 15:
            raise BadPac("a SID that is too long")
        return sid_text(self.take(8 + 4 * count))

    def pairs(self, expected: int) -> list[tuple[int, int]]:
        """A counted list of a number, or pointer, and its attributes."""
        count = self.number()
        if count != expected or count > _MOST:
            raise BadPac("a list that is not as long as it says")
        return [(self.number(), self.number()) for _ in range(count)]


def sids_of(logon_info: bytes) -> frozenset[str]:
    """The SIDs of all groups that count, the primary one among them.

    Raises:
        BadPac: it cannot be read whole.
    """
    reader = _Reader(logon_info)
    reader.skip(_TIMES_BYTES)
    texts = [reader.string() for _ in range(_STRINGS)]
    reader.skip(8)  # two counters, the user's own number
    primary, count, has_groups = reader.number(), reader.number(), reader.number()
    reader.skip(20)  # flags, session key
    more_texts = [reader.string(), reader.string()]
    has_domain = reader.number()
    reader.skip(40)
    extra_count, has_extra = reader.number(), reader.number()
    has_resource_domain, resource_count, has_resources = reader.number(), reader.number(), reader.number()
    for _ in filter(None, texts):
        reader.skip_text()
    groups = reader.pairs(count) if has_groups else []
    for _ in filter(None, more_texts):
        reader.skip_text()
    domain = reader.sid() if has_domain else ""
    extra = reader.pairs(extra_count) if has_extra else []
    named = [(reader.sid(), attributes) for _, attributes in extra]
    resource_domain = reader.sid() if has_resource_domain else ""
    resources = reader.pairs(resource_count) if has_resources else []
    found = {sid for sid, attributes in named if attributes & _ENABLED and sid}
    if domain:
        found |= {f"{domain}-{number}" for number, attributes in groups if attributes & _ENABLED}
        found.add(f"{domain}-{primary}")
    if resource_domain:
        found |= {f"{resource_domain}-{number}" for number, attributes in resources if attributes & _ENABLED}
    return frozenset(found)
