"""The facts for explanations, from where sessions have them: directories and DNS."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dns.asyncresolver
import dns.resolver

from gatepost.admin.accounts import members
from gatepost.admin.explain import Case, Known
from gatepost.admin.relayers import means_every_user, relay_entries
from gatepost.config.schema import Settings, SmtpServer
from gatepost.directory.build import directories
from gatepost.directory.directory import Directories, Resolution, Unavailable, settled
from gatepost.directory.password import Passwords
from gatepost.log import Level, Log, LogWriter
from gatepost.mail.address import Address
from gatepost.policy.access import Kind
from gatepost.policy.facts import UNKNOWN, Identity, Peer, UnknownType
from gatepost.policy.reasons import Reason
from gatepost.server.hostname import confirmed_hostnames
from gatepost.store.accounts import Accounts
from gatepost.store.memberships import paths_of_user


@dataclass(frozen=True, slots=True)
class Learning:
    """Answers for one explanation. Raises DatabaseError where the accounts cannot be read."""

    settings: Settings
    accounts: Accounts
    directories: Directories
    runner: asyncio.Runner  # one loop for all: connections to a directory live in it

    def known(self, server: SmtpServer, case: Case) -> Known:
        """Everything the case needs."""
        login = None if case.user is None else self.login(case.user)
        hostnames = self.runner.run(_hostnames(case.peer)) if server.access.needs_hostnames else frozenset()
        return Known(login, hostnames, self.resolve)

    def login(self, name: str) -> Identity | Reason:
        """Who that is with the right password, or why nobody."""
        try:
            identity = self.runner.run(self.directories.identity(name))
        except Unavailable:
            return Reason.DIRECTORY_UNAVAILABLE
        if identity is not None:
            return identity
        user = self.accounts.users.find(name, tuple(self.settings.domains))
        return Reason.ACCOUNT_DISABLED if user is not None and user.disabled else Reason.UNKNOWN_USER

    def resolve(self, address: Address) -> Resolution:
        """Whose mail for the address is. Raises Unavailable."""
        return self.runner.run(settled(self.directories.resolve(address)))

    def paths(self, login: Identity | Reason | None) -> dict[str, tuple[str, ...]]:
        """The groups of a local identity, with the way to each."""
        if not isinstance(login, Identity):
            return {}
        user = self.accounts.users.find(login.name)
        return {} if user is None else paths_of_user(self.accounts.database, user.id)

    def users_meant(self, server: SmtpServer) -> dict[str, Identity | Reason]:
        """Local users that the relay entries of the virtual server name, themselves or by groups."""
        return {name: self.login(name) for name in self.names_meant(server)}

    def names_meant(self, server: SmtpServer) -> list[str]:
        """The names of those users, sorted."""
        if means_every_user(server):
            return sorted(user.name for user in self.accounts.users.all())
        return sorted(set(self._named(server)))

    def _named(self, server: SmtpServer) -> Iterator[str]:
        for entry in relay_entries(server.access):
            if entry.to.kind is Kind.USER:
                user = self.accounts.users.find(entry.to.name, tuple(self.settings.domains))
                yield user.name if user is not None else entry.to.name
            elif entry.to.kind is Kind.GROUP and self.accounts.groups.find(entry.to.name) is not None:
                yield from members(self.accounts, entry.to.name, nested=True)


@contextmanager
def learning(settings: Settings, accounts: Accounts) -> Iterator[Learning]:
    """The directories of the settings, for questions; no password is ever checked."""
    passwords = Passwords(slots=1)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        log = Log(LogWriter(silent), level=Level.ERROR)
        several = directories(settings, accounts, passwords, log)
        with asyncio.Runner() as runner:
            try:
                yield Learning(settings, accounts, several, runner)
            finally:
                runner.run(_closed(several))
    finally:
        passwords.close()
        os.close(silent)


async def _closed(several: Directories) -> None:
    """In the loop that the connections live in."""
    several.close()


async def _hostnames(peer: Peer) -> frozenset[str] | UnknownType:
    try:
        resolver = dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return UNKNOWN
    return await confirmed_hostnames(peer, resolver)
