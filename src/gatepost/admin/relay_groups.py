"""What is doubtful about the groups that relay is given to, as far as the local accounts can tell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from gatepost.admin.accounts import is_guessable, members
from gatepost.admin.relayers import relay_entries
from gatepost.config.finding import Finding, Severity
from gatepost.config.schema import DirectoryKind, Settings, SmtpServer
from gatepost.policy.access import Entry, Kind
from gatepost.store.accounts import Accounts
from gatepost.store.memberships import paths_of_user

_FEW: Final = 5


def relay_group_doubts(
    settings: Settings, accounts: Accounts, *, most: int | None = None
) -> Iterator[Finding]:
    """A warning for each relay group without members, and for each member that relay does not reach.

    Where there are other directories a group is not called empty: they may have one of its name.
    `most`: no more members of a group are looked at, nor more accounts.
    """
    for server in settings.smtp.values():
        for entry in relay_entries(server.access):
            if entry.to.kind is Kind.GROUP and accounts.groups.find(entry.to.name) is not None:
                yield from _doubts(settings, accounts, server, entry, most)


def everybody_in(accounts: Accounts, group: str) -> int:
    """How many accounts there are, when all of them are in the group; else 0. Few accounts say nothing."""
    count = accounts.users.count()
    if count < _FEW or accounts.groups.find(group) is None:
        return 0
    return count if sum(1 for _ in members(accounts, group, nested=True)) >= count else 0


def _doubts(
    settings: Settings, accounts: Accounts, server: SmtpServer, entry: Entry, most: int | None
) -> Iterator[Finding]:
    group = entry.to.text.partition(":")[2]
    if not accounts.groups.members(group, nested=True, limit=1):
        if any(one.kind is not DirectoryKind.LOCAL for one in settings.directory.values()):
            return  # `gatepost check --directory` looks there too
        text = f"{server.name}: nobody is in the group {group}, so nobody relays by it"
        yield _warning(settings, entry, text, f'`gatepost group join "{group}" USER`')
    elif (most is None or accounts.users.count() <= most) and (count := everybody_in(accounts, group)):
        text = f"{server.name}: everybody is in the group {group}: any of {count} passwords relays"
        yield _warning(settings, entry, text, "keep the group to those who need to send")
    for name in islice(members(accounts, group, nested=True), most):
        if (why := _protected(settings, accounts, name)) is not None:
            yield _member(settings, accounts, server, entry, name, why)


def _protected(settings: Settings, accounts: Accounts, name: str) -> str | None:
    if is_guessable(settings, name):
        return "its name is one that attackers try"
    user = accounts.users.find(name)
    if user is None:
        return None
    own = accounts.administrators.protected_names()
    administers = user.administrator or not own.isdisjoint({user.name, user.local})
    return "it is an administrator" if administers else None


def _member(
    settings: Settings, accounts: Accounts, server: SmtpServer, entry: Entry, name: str, why: str
) -> Finding:
    user = accounts.users.get(name)
    way = paths_of_user(accounts.database, user.id)[entry.to.name]
    through = f" through {' in '.join(way[:-1])}" if len(way) > 1 else ""
    text = f"{server.name}: {name} is in {way[-1]}{through}, and {why}: the group gives it no relay"
    remedy = f'send with a plain account; `gatepost group leave "{way[0]}" {name}`'
    return _warning(settings, entry, text, remedy)


def _warning(settings: Settings, entry: Entry, text: str, remedy: str) -> Finding:
    return Finding(Severity.WARNING, settings.source.path, entry.line, text, remedy)
