"""A person as a directory entry says it: account state, addresses, names. Pure.

Active Directory's attributes are [MS-ADTS] §2.2.16 and §3.1.1.4; others are RFC 4519 and RFC 2798.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gatepost.directory.ldap_connection import Entry
from gatepost.mail.address import Address
from gatepost.policy.reasons import Reason
from gatepost.store import naming

_DISABLED, _LOCKED, _NEVER_EXPIRES, _EXPIRED_PASSWORD = 0x2, 0x10, 0x10000, 0x800000
_NEVER: Final = (0, 0x7FFFFFFFFFFFFFFF)
_EPOCH_DIFFERENCE_SECONDS: Final = 11_644_473_600  # from 1601 to 1970

AD_ATTRIBUTES: Final = (
    "objectSid", "sAMAccountName", "userPrincipalName", "mail", "proxyAddresses", "userAccountControl",
    "msDS-User-Account-Control-Computed", "accountExpires", "pwdLastSet", "memberOf", "primaryGroupID",
)  # fmt: skip
OTHER_ATTRIBUTES: Final = (
    "uid", "cn", "mail", "memberOf", "gidNumber", "pwdAccountLockedTime", "pwdChangedTime", "pwdReset",
    "shadowExpire", "nsAccountLock",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """One account of a directory, without its groups.

    `name` is canonical and what its mailbox is called: the user principal name, elsewhere `uid`.
    `password_state` changes with the password. `trouble` is why it may not log in though the password
    be right.
    """

    dn: str
    name: str
    names: frozenset[str]
    addresses: frozenset[Address]
    trouble: Reason | None
    password_state: str
    member_of: tuple[str, ...]
    account: str
    sid: str = ""
    primary_group: str = ""

    @property
    def may_be_somebody(self) -> bool:
        """Sessions go on: locked out by another's guesses, or with a password to renew, it is still they."""
        return self.trouble not in (Reason.ACCOUNT_DISABLED, Reason.ACCOUNT_EXPIRED)


def ad_person(entry: Entry, *, domain: str, house: str, now: float) -> Person:
    """An account of Active Directory. `domain` is its DNS name, `house` its short one; lower case."""
    account = naming.canonical(entry.text("sAMAccountName"))
    implicit = f"{account}@{domain}"
    name = naming.canonical(entry.text("userPrincipalName")) or implicit
    mail = [naming.canonical(text) for text in entry.texts("mail")]
    names = {name, implicit, account, *mail}
    if house:
        names.add(f"{house}\\{account}")
    return Person(
        dn=entry.dn,
        name=name,
        names=frozenset(names),
        addresses=frozenset(_addresses((name, *mail, *_proxies(entry.texts("proxyAddresses"))))),
        trouble=_ad_trouble(entry, now),
        password_state=f"{entry.dn}\0{entry.text('pwdLastSet')}",
        member_of=entry.texts("memberOf"),
        account=account,
        sid=next(map(sid_text, entry.attributes.get("objectsid", ())), ""),
        primary_group=entry.text("primaryGroupID"),
    )


def other_person(entry: Entry, *, now: float) -> Person:
    """An account of another directory."""
    account = naming.canonical(entry.text("uid") or entry.text("cn"))
    mail = [naming.canonical(text) for text in entry.texts("mail")]
    return Person(
        dn=entry.dn,
        name=account,  # not the address: in some directories people may write that themselves
        names=frozenset({account, *mail}),
        addresses=frozenset(_addresses(mail)),
        trouble=_other_trouble(entry, now),
        password_state=f"{entry.dn}\0{entry.text('pwdChangedTime')}",
        member_of=entry.texts("memberOf"),
        account=account,
        primary_group=entry.text("gidNumber"),
    )


def sid_text(sid: bytes) -> str:
    """`S-1-5-21-...` of the binary form ([MS-DTYP] §2.4.2.2); empty for what is none."""
    if len(sid) < 8 or len(sid) != 8 + 4 * sid[1]:
        return ""
    parts = struct.unpack(f"<{sid[1]}I", sid[8:])
    return "-".join(map(str, ("S", sid[0], int.from_bytes(sid[2:8], "big"), *parts)))


def sid_bytes(sid: str) -> bytes:
    """The binary form of a SID that `sid_text` gave."""
    revision, authority, *parts = map(int, sid.split("-")[1:])
    return struct.pack(f"<BB6s{len(parts)}I", revision, len(parts), authority.to_bytes(6, "big"), *parts)


def is_privileged(sids: Iterable[str]) -> bool:
    """Whether one of the groups is an administrators' group: of the domain, enterprise, schema, machine."""
    return any(is_administrators(sid) for sid in sids)


def is_administrators(sid: str) -> bool:
    return sid == "S-1-5-32-544" or (
        sid.startswith("S-1-5-21-") and sid.rpartition("-")[2] in ("512", "518", "519")
    )


def is_everybody(sid: str) -> bool:
    """Whether everyone of a domain is in the group: Domain Users, Guests or Computers, Everyone, ..."""
    return sid in ("S-1-1-0", "S-1-5-11", "S-1-5-32-545") or (
        sid.startswith("S-1-5-21-") and sid.rpartition("-")[2] in ("513", "514", "515")
    )


def _ad_trouble(entry: Entry, now: float) -> Reason | None:
    control = entry.number("userAccountControl")
    computed = entry.number("msDS-User-Account-Control-Computed")
    expires = entry.number("accountExpires")
    if control & _DISABLED:
        return Reason.ACCOUNT_DISABLED
    if expires not in _NEVER and expires // 10_000_000 - _EPOCH_DIFFERENCE_SECONDS <= now:
        return Reason.ACCOUNT_EXPIRED
    if computed & _LOCKED:
        return Reason.ACCOUNT_LOCKED
    must_change = entry.text("pwdLastSet") == "0" and not control & _NEVER_EXPIRES
    return Reason.PASSWORD_EXPIRED if must_change or computed & _EXPIRED_PASSWORD else None


def _other_trouble(entry: Entry, now: float) -> Reason | None:
    expires_day = entry.number("shadowExpire")
    if entry.text("nsAccountLock").lower() == "true":
        return Reason.ACCOUNT_DISABLED
    if expires_day > 0 and expires_day * 86_400 <= now:
        return Reason.ACCOUNT_EXPIRED
    if entry.text("pwdAccountLockedTime"):
        return Reason.ACCOUNT_LOCKED
    return Reason.PASSWORD_EXPIRED if entry.text("pwdReset").lower() == "true" else None


def _proxies(values: Iterable[str]) -> Iterator[str]:
    """Exchange's further addresses: `SMTP:` the first, `smtp:` others; X400 and the like are no mail."""
    for value in values:
        kind, colon, address = value.partition(":")
        if colon and kind.lower() == "smtp":
            yield naming.canonical(address)


def _addresses(texts: Iterable[str]) -> Iterator[Address]:
    for text in texts:
        local, at, domain = text.rpartition("@")
        if at and local and domain:
            yield Address(local, domain)


def group_keys(name: str, dn: str, sid: str) -> tuple[str, ...]:
    """By what access entries may mean a group: its common name, its distinguished name, its SID."""
    whole = unicodedata.normalize("NFC", dn).lower()
    return tuple(key for key in (naming.group_key(name), whole, sid.lower()) if key)
