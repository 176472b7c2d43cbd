"""The members of relay groups in Active Directory, LDAP and their like, asked as the door would ask them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from gatepost.admin.audit_access import line_of
from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_people import Asked
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.admin.learn import Learning
from gatepost.admin.relayers import relay_entries, users
from gatepost.config.schema import DirectoryKind, Settings
from gatepost.directory.build import ldap_tree
from gatepost.directory.ldap_fault import LdapUnavailable
from gatepost.directory.ldap_members import LdapMember, members
from gatepost.directory.ldap_survey import LdapSurvey, OddityKind
from gatepost.directory.ldap_tree import LdapTree
from gatepost.log import Log
from gatepost.policy.access import Entry, Kind
from gatepost.policy.facts import Identity

_MEMBERS: Final = 2_000


@dataclass(slots=True)
class Surveyed:
    """What was found. `there` are the relay groups that a directory has, lower case."""

    members: dict[str, list[LdapMember]] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    disabled: list[str] = field(default_factory=list)
    weaknesses: list[Weakness] = field(default_factory=list)


def surveyed(settings: Settings, known: Learning, log: Log) -> Surveyed:
    """Every relay group looked for in every directory but the local one."""
    found = Surveyed()
    for name, directory in settings.directory.items():
        if directory.kind is DirectoryKind.LDAP:
            known.runner.run(_survey(settings, name, log, found))
    return found


async def _survey(settings: Settings, name: str, log: Log, found: Surveyed) -> None:
    tree = ldap_tree(name, settings.directory[name], log)
    with closing(tree.pool):
        try:
            async for weakness in _groups(settings, name, tree, found):
                found.weaknesses.append(weakness)
        except LdapUnavailable as fault:
            where = (line_of(settings, settings.source.line(("directory", name))),)
            found.weaknesses.append(Weakness(Weak.DIRECTORY_SILENT, Grade.MEDIUM, f"{name}: {fault}", where))


async def _groups(settings: Settings, name: str, tree: LdapTree, found: Surveyed) -> AsyncIterator[Weakness]:
    survey = LdapSurvey(tree)
    for entry in _entries(settings):
        group = entry.to.text.partition(":")[2]
        for meant in await survey.groups_meant(group):
            found.there.add(entry.to.name)
            where = (line_of(settings, entry.line), meant.group.dn)
            for oddity in await survey.oddities(meant, settings.guard.guessable):
                text = f"{name}: {oddity.text}"
                if oddity.kind is OddityKind.EVERYBODY:
                    yield Weakness(Weak.EVERYBODY_RELAYS, Grade.HIGH, text, where, oddity.remedy)
                elif oddity.kind is not OddityKind.PROTECTED:  # those are asked one by one
                    yield Weakness(Weak.NO_MEMBER, Grade.INFO, text, where, oddity.remedy)
            inside = await members(tree, meant, limit=_MEMBERS)
            found.members.setdefault(entry.to.name, []).extend(inside.people)
            if not inside.whole:
                text = f"{name}: {meant.group.name} has more members than the {_MEMBERS:,} looked at"
                yield Weakness(Weak.DIRECTORY_SILENT, Grade.INFO, text, where, "look at the group itself")


def _entries(settings: Settings) -> Iterator[Entry]:
    """One entry for each group that relay is given to."""
    seen: dict[str, Entry] = {}
    for server in settings.smtp.values():
        for entry in relay_entries(server.access):
            if entry.to.kind is Kind.GROUP:
                seen.setdefault(entry.to.name, entry)
    yield from seen.values()


def asked_of_directories(settings: Settings, known: Learning, found: Surveyed) -> Iterator[Asked]:
    """Each member at each virtual server that gives its group relay; disabled ones are put by."""
    identities: dict[str, Identity | None] = {}
    for server in settings.smtp.values():
        ways: dict[str, dict[str, LdapMember]] = {}
        for entry in relay_entries(server.access):
            for member in found.members.get(entry.to.name, ()) if entry.to.kind is Kind.GROUP else ():
                ways.setdefault(member.account, {})[entry.to.name] = member
        for account, by_group in ways.items():
            one = next(iter(by_group.values()))
            if one.disabled:
                found.disabled.append(f"{account} (in {' in '.join(one.way)})")
                continue
            if account not in identities:
                login = known.login(account)
                identities[account] = login if isinstance(login, Identity) else None
            identity = identities[account]
            if identity is not None and identity.directory != "local":
                paths = {key: member.way for key, member in by_group.items()}
                for relayer in users(server, [identity]):
                    yield Asked(server, identity, relayer, paths, one.last_logon)
