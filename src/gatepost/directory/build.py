"""The directories that the settings name, in their order."""

from __future__ import annotations

import time

from gatepost.config.schema import Settings
from gatepost.directory.directory import Directories
from gatepost.directory.local import LocalDirectory
from gatepost.directory.password import Passwords, Proven
from gatepost.directory.recipients import LocalDomain, Recipients
from gatepost.log import Log
from gatepost.store.accounts import Accounts


def directories(settings: Settings, accounts: Accounts, passwords: Passwords, log: Log) -> Directories:
    """All of them as one; `passwords` checks what is proved by a local hash."""
    return Directories([local_directory(settings, accounts, passwords, log)])


def local_directory(settings: Settings, accounts: Accounts, passwords: Passwords, log: Log) -> LocalDirectory:
    """Gatepost's own accounts."""
    domains = [
        LocalDomain(
            name,
            forwards=domain.unknown != "reject" or domain.deliver != "mailbox",
            plus_addressing=domain.plus_addressing,
            postmaster=domain.postmaster,
            catch_all=domain.catch_all,
        )
        for name, domain in settings.domains.items()
    ]
    return LocalDirectory(
        accounts,
        passwords,
        Proven(time.monotonic),
        Recipients(accounts, domains),
        domains=tuple(settings.domains),
        guessable=settings.guard.guessable,
        log=log,
    )
