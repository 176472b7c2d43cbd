"""Each step to a directory, tried one after the other and told in words to act on."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from cryptography import x509

from gatepost.admin.relayers import relay_entries
from gatepost.config.schema import Directory, DirectoryKind, Settings
from gatepost.directory.build import ldap_tree, service
from gatepost.directory.ldap_connection import LdapConnection, Query, Scope
from gatepost.directory.ldap_fault import LdapUnavailable, Stage, bind_problem
from gatepost.directory.ldap_groups import Membership
from gatepost.directory.ldap_name import EVERYTHING, parse
from gatepost.directory.ldap_person import Person
from gatepost.directory.ldap_server import LdapServer, Security, servers, trust
from gatepost.directory.ldap_survey import LdapSurvey
from gatepost.directory.ldap_tree import LdapTree
from gatepost.log import Log
from gatepost.policy.access import Kind
from gatepost.policy.reasons import Reason


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `good` None: told, and neither good nor bad."""

    directory: str
    step: str
    good: bool | None
    text: str


_NAME_SHOWN: Final = 80  # of what was asked for
_TROUBLES: Final = {
    Reason.ACCOUNT_DISABLED: "the account is disabled: nobody logs in with it",
    Reason.ACCOUNT_EXPIRED: "the account has expired: nobody logs in with it",
    Reason.ACCOUNT_LOCKED: "the account is locked after wrong passwords, until the directory unlocks it",
    Reason.PASSWORD_EXPIRED: "the password must be changed before anybody logs in with it",
}


async def steps(settings: Settings, log: Log, user: str | None) -> AsyncIterator[Step]:
    """Every step to every directory but the local one; `user` adds who that is there."""
    for name, directory in settings.directory.items():
        if directory.kind is DirectoryKind.LDAP:
            async for step in _directory_steps(settings, name, directory, log, user):
                yield step


async def _directory_steps(
    settings: Settings, name: str, directory: Directory, log: Log, user: str | None
) -> AsyncIterator[Step]:
    usable = False
    for server in servers(directory.url, start_tls=directory.starttls):
        good = True
        async for step in _server_steps(name, directory, server):
            good = good and step.good is not False
            yield step
        usable = usable or good
    if not usable:
        return
    tree = ldap_tree(name, directory, log)
    try:
        async for step in _groups_steps(settings, name, tree):
            yield step
        if user is not None:
            async for step in _user_steps(settings, name, tree, user):
                yield step
    except LdapUnavailable as fault:
        yield Step(name, "search", False, str(fault))
    finally:
        tree.pool.close()


# -- the way there ---------------------------------------------------------------------------------


async def _server_steps(name: str, directory: Directory, server: LdapServer) -> AsyncIterator[Step]:
    try:
        addresses = await asyncio.wait_for(_addresses(server), directory.timeout_seconds)
    except (OSError, TimeoutError) as error:
        yield Step(
            name, "name", False, f"{server.host} is not resolved ({error}): check the name, and the DNS here"
        )
        return
    if addresses:
        yield Step(name, "name", True, f"{server.host} is {', '.join(addresses)}")
    try:
        connection = await LdapConnection.open(
            server, trust(directory.ca_file), timeout_seconds=directory.timeout_seconds
        )
    except LdapUnavailable as fault:
        for step in _failed_opening(name, server, fault):
            yield step
        if fault.stage is Stage.TLS:
            shown = await _shown_certificate(directory, server)
            if shown:
                yield Step(name, "certificate", None, shown)
        return
    yield Step(name, "connection", True, f"{server} answers")
    if server.security is not Security.CLEAR:
        yield Step(name, "tls", True, f"{server.security.value}: {_certificate(connection.certificate())}")
    try:
        async for step in _answers(name, directory, connection):
            yield step
    finally:
        connection.close()


async def _addresses(server: LdapServer) -> list[str]:
    """What the name is; empty for an address, which is no name."""
    try:
        ip_address(server.host)
    except ValueError:
        pass
    else:
        return []
    found = await asyncio.get_running_loop().getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    return sorted({str(row[4][0]) for row in found})


def _failed_opening(name: str, server: LdapServer, fault: LdapUnavailable) -> Iterator[Step]:
    if fault.stage is Stage.CONNECTION:
        yield Step(name, "connection", False, f"{fault}: is the address right, and is a firewall between?")
    else:
        yield Step(name, "connection", True, f"{server.host} takes connections at port {server.port}")
        yield Step(name, "tls", False, str(fault))


async def _shown_certificate(directory: Directory, server: LdapServer) -> str:
    """The certificate that was refused; empty when there is none to see."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE  # only looked at; nothing is said over it
    try:
        connection = await LdapConnection.open(server, unchecked, timeout_seconds=directory.timeout_seconds)
    except LdapUnavailable:
        return ""
    try:
        return f"it shows {_certificate(connection.certificate())}"
    finally:
        connection.close()


def _certificate(der: bytes | None) -> str:
    if der is None:
        return "no certificate"
    certificate = x509.load_der_x509_certificate(der)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        called = ", ".join(str(one.value) for one in names)
    except x509.ExtensionNotFound:
        called = "nobody"
    issuer = certificate.issuer.rfc4514_string()
    return f"a certificate for {called}, by {issuer}, until {certificate.not_valid_after_utc:%Y-%m-%d}"


async def _answers(name: str, directory: Directory, connection: LdapConnection) -> AsyncIterator[Step]:
    seconds = directory.timeout_seconds
    who = service(directory)
    try:
        if who.name:
            bound = await connection.bind(who.name, who.password, timeout_seconds=seconds)
            if not bound.succeeded:
                said = bind_problem(bound.code, bound.diagnostics)
                yield Step(name, "bind", False, f"{who.name} cannot log in: {said}")
                return
            yield Step(name, "bind", True, f"logged in as {who.name}")
        else:
            yield Step(name, "bind", None, "nobody is logged in (bind_user): searches are anonymous")
        if directory.base:
            found = await connection.search(
                Query(directory.base, EVERYTHING, ("objectClass",), Scope.BASE), timeout_seconds=seconds
            )
            good = bool(found.entries)
            text = "is there" if good else "is not there, or may not be read: check base"
            yield Step(name, "base", good, f"{directory.base} {text}")
    except LdapUnavailable as fault:
        yield Step(name, fault.stage.value, False, str(fault))


# -- what is there ---------------------------------------------------------------------------------


async def _groups_steps(settings: Settings, name: str, tree: LdapTree) -> AsyncIterator[Step]:
    nature = await tree.nature()
    kind = "Active Directory" if nature.active_directory else "not Active Directory: groups are walked"
    yield Step(name, "directory", True, f"{nature.root} ({kind}); people are looked for in {nature.base}")
    survey = LdapSurvey(tree)
    for group in relay_groups(settings):
        found = await survey.groups_meant(group)
        if not found:
            yield Step(name, "group", None, f"{group} is not here")
        elif len(found) > 1:
            where = "; ".join(one.group.dn for one in found)
            yield Step(
                name, "group", False, f"{group} is several groups: name one by its whole name: {where}"
            )
        elif not found[0].security:
            yield Step(name, "group", False, f"{group} is a distribution list: make it a security group")
        else:
            yield Step(name, "group", True, f"{group} is {found[0].group.dn}")


def relay_groups(settings: Settings) -> tuple[str, ...]:
    """The groups that relay is given to, as written, each once."""
    entries = (entry for server in settings.smtp.values() for entry in relay_entries(server.access))
    return tuple(
        dict.fromkeys(str(entry.to).partition(":")[2] for entry in entries if entry.to.kind is Kind.GROUP)
    )


async def _user_steps(settings: Settings, name: str, tree: LdapTree, user: str) -> AsyncIterator[Step]:
    login = parse(user)
    person = None if login is None else await tree.person(login)
    if person is None:
        yield Step(name, "user", False, f"{user[:_NAME_SHOWN]}: nobody is called that here, or several are")
        return
    yield Step(name, "user", True, f"{user} is {person.dn}, called {person.name}")
    told = ", ".join(sorted(map(str, person.addresses))) or "none: it may send from no address of its own"
    yield Step(name, "addresses", bool(person.addresses), told)
    trouble = _TROUBLES.get(person.trouble) if person.trouble is not None else None
    yield Step(name, "account", person.trouble is None, trouble or "may log in")
    membership = await tree.membership(person)
    yield Step(name, "groups", True, ", ".join(membership.names) or "none")
    async for step in _relay_steps(settings, name, tree, person, membership):
        yield step


async def _relay_steps(
    settings: Settings, name: str, tree: LdapTree, person: Person, membership: Membership
) -> AsyncIterator[Step]:
    survey = LdapSurvey(tree)
    guessable = {one.lower() for one in settings.guard.guessable}
    local_parts = {one.partition("@")[0] for one in person.names} | person.names
    if membership.privileged or not guessable.isdisjoint(local_parts):
        why = "an administrator" if membership.privileged else "called by a name that attackers try"
        yield Step(
            name, "protected", None, f"it is {why}: no group gives it relay, only user:{person.name} does"
        )
    member = False
    for group in relay_groups(settings):
        if group.lower() in membership.keys:
            member = True
            way = await survey.way(person, group.lower())
            through = " in ".join(way) if way else group
            yield Step(name, "relay", True, f"in {group}, through {person.account} in {through}")
    if not member:
        groups = ", ".join(relay_groups(settings)) or "none: no entry gives relay to a group"
        yield Step(name, "relay", None, f"in no group that gives relay ({groups})")
