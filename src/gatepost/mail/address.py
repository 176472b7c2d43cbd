"""Mail addresses (RFC 5321 §4.1.2 and §4.1.3, RFC 6531 §3.3). Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from gatepost.value import value

# RFC 5321 §4.5.3.1, in octets. A path may have 256 with its angle brackets.
_LOCAL_OCTETS: Final = 64
_DOMAIN_OCTETS: Final = 255
_ADDRESS_OCTETS: Final = 254

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_WIDE = r"\xa0-\ud7ff\ue000-\U0010ffff"  # RFC 6531 §3.3, without C1 controls and surrogates
# §4.1.2 Dot-string.
_DOT_STRING = re.compile(rf"[{_ATEXT}{_WIDE}]+(?:\.[{_ATEXT}{_WIDE}]+)*")
# §4.1.2 Quoted-string with qtextSMTP and quoted-pairSMTP.
_QUOTED = re.compile(rf'"((?:[ !#-\[\]-~{_WIDE}]|\\[ -~])*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
# §4.1.2 Domain. The underscore is no letter of it, but Windows host names have it.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_LABEL_WIDE = rf"[A-Za-z0-9_{_WIDE}](?:[A-Za-z0-9_{_WIDE}-]{{0,61}}[A-Za-z0-9_{_WIDE}])?"
_DOMAIN = re.compile(rf"{_LABEL_WIDE}(?:\.{_LABEL_WIDE})*")
# Nearly every address there is.
_COMMON = re.compile(rf"([{_ATEXT}]+(?:\.[{_ATEXT}]+)*)@({_LABEL}(?:\.{_LABEL})*)")
# §4.1.3 General-address-literal.
_GENERAL_LITERAL = re.compile(r"[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+")


class AddressError(ValueError):
    """The text is no mailbox address; says why, in words fit for a reply."""


@value
class Address:
    """A mailbox address, split at its last `@`.

    `local` is the local part without quoting (`"a b"@x` has local `a b`), case kept.
    `domain` is lower case, as sent (A-labels or U-labels); an address literal keeps its brackets;
    it is empty only for the bare `postmaster` of RFC 5321 §4.1.1.3.
    """

    local: str
    domain: str
    _wire: str | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_literal(self) -> bool:
        return self.domain.startswith("[")

    @property
    def is_ascii(self) -> bool:
        return self.local.isascii() and self.domain.isascii()

    def __str__(self) -> str:
        """Wire form, quoted where RFC 5321 asks for it."""
        wire = self._wire
        if wire is None:
            local = self.local
            if _DOT_STRING.fullmatch(local) is None:
                local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
            wire = f"{local}@{self.domain}" if self.domain else local
            # A memo, not a change: an address is written some five times for each message.
            object.__setattr__(self, "_wire", wire)
        return wire


def parse_address(text: str) -> Address:
    """The address written as an RFC 5321 Mailbox, without angle brackets.

    U-labels and UTF-8 local parts are taken (RFC 6531); whether they were announced is the
    caller's question (`Address.is_ascii`). The bare `postmaster` of RCPT TO is no Mailbox: the
    command that allows it makes it. Source routes are not part of it either.

    Raises:
        AddressError: syntax or a length limit of §4.5.3.1.
    """
    found = _COMMON.fullmatch(text)
    if found is None:
        return _uncommon(text)
    local, domain = found.groups()
    if len(local) > _LOCAL_OCTETS or len(text) > _ADDRESS_OCTETS:
        raise AddressError("address too long")
    return Address(local, domain.lower())


def _uncommon(text: str) -> Address:
    if len(text) > _ADDRESS_OCTETS:
        raise AddressError("address too long")
    if not text.isprintable():
        raise AddressError("address with a control character")
    found = _QUOTED.match(text) or _DOT_STRING.match(text)
    if found is None:
        raise AddressError("malformed local part")
    end = found.end()
    if text[end : end + 1] != "@":
        raise AddressError("malformed local part" if "@" in text[end:] else "address without a domain")
    domain = _domain(text[end + 1 :])
    if _octets(text[:end]) > _LOCAL_OCTETS or _octets(text) > _ADDRESS_OCTETS:
        raise AddressError("address too long")
    local = text[:end] if text[0] != '"' else _QUOTED_PAIR.sub(r"\1", found[1])
    return Address(local, domain)


def _domain(text: str) -> str:
    if text.startswith("["):
        return _literal(text)
    if _DOMAIN.fullmatch(text) is None or _octets(text) > _DOMAIN_OCTETS:
        raise AddressError("malformed domain")
    domain = text.lower()
    if not (text.isascii() or (_is_stable(text) and _is_stable(domain))):
        raise AddressError("malformed domain")
    return domain


def _is_stable(domain: str) -> bool:
    """Made of letters, marks and digits that stay what they are (RFC 5890 §2.3.2.1, RFC 5892).

    So no domain only looks like another: no full-width letters, no other full stops.
    """
    return unicodedata.normalize("NFKC", domain) == domain and all(
        c.isascii() or unicodedata.category(c)[0] in "LMN" for c in domain
    )


def _literal(text: str) -> str:
    """The address literal (§4.1.3) in lower case."""
    inner = text[1:-1]
    if not text.endswith("]") or not inner.isascii():
        raise AddressError("malformed address literal")
    try:
        if inner[:5].lower() == "ipv6:":
            if "%" in inner:  # a scope is of one host only
                raise AddressError("malformed address literal")
            IPv6Address(inner[5:])
        elif _GENERAL_LITERAL.fullmatch(inner) is None:
            IPv4Address(inner)
    except ValueError:
        raise AddressError("malformed address literal") from None
    return text.lower()


def _octets(text: str) -> int:
    return len(text.encode())
