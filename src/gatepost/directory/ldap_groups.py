"""Which groups somebody is in, nested ones resolved.

Active Directory computes it: `tokenGroups` holds the SIDs of every security group ([MS-ADTS]
§3.1.1.4.5.19). Where the service may not read that, the chain rule is asked. Other directories are
walked upwards, a level a question, each group once, which cuts loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from gatepost.directory.cache import Cache
from gatepost.directory.ldap_connection import Entry, Filter, Query, Scope
from gatepost.directory.ldap_fault import LdapUnavailable, Stage
from gatepost.directory.ldap_name import EVERYTHING, all_of, any_of, dn_key, equal, first_value, in_chain
from gatepost.directory.ldap_person import Person, group_keys, is_privileged, sid_bytes, sid_text
from gatepost.directory.ldap_pool import LdapPool

GROUP_ATTRIBUTES: Final = ("cn", "objectSid")
_AT_ONCE: Final = 50  # alternatives in one filter
_LEVELS: Final = 32
_GROUPS: Final = 2_000
_NAME_SECONDS: Final = 300.0
_CUT_SHORT: Final = "the server told only some of the groups, by its size limit: raise that for bind_user"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """One group; `sid` empty outside Active Directory."""

    name: str
    dn: str
    sid: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """By what access entries may mean it."""
        return group_keys(self.name, self.dn, self.sid)


@dataclass(frozen=True, slots=True)
class Membership:
    """What somebody's groups come to. `keys` are all by which an entry may mean one of them.

    `names` are for people: one for each group whose name is known.
    """

    keys: frozenset[str]
    privileged: bool
    names: tuple[str, ...] = ()


class KnownGroups:
    """Groups by SID, for as long as a name is believed. None: the directory has no such object."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: Cache[str, _Learnt] = Cache(20_000)

    def get(self, sid: str) -> Group | None:
        """Raises KeyError when it has to be asked for."""
        learnt = self._known.get(sid)
        if learnt is None or learnt.until <= self._clock():
            raise KeyError(sid)
        return learnt.group

    def put(self, sid: str, group: Group | None) -> None:
        self._known.put(sid, _Learnt(group, self._clock() + _NAME_SECONDS))


@dataclass(frozen=True, slots=True)
class _Learnt:
    group: Group | None
    until: float


def group_of(entry: Entry) -> Group:
    sid = next(map(sid_text, entry.attributes.get("objectsid", ())), "")
    return Group(entry.text("cn") or first_value(entry.dn), entry.dn, sid)


async def ad_membership(pool: LdapPool, root: str, person: Person, known: KnownGroups) -> Membership:
    """The groups of an account of Active Directory. Raises LdapUnavailable."""
    found = await pool.search(Query(person.dn, EVERYTHING, ("tokenGroups",), Scope.BASE))
    values = found.entries[0].attributes.get("tokengroups", ()) if found.entries else ()
    sids = [sid for sid in map(sid_text, values) if sid]
    if sids:
        groups = await groups_by_sid(pool, root, sids, known)
    else:
        groups = await _chained(pool, root, person)
        sids = [group.sid for group in groups]
    keys = {key for group in groups for key in group.keys}
    keys |= {sid.lower() for sid in sids}
    return Membership(frozenset(keys), is_privileged(sids), _names(groups))


def _names(groups: Iterable[Group]) -> tuple[str, ...]:
    return tuple(sorted({group.name for group in groups}, key=str.lower))


async def groups_by_sid(
    pool: LdapPool, root: str, sids: Iterable[str], known: KnownGroups
) -> Sequence[Group]:
    """Those of the groups that the directory has; names are asked for once in a while."""
    groups: list[Group] = []
    missing: list[str] = []
    for sid in sids:
        try:
            group = known.get(sid)
        except KeyError:
            missing.append(sid)
        else:
            groups += [] if group is None else [group]
    for part in _parts(missing):
        query = Query(root, any_of(equal("objectSid", sid_bytes(sid)) for sid in part), GROUP_ATTRIBUTES)
        found = {group.sid: group for group in map(group_of, await _all_of(pool, query))}
        for sid in part:
            known.put(sid, found.get(sid))
        groups += found.values()
    return groups


async def _chained(pool: LdapPool, root: str, person: Person) -> Sequence[Group]:
    """By the chain rule, from the account and from its primary group, which `member` does not hold."""
    primary = await _primary_group(pool, root, person)
    ways = [in_chain("member", dn) for dn in (person.dn, *(group.dn for group in primary))]
    query = Query(root, all_of(equal("objectClass", "group"), any_of(ways)), GROUP_ATTRIBUTES)
    return [*primary, *map(group_of, await _all_of(pool, query))]


async def _primary_group(pool: LdapPool, root: str, person: Person) -> Sequence[Group]:
    if not person.sid or not person.primary_group:
        raise LdapUnavailable(Stage.SEARCH, "bind_user may not read the groups of accounts")
    sid = f"{person.sid.rpartition('-')[0]}-{person.primary_group}"
    query = Query(root, equal("objectSid", sid_bytes(sid)), GROUP_ATTRIBUTES)
    return [group_of(entry) for entry in await _all_of(pool, query)]


async def _all_of(pool: LdapPool, query: Query) -> Sequence[Entry]:
    """Every entry there is: who is in a group that was left out could be allowed, or denied, by it.

    Raises LdapUnavailable.
    """
    found = await pool.search(query)
    if not found.whole:
        raise LdapUnavailable(Stage.SEARCH, _CUT_SHORT)
    return found.entries


async def _any_of(pool: LdapPool, root: str, ways: Sequence[Filter]) -> Sequence[Entry]:
    """Every entry that one of the ways leads to, with fewer ways a question where the answer is cut short."""
    found = await pool.search(Query(root, any_of(ways), ("cn",)))
    if found.whole:
        return found.entries
    if len(ways) == 1:
        raise LdapUnavailable(Stage.SEARCH, _CUT_SHORT)
    middle = len(ways) // 2
    return [*await _any_of(pool, root, ways[:middle]), *await _any_of(pool, root, ways[middle:])]


async def walked_membership(pool: LdapPool, root: str, person: Person) -> Membership:
    """The groups of an account of another directory. Raises LdapUnavailable."""
    groups: dict[str, Group] = {dn_key(dn): Group(first_value(dn), dn) for dn in person.member_of}
    ahead: list[Filter] = [*map(_having_member, (person.dn, *person.member_of))]
    ahead.append(equal("memberUid", person.account))
    if person.primary_group:  # RFC 2307 §5.3: this group does not list those whose first it is
        first = equal("gidNumber", person.primary_group)
        ahead.append(all_of(equal("objectClass", "posixGroup"), first))
    for _ in range(_LEVELS):
        if not ahead:
            keys = frozenset(key for group in groups.values() for key in group.keys)
            return Membership(keys, False, _names(groups.values()))
        fresh: dict[str, Group] = {}
        for part in _parts(ahead):
            for entry in await _any_of(pool, root, part):
                if (key := dn_key(entry.dn)) not in groups:
                    fresh[key] = group_of(entry)
        groups |= fresh
        if len(groups) > _GROUPS:
            break
        ahead = [_having_member(group.dn) for group in fresh.values()]
    raise LdapUnavailable(Stage.SEARCH, f"{person.dn} is in more groups, or deeper ones, than are followed")


def _having_member(dn: str) -> Filter:
    return any_of((equal("member", dn), equal("uniqueMember", dn)))


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for begins in range(0, len(items), _AT_ONCE):
        yield items[begins : begins + _AT_ONCE]
