"""What is valid and probably not meant: denies that swallow, entries that cannot match, weak spots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from gatepost.config.coverage import covers, may_meet
from gatepost.config.finding import Doubt
from gatepost.config.rules import servers
from gatepost.config.schema import DirectoryKind, Pop3Server, RouteTls, Settings, SmtpServer, TlsMode
from gatepost.policy.access import Effect, Entry, Kind, Right, Table

Exists = Callable[[str], bool]

_LOGGED_IN = frozenset({Kind.AUTHENTICATED, Kind.USER, Kind.GROUP})


def doubts(settings: Settings, group_exists: Exists | None, user_exists: Exists | None) -> Iterator[Doubt]:
    """Every warning about the settings themselves."""
    if not settings.smtp and not settings.pop3:
        yield Doubt((), "there is no virtual server", "write [smtp.NAME] or [pop3.NAME]")
    for path, server in servers(settings):
        table = server.access
        yield from _swallowed(path, table)
        yield from _unreachable(path, server)
        yield from _connect_after_login(path, table)
        yield from _weak_login(path, server)
        yield from _guessable_relays(path, table, settings)
        yield from _not_there(path, table, Kind.GROUP, group_exists, "`gatepost group add`")
        yield from _not_there(path, table, Kind.USER, user_exists, "`gatepost user add`")
        yield from _no_keys(path, server, settings)
    yield from _route_logins(settings)


def _no_keys(path: tuple[str, str], server: SmtpServer | Pop3Server, settings: Settings) -> Iterator[Doubt]:
    """SCRAM needs keys, which no directory but the local one gives: clients that prefer it fail."""
    others = [name for name, one in settings.directory.items() if one.kind is DirectoryKind.LDAP]
    if others and any(name.startswith("SCRAM-") for name in server.auth):
        named = ", ".join(others)
        text = f"{path[1]}: accounts of {named} cannot log in by SCRAM, which clients prefer"
        yield Doubt((*path, "auth"), text, 'offer auth = ["PLAIN", "LOGIN"] here, over TLS')


def _swallowed(path: tuple[str, str], table: Table) -> Iterator[Doubt]:
    """The deny trap: a deny is no exception to a narrower allow, it wins over it."""
    denies = [entry for entry in table.entries if entry.effect is Effect.DENY]
    allows = [entry for entry in table.entries if entry.effect is Effect.ALLOW]
    for deny, allow in product(denies, allows):
        shared = deny.rights & allow.rights
        if shared and covers(deny, allow):
            rights = ", ".join(sorted(right.value for right in shared))
            yield Doubt(
                (*path, "access"),
                f"{path[1]}: denying {rights} to {deny.to} also takes it from {allow.to} "
                f"(line {allow.line}): a deny wins over every allow",
                "take the deny out: what no entry allows is refused anyhow",
                deny.line,
            )


def _unreachable(path: tuple[str, str], server: SmtpServer | Pop3Server) -> Iterator[Doubt]:
    for entry in server.access.entries:
        why = _never_matches(entry, server)
        if why is not None:
            text = f"{path[1]}: the entry for {entry.to} can never match: {why}"
            yield Doubt((*path, "access"), text, "take it out, or mend what it waits for", entry.line)
        elif entry.effect is Effect.ALLOW and Right.RELAY in entry.rights:
            yield from _relay_without(path, entry, server.access)


def _never_matches(entry: Entry, server: SmtpServer | Pop3Server) -> str | None:
    if entry.networks == ():
        return "its `from` is empty"
    if (
        entry.networks
        and entry.to.network
        and not any(net.overlaps(entry.to.network) for net in entry.networks)
    ):
        return "its `from` and its `net:` share no address"
    if entry.tls and server.tls is TlsMode.OFF:
        return "it asks for TLS, which is off here"
    if entry.to.kind in _LOGGED_IN and not can_log_in(server):
        return "nobody can log in here"
    return None


def can_log_in(server: SmtpServer | Pop3Server) -> bool:
    offers = bool(server.auth) or (isinstance(server, Pop3Server) and server.user_pass)
    return offers and (server.tls is not TlsMode.OFF or server.auth_in_clear)


def _relay_without(path: tuple[str, str], relay: Entry, table: Table) -> Iterator[Doubt]:
    """Whoever relays has to connect and to hand in mail first."""
    for right in (Right.CONNECT, Right.SUBMIT):
        if not any(_helps(entry, relay, right) for entry in table.entries):
            yield Doubt(
                (*path, "access"),
                f"{path[1]}: {relay.to} may relay but may not {right.value}, so never gets there",
                f'add "{right.value}" to the entry',
                relay.line,
            )


def _helps(entry: Entry, relay: Entry, right: Right) -> bool:
    if entry.effect is Effect.DENY or right not in entry.rights:
        return False
    if right is Right.CONNECT:
        # Before a login the user to come is nobody yet: only the place can be compared.
        return entry.to.kind not in _LOGGED_IN
    return may_meet(entry, relay)


def _connect_after_login(path: tuple[str, str], table: Table) -> Iterator[Doubt]:
    for entry in table.entries:
        if Right.CONNECT in entry.rights and entry.to.kind in _LOGGED_IN:
            yield Doubt(
                (*path, "access"),
                f"{path[1]}: `connect` is asked before anybody is logged in, {entry.to} is nobody then",
                'give `connect` to "anyone" or to networks',
                entry.line,
            )


def _weak_login(path: tuple[str, str], server: SmtpServer | Pop3Server) -> Iterator[Doubt]:
    if server.auth_in_clear:
        text = f"{path[1]}: passwords may come in clear, whoever listens on that network reads them"
        yield Doubt((*path, "auth_in_clear"), text, "keep it to devices that know no TLS")
    elif server.auth and server.tls is TlsMode.OFF:
        text = f"{path[1]}: AUTH is not offered in clear and TLS is off, so nobody can log in"
        yield Doubt((*path, "auth"), text, 'set tls = "require", or auth = []')
    elif isinstance(server, Pop3Server) and not can_log_in(server):
        yield Doubt(path, f"{path[1]}: nobody can log in here", 'set tls = "require" and auth')
    if server.tls_min < "1.2":
        text = f"{path[1]}: TLS {server.tls_min} is broken and kept for old devices alone"
        yield Doubt((*path, "tls_min"), text, "take it out once the devices are gone")


def _guessable_relays(path: tuple[str, str], table: Table, settings: Settings) -> Iterator[Doubt]:
    for entry in table.entries:
        if entry.effect is Effect.DENY or Right.RELAY not in entry.rights or entry.to.kind is not Kind.USER:
            continue
        if entry.to.name.partition("@")[0] in settings.guard.guessable:
            text = f"{path[1]}: {entry.to} may relay, and its name is one that attackers try"
            yield Doubt((*path, "access"), text, "relay with a plain account instead", entry.line)


def _not_there(
    path: tuple[str, str], table: Table, kind: Kind, exists: Exists | None, verb: str
) -> Iterator[Doubt]:
    for entry in table.entries:
        if exists is not None and entry.to.kind is kind and not exists(entry.to.name):
            text = f"{path[1]}: there is no {entry.to}"
            yield Doubt((*path, "access"), text, f"mend the name, or make it with {verb}", entry.line)


def _route_logins(settings: Settings) -> Iterator[Doubt]:
    for pattern, route in settings.routes.items():
        encrypted = route.via.startswith("smtps://") or route.tls in (RouteTls.REQUIRE, RouteTls.VERIFY)
        if route.login is not None and not encrypted:
            text = f"the login for {pattern} may be asked for where there is no TLS"
            yield Doubt(("routes", pattern, "login"), text, 'set tls = "verify"')
