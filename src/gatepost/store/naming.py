"""The one form in which names of users, groups and addresses are kept and looked up. Pure.

Local parts are compared without regard to case, as every mail store does in practice (RFC 5321
§2.4 leaves it to the receiving side). Domains are kept as A-labels (RFC 5890), so that both ways
of writing an international domain find the same account.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from gatepost.mail.address import Address
from gatepost.store.account_error import BadName

# Letters and digits of any script and what people use between them. `/` is left out since the name
# becomes a folder; `%` and `!` since they were routes (RFC 5321 §C); `@` parts the name.
_LOCAL = re.compile(r"[\w&'=~#$*?^{}-]+(?:[.+][\w&'=~#$*?^{}-]+)*")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_SPACES = re.compile(r"\s+")
_LOCAL_BYTES: Final = 64  # RFC 5321 §4.5.3.1.1
_NAME_BYTES: Final = 254
_GROUP_CHARACTERS: Final = 128


def canonical(name: str) -> str:
    """The form a name is looked up by: lower case, composed, its domain in A-labels. Any text is taken."""
    if name.isascii():
        return name.lower()
    # A lone surrogate is no character: SQLite would not take it, and no account has U+FFFD.
    name = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    local, at, domain = unicodedata.normalize("NFC", name).rpartition("@")
    return f"{local.lower()}{at}{canonical_domain(domain) if at else domain.lower()}"


def canonical_domain(domain: str) -> str:
    """The domain in lower-case A-labels; as it is, lower case, when it has no such form."""
    domain = domain.lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def key(address: Address) -> str:
    """The form an address is looked up by."""
    return canonical(f"{address.local}@{address.domain}")


def account_address(text: str, domains: Collection[str]) -> str:
    """The canonical form of an address that an account or alias may have: in one of `domains`.

    Raises:
        BadName: not an address, not in `domains`, or with characters an account cannot have.
    """
    name = canonical(text.strip())
    local, at, domain = name.rpartition("@")
    if not at:
        where = f" (for instance {name}@{sorted(domains)[0]})" if domains else ""
        raise BadName(f"{_shown(text)} has no domain", f"give the whole address{where}")
    if _LOCAL.fullmatch(local) is None or len(local.encode()) > _LOCAL_BYTES or len(name) > _NAME_BYTES:
        raise BadName(
            f"{_shown(text)} cannot be an account's address",
            "use letters, digits and . _ - + before the @, at most 64 bytes",
        )
    if domain not in {canonical_domain(one) for one in domains}:
        raise BadName(
            f"{_shown(text)} is not in a local domain",
            f"use {' or '.join(sorted(domains))}, or add [domains]",
        )
    return name


def catch_all(text: str, domains: Collection[str]) -> str:
    """The canonical form of `@domain`.

    Raises:
        BadName: the domain is not in `domains`.
    """
    domain = canonical_domain(text.strip().removeprefix("@"))
    if domain not in {canonical_domain(one) for one in domains}:
        raise BadName(
            f"{_shown(text)} is not a local domain", f"use @{' or @'.join(sorted(domains))}, or add [domains]"
        )
    return f"@{domain}"


def target(text: str) -> str:
    """The form in which an alias keeps a target: an address, its domain canonical, case of the rest kept.

    Raises:
        BadName: not an address.
    """
    local, at, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    domain = canonical_domain(domain)
    bad_local = not local or any(c.isspace() or not c.isprintable() or c in '"<>()@\\,;:' for c in local)
    if not at or bad_local or len(text) > _NAME_BYTES or _DOMAIN.fullmatch(domain) is None:
        raise BadName(f"{_shown(text)} is not an address", "give it as name@domain")
    return f"{local}@{domain}"


def group_name(text: str) -> str:
    """The name as it is shown: composed, single spaces.

    Raises:
        BadName: empty, too long, or with unprintable characters.
    """
    name = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if not name or len(name) > _GROUP_CHARACTERS or not name.isprintable() or "@" in name or ":" in name:
        raise BadName(
            f"{_shown(text)} cannot be a group's name", "use 1 to 128 printable characters, no @ and no :"
        )
    return name


def group_key(text: str) -> str:
    """The form a group is looked up by, and access entries mean it by: lower case. Any text is taken."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip().lower()


def _shown(text: str) -> str:
    return ascii(text[:_GROUP_CHARACTERS]) if not text.isprintable() else repr(text[:_GROUP_CHARACTERS])
