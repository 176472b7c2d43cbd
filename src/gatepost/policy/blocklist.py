"""WHAT A DNS BLOCK LIST SAYS of an address (RFC 5782). Pure.

An answer that is none of the list's own (its operator refuses our questions, its domain belongs to somebody
else by now) is UNKNOWN: nobody is refused by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Final

from gatepost.policy.facts import UNKNOWN, Peer, UnknownType

_ANSWERS: Final = IPv4Network("127.0.0.0/8")  # RFC 5782 §2.1
_ERRORS: Final = IPv4Network("127.255.255.0/24")  # "you asked wrongly, or too much", by custom of the lists
_CODES: Final = re.compile(r"(127\.\d{1,3}\.\d{1,3}\.)(\d{1,3})(?:-(\d{1,3}))?")
_TEXT_LENGTH: Final = 160

# Not in any list that means something: private, of this machine, of this link, behind a carrier's NAT.
_LOCAL: Final = tuple(
    IPv4Network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"),
    )
)
_LOCAL_6: Final = (0xFC >> 1, 0xFE80 >> 6)  # fc00::/7, fe80::/10


class NoBlockList(ValueError):
    """The text names none; the message says what would."""


@dataclass(frozen=True, slots=True)
class BlockList:
    """One list. `codes`: the answers that count, each from a first to a last; none: every answer."""

    domain: str
    codes: tuple[range, ...] = ()

    def question(self, peer: Peer) -> str:
        """The name to ask for (RFC 5782 §2.1, §2.4)."""
        return f"{peer.reverse_pointer.rpartition('.')[0].rpartition('.')[0]}.{self.domain}."

    def lists(self, answers: Iterable[str]) -> bool | UnknownType:
        """Whether these addresses, which the list answered, mean that it lists the peer."""
        ours = [address for text in answers if (address := ip_address(text)) in _ANSWERS]
        meant = [address for address in ours if address not in _ERRORS]
        if not meant:
            return UNKNOWN
        return any(self._counts(address) for address in meant)

    def _counts(self, answer: IPv4Address | Peer) -> bool:
        return not self.codes or any(int(answer) in codes for codes in self.codes)


def block_list(text: str) -> BlockList:
    """`zen.example.org`, or with the answers that count: `zen.example.org=127.0.0.2-11,127.0.0.20`.

    The domain is not looked at. Raises NoBlockList.
    """
    domain, equals, codes = text.partition("=")
    found = tuple(map(_range, codes.split(","))) if equals else ()
    return BlockList(domain.strip().lower(), found)


def _range(text: str) -> range:
    parts = _CODES.fullmatch(text.strip())
    if parts is None:
        raise NoBlockList(f"{text.strip()!r} is no answer; write it like 127.0.0.2, or 127.0.0.2-11")
    try:
        first = int(IPv4Address(parts[1] + parts[2]))
        last = int(IPv4Address(parts[1] + (parts[3] or parts[2])))
    except ValueError:
        raise NoBlockList(f"{text.strip()!r} is no answer; no part is above 255") from None
    if last < first:
        raise NoBlockList(f"{text.strip()!r} ends before it begins; write it like 127.0.0.2-11")
    return range(first, last + 1)


def is_local(peer: Peer) -> bool:
    """Whether no list can know the address: it is private, or our own machine's."""
    if peer.version == 4:
        return any(peer in network for network in _LOCAL)
    number = int(peer)
    return number == 1 or number >> 121 == _LOCAL_6[0] or number >> 118 == _LOCAL_6[1]


def text_shown(texts: Iterable[str]) -> str:
    """What a list says of a peer, as it may stand in a reply: one line, printable, not long."""
    whole = " ".join(texts)
    shown = "".join(c if " " <= c <= "~" else "?" for c in whole)
    return shown if len(shown) <= _TEXT_LENGTH else shown[: _TEXT_LENGTH - 3] + "..."
