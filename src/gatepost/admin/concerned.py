"""The users whom a configuration is about: those its relay entries mean. For showing, so some are enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from gatepost.admin.accounts import members
from gatepost.admin.identities import identity_of
from gatepost.admin.relayers import means_every_user, relay_entries
from gatepost.config.schema import Settings, SmtpServer
from gatepost.directory.protected import Protected
from gatepost.policy.access import Kind
from gatepost.policy.facts import Identity
from gatepost.store.accounts import Accounts


def concerned(
    settings: Settings, servers: Iterable[SmtpServer], accounts: Accounts, *, limit: int
) -> list[Identity]:
    """Local users, at most `limit`, whom relay entries of the virtual servers mean. Raises DatabaseError."""
    names: dict[str, None] = {}
    for server in servers:
        names |= dict.fromkeys(islice(_names(settings, server, accounts), limit))
    protected = Protected.of(settings, accounts)
    found = (accounts.users.find(name, tuple(settings.domains)) for name in islice(names, limit))
    there = (user for user in found if user is not None and not user.disabled)
    return [identity_of(settings, accounts, user, protected) for user in there]


def _names(settings: Settings, server: SmtpServer, accounts: Accounts) -> Iterator[str]:
    """Those named first, then the members of groups, then everybody if everybody is meant."""
    entries = relay_entries(server.access)
    yield from (entry.to.name for entry in entries if entry.to.kind is Kind.USER)
    for entry in entries:
        if entry.to.kind is Kind.GROUP and accounts.groups.find(entry.to.name) is not None:
            yield from members(accounts, entry.to.name, nested=True)
    if means_every_user(server):
        yield from (user.name for user in accounts.users.all())
