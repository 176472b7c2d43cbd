"""The directories that the settings name, in their order."""

from __future__ import annotations

import time

from gatepost.config.schema import Directory, DirectoryKind, LoginBy, Settings
from gatepost.directory.directory import Directories
from gatepost.directory.ldap import LdapDirectory
from gatepost.directory.ldap_memory import Ages
from gatepost.directory.ldap_pool import LdapPool, Service
from gatepost.directory.ldap_server import servers, trust
from gatepost.directory.ldap_tree import LdapTree
from gatepost.directory.local import LocalDirectory
from gatepost.directory.password import Passwords, Proven
from gatepost.directory.protected import Protected
from gatepost.directory.recipients import LocalDomain, Recipients
from gatepost.log import Log
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.naming import canonical, canonical_domain


def directories(settings: Settings, accounts: Accounts, passwords: Passwords, log: Log) -> Directories:
    """All of them as one; `passwords` checks what is proved by a local hash."""
    return Directories(
        [
            local_directory(settings, accounts, passwords, log)
            if directory.kind is DirectoryKind.LOCAL
            else ldap_directory(settings, name, log)
            for name, directory in settings.directory.items()
        ],
        Protected.of(settings, accounts).marked,
    )


def ldap_directory(settings: Settings, name: str, log: Log) -> LdapDirectory:
    """The directory of `[directory.NAME]`, of kind ldap. Nothing is connected before it is asked."""
    directory = settings.directory[name]
    return LdapDirectory(
        name,
        ldap_tree(name, directory, log),
        Proven(time.monotonic, seconds=directory.proven_seconds),
        ages=Ages(directory.facts_seconds, max(directory.facts_seconds, directory.stale_seconds)),
        domains={canonical_domain(name): domain.plus_addressing for name, domain in settings.domains.items()},
        guessable=frozenset(canonical(name) for name in settings.guard.guessable),
        clock=time.monotonic,
        log=log,
    )


def ldap_tree(name: str, directory: Directory, log: Log) -> LdapTree:
    """The tree that the settings name."""

    def note(event: str, fields: dict[str, object]) -> None:
        log.warning(event, directory=name, **fields)

    pool = LdapPool(
        servers(directory.url, start_tls=directory.starttls),
        trust(directory.ca_file),
        service(directory),
        timeout_seconds=directory.timeout_seconds,
        bind_slots=directory.connections,
        clock=time.monotonic,
        note=note,
    )
    return LdapTree(
        pool,
        base=directory.base or "",
        house=directory.domain or "",
        direct=(directory.login_name or "") if directory.login is LoginBy.DIRECT else None,
        clock=time.time,
    )


def service(directory: Directory) -> Service:
    """Who searches. Raises OSError when the password cannot be read."""
    if directory.bind_user is None or directory.bind_password_file is None:
        return Service()
    password = directory.bind_password_file.read_text("utf-8").rstrip("\r\n")
    return Service(directory.bind_user, Secret(password))


def local_directory(settings: Settings, accounts: Accounts, passwords: Passwords, log: Log) -> LocalDirectory:
    """Gatepost's own accounts."""
    others = any(directory.kind is not DirectoryKind.LOCAL for directory in settings.directory.values())
    domains = [
        LocalDomain(
            name,
            forwards=domain.unknown != "reject" or domain.deliver != "mailbox",
            others=others,
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
