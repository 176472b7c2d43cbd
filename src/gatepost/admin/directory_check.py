"""What is doubtful in the directories themselves: relay groups, and names that two of them have.

`gatepost check` works without a network; this is asked for with `--directory`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Final

from gatepost.admin.relayers import relay_entries
from gatepost.config.finding import Finding, Severity
from gatepost.config.schema import DirectoryKind, Settings
from gatepost.directory.build import ldap_tree
from gatepost.directory.ldap_fault import LdapUnavailable
from gatepost.directory.ldap_name import parse
from gatepost.directory.ldap_survey import LdapSurvey, Oddity
from gatepost.directory.ldap_tree import LdapTree
from gatepost.log import Log
from gatepost.policy.access import Entry, Kind
from gatepost.store.accounts import Accounts

_AT_ONCE: Final = 50
_SHOWN: Final = 20


def directory_doubts(settings: Settings, accounts: Accounts | None, log: Log) -> list[Finding]:
    """A warning for everything that was probably not meant. What does not answer is one too."""
    return asyncio.run(_all(settings, accounts, log))


async def _all(settings: Settings, accounts: Accounts | None, log: Log) -> list[Finding]:
    found: list[Finding] = []
    known: dict[str, bool] = {
        group.lower(): accounts is not None and _has_members(accounts, group)
        for group, _ in _relay_groups(settings)
    }
    names = [name for name, one in settings.directory.items() if one.kind is DirectoryKind.LDAP]
    trees: dict[str, LdapTree] = {}
    with ExitStack() as stack:
        for name in names:
            tree = ldap_tree(name, settings.directory[name], log)
            stack.enter_context(closing(tree.pool))
            try:
                found += [finding async for finding in _tree_doubts(settings, name, tree, known)]
                if accounts is not None:
                    found += [finding async for finding in _twice(settings, name, tree, accounts)]
                found += [finding async for finding in _in_both(settings, name, tree, trees)]
                trees[name] = tree
            except LdapUnavailable as fault:
                found.append(
                    _warning(settings, 0, f"{name}: {fault}", "`gatepost directory test` tries each step")
                )
    for group, entry in _relay_groups(settings) if names and len(trees) == len(names) else ():
        if not known[group.lower()]:
            here = accounts is not None and accounts.groups.find(group) is not None
            text = f"there is no group {group} in any directory, so nobody relays by it"
            if here:
                text = (
                    f"nobody is in the local group {group}, and {' and '.join(names)} has none of that name"
                )
            found.append(_warning(settings, entry.line, text, "make the group, or mend the name"))
    return found


def _has_members(accounts: Accounts, group: str) -> bool:
    there = accounts.groups.find(group) is not None
    return there and bool(accounts.groups.members(group, nested=True, limit=1))


async def _in_both(
    settings: Settings, name: str, tree: LdapTree, earlier: Mapping[str, LdapTree]
) -> AsyncIterator[Finding]:
    """Members of relay groups whose names an earlier directory has: they cannot log in."""
    if not earlier:
        return
    survey, members = LdapSurvey(tree), dict[str, None]()
    for group, _ in _relay_groups(settings):
        for one in await survey.groups_meant(group):
            members.update(dict.fromkeys(await survey.members(one)))
    shown = 0
    for other, before in earlier.items():
        for member in members:
            if shown < _SHOWN and await _has(before, member):
                shown += 1
                text = f"{member} is somebody's name in {other} and in {name}: the first directory has it"
                yield _warning(settings, 0, text, "call one of the two otherwise")


async def _tree_doubts(
    settings: Settings, name: str, tree: LdapTree, known: dict[str, bool]
) -> AsyncIterator[Finding]:
    survey = LdapSurvey(tree)
    for group, entry in _relay_groups(settings):
        groups = await survey.groups_meant(group)
        known[group.lower()] |= bool(groups)
        if len(groups) > 1:
            where = "; ".join(one.group.dn for one in groups)
            text = f"{name}: {group} is several groups, and each gives relay: {where}"
            yield _warning(settings, entry.line, text, "name the one that is meant by its distinguished name")
        for one in groups:
            for oddity in await survey.oddities(one, settings.guard.guessable):
                yield _warning(settings, entry.line, f"{name}: {_told(oddity)}", oddity.remedy)


def _told(oddity: Oddity) -> str:
    return f"{oddity.text} (through {' in '.join(oddity.way)})" if len(oddity.way) > 1 else oddity.text


async def _twice(settings: Settings, name: str, tree: LdapTree, accounts: Accounts) -> AsyncIterator[Finding]:
    """Names by which local people log in, and somebody in the directory does too."""
    users = [
        (shown, texts)
        for user in accounts.users.all()
        for shown, texts in ((user.name, (user.name, user.local)), *((one, (one,)) for one in user.addresses))
    ]
    shown = 0
    for begins in range(0, len(users), _AT_ONCE):
        part = users[begins : begins + _AT_ONCE]
        answers = await asyncio.gather(*(_has(tree, *texts) for _, texts in part))
        for (user, _), there in zip(part, answers, strict=True):
            if there and shown < _SHOWN:
                shown += 1
                text = (
                    f"{user} is a local account's and somebody's name in {name}: the first directory has it"
                )
                yield _warning(settings, 0, text, "delete one of the two, or call it otherwise")


async def _has(tree: LdapTree, *texts: str) -> bool:
    names = [parse(text) for text in texts]
    return any([await tree.person(name) is not None for name in names if name is not None])


def _relay_groups(settings: Settings) -> Iterator[tuple[str, Entry]]:
    seen: set[str] = set()
    for server in settings.smtp.values():
        for entry in relay_entries(server.access):
            group = str(entry.to).partition(":")[2]
            if entry.to.kind is Kind.GROUP and group.lower() not in seen:
                seen.add(group.lower())
                yield group, entry


def _warning(settings: Settings, line: int, text: str, remedy: str) -> Finding:
    return Finding(Severity.WARNING, settings.source.path, line, text, remedy)
