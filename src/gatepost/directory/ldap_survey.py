"""What an administrator asks of a directory: through which groups, who all is in one, what is odd there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gatepost.directory.ldap_connection import Entry, Filter, Query, Scope
from gatepost.directory.ldap_groups import Group, group_of
from gatepost.directory.ldap_name import (
    EVERYTHING,
    all_of,
    any_of,
    dn_key,
    equal,
    in_chain,
    parse,
)
from gatepost.directory.ldap_person import Person, is_administrators, is_everybody, sid_bytes
from gatepost.directory.ldap_tree import LdapTree, Nature
from gatepost.store.naming import group_key

_SECURITY: Final = 0x80000000
_ATTRIBUTES: Final = ("cn", "objectSid", "groupType", "member", "uniqueMember", "memberUid", "gidNumber")
_SHOWN: Final = 20
_FIRST_IN: Final = 1_000
_WALKED: Final = 2_000
_MEMBERS: Final = 500
_AD_PEOPLE: Final = (equal("objectCategory", "person"), equal("objectClass", "user"))


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group as an entry of the access table may mean it. `security` False: a mere distribution list."""

    group: Group
    security: bool
    members: tuple[str, ...]


class OddityKind(Enum):
    """What is odd: no security group, nobody in it, everybody, or somebody whom it gives no relay."""

    NO_SECURITY_GROUP = "no-security-group"
    EMPTY = "empty"
    EVERYBODY = "everybody"
    PROTECTED = "protected"


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something about a relay group that was probably not meant; `way` leads up to the group."""

    kind: OddityKind
    text: str
    remedy: str
    way: tuple[str, ...] = ()


class LdapSurvey:
    """Asks `tree`. Every question raises LdapUnavailable."""

    def __init__(self, tree: LdapTree) -> None:
        self._tree = tree

    async def groups_meant(self, name: str) -> Sequence[FoundGroup]:
        """The groups that `group:NAME` may mean here: by common name, distinguished name, or SID."""
        nature = await self._tree.nature()
        key = name.lower()
        if key.startswith("s-1-"):
            wanted = equal("objectSid", sid_bytes(key.upper()))
            query = Query(nature.root, wanted, _ATTRIBUTES, limit=_SHOWN)
        elif "=" in key:
            query = Query(name, EVERYTHING, _ATTRIBUTES, Scope.BASE)
        else:
            query = Query(nature.root, all_of(equal("cn", name), _GROUPS), _ATTRIBUTES, limit=_SHOWN)
        found = (await self._tree.pool.search(query)).entries
        return [_found(entry, nature, await self._first_in(nature, entry)) for entry in found]

    async def _first_in(self, nature: Nature, group: Entry) -> Sequence[str]:
        """Accounts whose first group it is; those it does not list (RFC 2307 §5.3)."""
        number = group.text("gidNumber")
        if nature.active_directory or not number:
            return ()
        wanted = all_of(equal("objectClass", "posixAccount"), equal("gidNumber", number))
        found = await self._tree.pool.search(Query(nature.root, wanted, ("uid",), limit=_FIRST_IN))
        return [entry.text("uid") for entry in found.entries]

    async def way(self, person: Person, key: str) -> tuple[str, ...]:
        """The groups from the person up to the one of this key; empty when no way was found."""
        nature = await self._tree.nature()
        below: dict[str, str] = {}
        named: dict[str, Group] = {}
        ahead = [person.dn]
        for _ in range(_WALKED):
            if not ahead:
                break
            child = ahead.pop(0)
            for group in await self._parents(nature, child, person if child == person.dn else None):
                dn = dn_key(group.dn)
                if dn in below:
                    continue
                below[dn], named[dn] = dn_key(child), group
                if key in group.keys or group_key(group.name) == group_key(key):
                    return _upward(dn, below, named)
                ahead.append(group.dn)
        return ()

    async def oddities(self, found: FoundGroup, guessable: Collection[str]) -> Sequence[Oddity]:
        """What is doubtful about a group that relay is given to."""
        nature = await self._tree.nature()
        group = found.group
        if not found.security:
            text = f"{group.name} is a distribution list, which nobody is in for a login"
            return [Oddity(OddityKind.NO_SECURITY_GROUP, text, "make it a security group")]
        if not found.members and not nature.active_directory:
            return [Oddity(OddityKind.EMPTY, f"nobody is in {group.name}", "add members to it")]
        if nature.active_directory:
            return await self._ad_oddities(nature, group, guessable)
        return []

    async def members(self, found: FoundGroup) -> Sequence[str]:
        """The bare names of some people in the group, through others too where the directory tells."""
        nature = await self._tree.nature()
        if nature.active_directory:
            inside = _inside(found.group)
            query = Query(nature.root, all_of(*_AD_PEOPLE, inside), ("sAMAccountName",), limit=_MEMBERS)
            return [entry.text("sAMAccountName") for entry in (await self._tree.pool.search(query)).entries]
        return [_bare(one) for one in found.members[:_MEMBERS]]

    async def _ad_oddities(self, nature: Nature, group: Group, guessable: Collection[str]) -> list[Oddity]:
        inside = _inside(group)
        within = all_of(inside, equal("objectClass", "group"))
        groups = await self._groups(nature, within)
        odd = [
            Oddity(
                OddityKind.EVERYBODY,
                f"everybody is in {group.name}: {one.name} is",
                f"take {one.name} out of it",
                (one.name, group.name),
            )
            for one in (group, *groups)
            if is_everybody(one.sid)
        ]
        people = all_of(*_AD_PEOPLE)
        anybody = await self._people(nature, all_of(people, inside))
        if not anybody and not odd:
            odd.append(Oddity(OddityKind.EMPTY, f"nobody is in {group.name}", "add people or groups to it"))
        protected = {entry.dn: entry for entry in await self._administrators(nature, inside, people)}
        names = any_of(equal("sAMAccountName", name.partition("@")[0]) for name in sorted(guessable))
        risky = {entry.dn: entry for entry in await self._people(nature, all_of(people, inside, names))}
        for dn in dict.fromkeys((*protected, *risky)):
            entry = protected.get(dn) or risky[dn]
            name = entry.text("sAMAccountName")
            why = "is an administrator" if dn in protected else "has a name that attackers try"
            way = await self._way_of(name, group)
            text = f"{name} is in {group.name} and {why}: the group gives it no relay"
            odd.append(Oddity(OddityKind.PROTECTED, text, "send with a plain account", way))
        return odd

    async def _administrators(self, nature: Nature, inside: Filter, people: Filter) -> Sequence[Entry]:
        admins = await self._groups(nature, all_of(equal("objectClass", "group"), equal("adminCount", "1")))
        admins = [*admins, *await self._groups(nature, any_of(equal("cn", name) for name in _ADMINISTRATORS))]
        ways = [in_chain("memberOf", one.dn) for one in admins if is_administrators(one.sid)]
        return await self._people(nature, all_of(people, inside, any_of(ways))) if ways else []

    async def _way_of(self, name: str, group: Group) -> tuple[str, ...]:
        login = parse(name)
        person = None if login is None else await self._tree.person(login)
        return () if person is None else await self.way(person, group.dn.lower())

    async def _parents(self, nature: Nature, dn: str, person: Person | None) -> Sequence[Group]:
        wanted = [equal("member", dn), equal("uniqueMember", dn)]
        if person is not None and not nature.active_directory:
            wanted.append(equal("memberUid", person.account))
            if person.primary_group:
                first = equal("gidNumber", person.primary_group)
                wanted.append(all_of(equal("objectClass", "posixGroup"), first))
        if person is not None and person.sid and person.primary_group:
            wanted.append(
                equal("objectSid", sid_bytes(f"{person.sid.rpartition('-')[0]}-{person.primary_group}"))
            )
        return await self._groups(nature, any_of(wanted))

    async def _groups(self, nature: Nature, wanted: Filter) -> Sequence[Group]:
        found = await self._tree.pool.search(Query(nature.root, wanted, ("cn", "objectSid")))
        return [group_of(entry) for entry in found.entries]

    async def _people(self, nature: Nature, wanted: Filter) -> Sequence[Entry]:
        query = Query(nature.root, wanted, ("sAMAccountName",), limit=_SHOWN)
        return (await self._tree.pool.search(query)).entries


_GROUPS: Final = any_of(
    equal("objectClass", name) for name in ("group", "groupOfNames", "groupOfUniqueNames", "posixGroup")
)
_ADMINISTRATORS: Final = ("Domain Admins", "Enterprise Admins", "Schema Admins", "Administrators")


def _found(entry: Entry, nature: Nature, first: Sequence[str]) -> FoundGroup:
    security = not nature.active_directory or bool(entry.number("groupType") & _SECURITY)
    members = (*entry.texts("member"), *entry.texts("uniqueMember"), *entry.texts("memberUid"), *first)
    return FoundGroup(group_of(entry), security, members)


def _inside(group: Group) -> Filter:
    return any_of((equal("memberOf", group.dn), in_chain("memberOf", group.dn)))


def _bare(member: str) -> str:
    """`bob` of `uid=bob,ou=People,dc=example`."""
    return member.partition(",")[0].partition("=")[2] if "=" in member else member


def _upward(dn: str, below: dict[str, str], named: dict[str, Group]) -> tuple[str, ...]:
    way: list[str] = []
    while dn in named:
        way.append(named[dn].name)
        dn = below[dn]
    return tuple(reversed(way))
