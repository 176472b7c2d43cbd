"""Who is in a group of a directory, through which groups: for a report, not for deciding.

Active Directory is asked group by group for those that have it in `memberOf`; of other directories the
members are read one by one. Each group is looked at once, which cuts loops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.directory.ldap_connection import Entry, Query, Scope
from gatepost.directory.ldap_groups import Group, group_of
from gatepost.directory.ldap_name import EVERYTHING, all_of, dn_key, equal
from gatepost.directory.ldap_survey import FoundGroup
from gatepost.directory.ldap_tree import LdapTree

_PAGE: Final = 1_000  # what Active Directory gives at once
_GROUPS: Final = 500
_AT_ONCE: Final = 20
_DISABLED: Final = 0x2
_EPOCH_DIFFERENCE_SECONDS: Final = 11_644_473_600  # from 1601 to 1970
_PEOPLE: Final = (equal("objectCategory", "person"), equal("objectClass", "user"))
_AD_ATTRIBUTES: Final = ("sAMAccountName", "userAccountControl", "lastLogonTimestamp")
_MEMBERS: Final = ("member", "uniqueMember", "memberUid")
_OTHER_ATTRIBUTES: Final = ("uid", "cn", "objectSid", *_MEMBERS)

_Way = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LdapMember:
    """Somebody in a group. `way` begins with the group it is in itself.

    `last_logon` is Unix seconds, fourteen days late at most ([MS-ADA1] §2.352); None where it is not kept.
    """

    account: str
    way: tuple[str, ...]
    disabled: bool = False
    last_logon: float | None = None


@dataclass(frozen=True, slots=True)
class LdapMembers:
    """`whole` False: there are more than were looked at."""

    people: tuple[LdapMember, ...]
    whole: bool


async def members(tree: LdapTree, found: FoundGroup, *, limit: int) -> LdapMembers:
    """Up to `limit` people in the group. Raises LdapUnavailable."""
    nature = await tree.nature()
    if nature.active_directory:
        return await _of_active_directory(tree, nature.root, found.group, limit)
    return await _read(tree, found, limit)


async def _of_active_directory(tree: LdapTree, root: str, top: Group, limit: int) -> LdapMembers:
    people: dict[str, LdapMember] = {}
    whole, seen = True, {dn_key(top.dn)}
    ahead: list[tuple[Group, _Way]] = [(top, (top.name,))]
    while ahead and len(people) < limit and len(seen) < _GROUPS:
        group, way = ahead.pop(0)
        inside = equal("memberOf", group.dn)
        answer = await tree.pool.search(Query(root, all_of(*_PEOPLE, inside), _AD_ATTRIBUTES, limit=_PAGE))
        whole = whole and answer.whole
        for entry in answer.entries:
            people.setdefault(dn_key(entry.dn), _account(entry, way))
        wanted = all_of(equal("objectClass", "group"), inside)
        for entry in (await tree.pool.search(Query(root, wanted, ("cn", "objectSid")))).entries:
            if dn_key(entry.dn) not in seen:
                seen.add(dn_key(entry.dn))
                below = group_of(entry)
                ahead.append((below, (below.name, *way)))
    return LdapMembers(tuple(people.values())[:limit], whole and not ahead and len(people) <= limit)


def _account(entry: Entry, way: tuple[str, ...]) -> LdapMember:
    logon = entry.number("lastLogonTimestamp")
    return LdapMember(
        entry.text("sAMAccountName"),
        way,
        bool(entry.number("userAccountControl") & _DISABLED),
        logon / 10_000_000 - _EPOCH_DIFFERENCE_SECONDS if logon else None,
    )


async def _read(tree: LdapTree, found: FoundGroup, limit: int) -> LdapMembers:
    people: dict[str, LdapMember] = {}
    seen = {dn_key(found.group.dn)}
    ahead: list[tuple[str, _Way]] = [(member, (found.group.name,)) for member in found.members]
    while ahead and len(people) < limit and len(seen) < limit + _GROUPS:
        part, ahead = ahead[:_AT_ONCE], ahead[_AT_ONCE:]
        fresh = [one for one in part if dn_key(one[0]) not in seen]
        seen |= {dn_key(member) for member, _ in fresh}
        for (member, way), entry in zip(fresh, await _entries(tree, fresh), strict=True):
            if entry is not None and (inner := tuple(_inner(entry))):
                group = group_of(entry)
                ahead += [(one, (group.name, *way)) for one in inner]
            elif entry is not None or "=" not in member:
                name = member if entry is None else entry.text("uid") or entry.text("cn")
                people.setdefault(name.lower(), LdapMember(name.lower(), way))
    return LdapMembers(tuple(people.values())[:limit], not ahead and len(people) <= limit)


async def _entries(tree: LdapTree, some: Iterable[tuple[str, _Way]]) -> Sequence[Entry | None]:
    return await asyncio.gather(*(_entry(tree, member) for member, _ in some))


async def _entry(tree: LdapTree, dn: str) -> Entry | None:
    """The entry of this name; None for a mere account name (memberUid) and for what is gone."""
    if "=" not in dn:
        return None
    found = await tree.pool.search(Query(dn, EVERYTHING, _OTHER_ATTRIBUTES, Scope.BASE))
    return next(iter(found.entries), None)


def _inner(entry: Entry) -> Iterator[str]:
    for attribute in _MEMBERS:
        yield from entry.texts(attribute)
