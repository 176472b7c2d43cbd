"""Whom an access entry speaks of: `anyone`, `group:POP3 Relay`, `net:10.0.5.0/24`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


class Kind(Enum):
    """The kinds of principal, by the word that stands in the file."""

    ANYONE = "anyone"
    ANONYMOUS = "anonymous"
    AUTHENTICATED = "authenticated"
    USER = "user"
    GROUP = "group"
    NET = "net"
    HOST = "host"
    CERTIFICATE = "certificate"

    @property
    def takes_name(self) -> bool:
        return self not in _BARE


_SHA256 = re.compile(r"[0-9a-f]{64}")
_BARE = frozenset({Kind.ANYONE, Kind.ANONYMOUS, Kind.AUTHENTICATED})
_KINDS = {kind.value: kind for kind in Kind}


class PrincipalError(ValueError):
    """The text names no principal; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Principal:
    """`name` is lower case, for comparing; `text` is as written. `network` is set for NET alone."""

    kind: Kind
    name: str = ""
    network: Network | None = None
    text: str = ""

    def __str__(self) -> str:
        return self.text or self.kind.value


def parse_principal(text: str) -> Principal:
    """The principal that `text` names.

    Raises:
        PrincipalError: unknown kind, a name missing or too much, or not a network.
    """
    word, colon, name = text.partition(":")
    kind = _KINDS.get(word)
    if kind is None:
        known = ", ".join(f"{k.value}:NAME" if k.takes_name else k.value for k in Kind)
        raise PrincipalError(f"{text!r} names nobody; write one of {known}")
    if not kind.takes_name:
        if colon:
            raise PrincipalError(f"{word!r} takes no name; write just {word!r}")
        return Principal(kind, text=text)
    if not name or name != name.strip():
        raise PrincipalError(f"{text!r} lacks a name; write {word}:NAME, without blanks around the name")
    network = parse_network(name) if kind is Kind.NET else None
    folded = certificate_name(name) if kind is Kind.CERTIFICATE else name.lower()
    return Principal(kind, folded, network, text)


def certificate_name(name: str) -> str:
    """In lower case; a fingerprint without the colons that programs print in it.

    Raises:
        PrincipalError: a fingerprint that is none.
    """
    folded = name.lower()
    if not folded.startswith("sha256:"):
        return folded
    digits = folded.removeprefix("sha256:").replace(":", "")
    if _SHA256.fullmatch(digits) is None:
        raise PrincipalError(f"{name!r} is no fingerprint; write sha256: and its 64 hexadecimal digits")
    return f"sha256:{digits}"


def parse_network(text: str) -> Network:
    """The network in CIDR form; a single address is a network of one.

    Raises:
        PrincipalError: not an address, host bits set, or an IPv4-mapped IPv6 network, which no
            peer is ever in since peers are unmapped.
    """
    try:
        network = ip_network(text)
    except ValueError:
        raise PrincipalError(_network_fault(text)) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise PrincipalError(f"{text!r} is an IPv4 network in IPv6 clothes; write it as IPv4")
    return network


def _network_fault(text: str) -> str:
    try:
        loose = ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is not a network; write it like 10.0.5.0/24 or 2001:db8::/32"
    return f"{text!r} has bits set beyond its mask; write {loose}, or the one address without a mask"
