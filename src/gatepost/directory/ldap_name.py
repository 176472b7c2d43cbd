"""A login name as typed, and the filters that find its owner. Filters are made of parts, never of text:
what was typed stands in one of them as octets of its own, so there is nothing to break out of.

    bob    bob@example.org    CORP\\bob
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sansldap

from gatepost.directory.ldap_connection import Filter

NAME_CHARACTERS: Final = 254


@dataclass(frozen=True, slots=True)
class LoginName:
    """`user` and, where it was said, one of `domain` (after an `@`) and `house` (before a backslash)."""

    user: str
    domain: str = ""
    house: str = ""

    @property
    def whole(self) -> str:
        return f"{self.user}@{self.domain}" if self.domain else self.user


def parse(text: str) -> LoginName | None:
    """What was typed; None for what no account is called: empty, very long, or unprintable."""
    if len(text) > NAME_CHARACTERS:
        return None  # before any work is done on it
    text = unicodedata.normalize("NFC", text.strip()).lower()
    if not text.isprintable():
        return None
    house, backslash, user = text.partition("\\")
    if backslash:
        return LoginName(user, house=house) if house and user and "\\" not in user else None
    user, at, domain = text.rpartition("@")
    if not at:
        return LoginName(domain) if domain else None
    return LoginName(user, domain=domain) if user and domain else None


def equal(attribute: str, value: str | bytes) -> Filter:
    """The attribute has the value, by the directory's own rule."""
    return sansldap.FilterEquality(attribute, value.encode() if isinstance(value, str) else value)


def any_of(filters: Iterable[Filter]) -> Filter:
    filters = list(filters)
    return filters[0] if len(filters) == 1 else sansldap.FilterOr(filters)


def all_of(*filters: Filter) -> Filter:
    return sansldap.FilterAnd(list(filters))


def in_chain(attribute: str, dn: str) -> Filter:
    """Active Directory's LDAP_MATCHING_RULE_IN_CHAIN: the attribute leads to `dn`, also through others."""
    return sansldap.FilterExtensibleMatch(_IN_CHAIN, attribute, dn.encode(), dn_attributes=False)


_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
EVERYTHING: Final = sansldap.FilterPresent("objectClass")


def dn_key(dn: str) -> str:
    """The form distinguished names are compared by: composed, lower case, no blanks between parts."""
    parts = unicodedata.normalize("NFC", dn).lower().split(",")
    return ",".join("=".join(half.strip() for half in part.split("=", 1)) for part in parts)


def dn_value(value: str) -> str:
    """The value as it stands in a distinguished name (RFC 4514 §2.4)."""
    last = len(value) - 1
    return "".join(
        _ESCAPED.get(c, c) if c != " " or index in (0, last) else c for index, c in enumerate(value)
    )


# a # needs it at the beginning alone, and takes it anywhere
_ESCAPED: Final = {c: "\\" + c for c in '"+,;<>\\=# '} | {"\0": "\\00"}


def dns_domain(dn: str) -> str:
    """`corp.example` of `DC=corp,DC=example`; empty when the name has no such parts."""
    parts = [part.strip() for part in dn.lower().split(",")]
    return ".".join(part[3:] for part in parts if part.startswith("dc="))


def first_value(dn: str) -> str:
    """What a name calls itself: `POP3 Relay` of `CN=POP3 Relay,CN=Users,...` (RFC 4514 §3, unescaped)."""
    value, escaped, at = bytearray(), False, dn.find("=") + 1
    data = dn[at:].encode()
    index = 0
    while index < len(data):
        byte = data[index : index + 1]
        if escaped:
            pair = data[index : index + 2]
            if len(pair) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in pair):
                value += bytes.fromhex(pair.decode())
                index += 1
            else:
                value += byte
            escaped = False
        elif byte == b"\\":
            escaped = True
        elif byte in (b",", b"+"):
            break
        else:
            value += byte
        index += 1
    return value.decode("utf-8", "replace")
