"""Who could relay through a virtual server now: short enough to be read while one changes the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gatepost.admin.concerned import concerned
from gatepost.admin.relayers import Relayer, means_every_user, relay_entries, strangers, users
from gatepost.config.schema import Settings, SmtpServer
from gatepost.policy.access import Entry, Kind
from gatepost.store.accounts import Accounts

LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class RelayNow:
    """`without_login`: hosts and whoever else relays unknown. `may` and `may_not`: users, some of them.

    `everybody`: whoever can log in may. `groups_elsewhere`: groups that no local account is in, whose
    members a directory knows. `is_whole`: no user was left out.
    """

    without_login: tuple[Relayer, ...]
    may: tuple[Relayer, ...]
    may_not: tuple[Relayer, ...]
    everybody: bool
    groups_elsewhere: tuple[Entry, ...]
    is_whole: bool

    @property
    def nobody(self) -> bool:
        return not (self.without_login or self.may or self.everybody or self.groups_elsewhere)


def relay_now(settings: Settings, server: SmtpServer, accounts: Accounts) -> RelayNow:
    """The answer for at most LIMIT local users. Raises DatabaseError."""
    people = concerned(settings, [server], accounts, limit=LIMIT + 1)
    asked = list(users(server, people[:LIMIT]))
    return RelayNow(
        tuple(one for one in strangers(server) if one.may),
        tuple(one for one in asked if one.may),
        tuple(one for one in asked if not one.may),
        means_every_user(server) and bool(server.auth),
        tuple(entry for entry in relay_entries(server.access) if _is_elsewhere(entry, accounts)),
        len(people) <= LIMIT,
    )


def _is_elsewhere(entry: Entry, accounts: Accounts) -> bool:
    return entry.to.kind is Kind.GROUP and accounts.groups.find(entry.to.name) is None
