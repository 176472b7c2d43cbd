"""Weak points of the access tables: who relays without a name, and where passwords are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final

from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.admin.relayers import relay_entries
from gatepost.config.gateway import relaying_gateways
from gatepost.config.rules import servers
from gatepost.config.schema import Pop3Server, Settings, SmtpServer, TlsMode
from gatepost.config.stranger import open_relays, public_peers
from gatepost.config.traps import can_log_in
from gatepost.policy.access import Effect, Entry, Kind, Network, Right, may
from gatepost.policy.facts import Facts
from gatepost.policy.sentence import sentence

# Hosts by prefix: IPv4 below /16 is a company, /24 an office; IPv6 by the bits of a site and a network.
_COMPANY: Final = {4: 16, 6: 48}
_OFFICE: Final = {4: 24, 6: 64}
_WITHOUT_PASSWORDS: Final = frozenset({"EXTERNAL", "GSSAPI", "OAUTHBEARER", "XOAUTH2"})


def access_weaknesses(settings: Settings, gateway: IPv4Address | None = None) -> Iterator[Weakness]:
    """Those that the file alone shows; `gateway` is that of the container that this runs in."""
    for relay in open_relays(settings):
        peer = relay.stranger.peer
        text = f"{relay.server.name}: anybody may relay, {peer} for one: {sentence(relay.entry).rstrip('.')}"
        yield Weakness(Weak.OPEN_RELAY, Grade.CRITICAL, text, place(settings, relay.entry))
    for smtp in settings.smtp.values():
        for entry in relay_entries(smtp.access):
            yield from _relay(settings, smtp, entry)
        for entry in smtp.access.entries:
            yield from _any_sender(settings, smtp, entry)
    for name, entry, address in relaying_gateways(settings, gateway):
        text = f"{name}: {entry.to} covers {address}, the gateway of containers, and may relay"
        yield Weakness(Weak.GATEWAY_RELAYS, Grade.HIGH, text, place(settings, entry))
    for path, server in servers(settings):
        yield from _logins(settings, path, server)


def place(settings: Settings, entry: Entry) -> tuple[str]:
    return (line_of(settings, entry.line),)


def line_of(settings: Settings, line: int) -> str:
    return f"{settings.source.path.name}:{line}"


def _relay(settings: Settings, server: SmtpServer, entry: Entry) -> Iterator[Weakness]:
    where = place(settings, entry)
    if entry.to.kind is Kind.AUTHENTICATED:
        text = f"{server.name}: whoever logs in may relay"
        yield Weakness(Weak.EVERYBODY_RELAYS, Grade.MEDIUM, text, where)
    elif entry.to.kind is Kind.HOST:
        text = f"{server.name}: {entry.to} may relay, by its name in the DNS"
        yield Weakness(Weak.HOSTNAME_RELAYS, Grade.LOW, text, where)
    elif entry.to.kind in (Kind.NET, Kind.ANYONE, Kind.ANONYMOUS):
        for network in _networks(entry):
            yield from _by_address(server, network, where)


def _networks(entry: Entry) -> tuple[Network, ...]:
    named = () if entry.to.network is None else (entry.to.network,)
    return entry.networks if entry.networks is not None else named


def _by_address(server: SmtpServer, network: Network, where: tuple[str]) -> Iterator[Weakness]:
    if network.prefixlen >= _OFFICE[network.version] or network.is_loopback:
        return
    grade = Grade.HIGH if network.prefixlen <= _COMPANY[network.version] else Grade.MEDIUM
    hosts = f"{network.num_addresses:,} addresses" if network.version == 4 else "a whole site"
    text = f"{server.name}: all of {network} ({hosts}) may relay without a login"
    yield Weakness(Weak.WIDE_NETWORK_RELAYS, grade, text, where)


def _any_sender(settings: Settings, server: SmtpServer, entry: Entry) -> Iterator[Weakness]:
    named = entry.to.kind in (Kind.USER, Kind.NET, Kind.HOST, Kind.CERTIFICATE)
    if entry.effect is Effect.ALLOW and Right.ANY_SENDER in entry.rights and not named:
        text = f"{server.name}: {entry.to} may use any sender address"
        yield Weakness(Weak.ANY_SENDER, Grade.LOW, text, place(settings, entry))


def _logins(settings: Settings, path: tuple[str, str], server: SmtpServer | Pop3Server) -> Iterator[Weakness]:
    where = (line_of(settings, settings.source.line(path)),)
    if server.tls is not TlsMode.OFF and server.tls_min < "1.2":
        grade = Grade.HIGH if can_log_in(server) else Grade.MEDIUM
        text = f"{server.name}: TLS {server.tls_min} is taken"
        yield Weakness(
            Weak.OLD_TLS, grade, text, (line_of(settings, settings.source.line((*path, "tls_min"))),)
        )
    if not can_log_in(server):
        return
    if server.auth_in_clear and server.tls not in (TlsMode.REQUIRE, TlsMode.IMPLICIT):
        line = line_of(settings, settings.source.line((*path, "auth_in_clear")))
        text = f"{server.name}: passwords are taken in clear"
        yield Weakness(Weak.AUTH_IN_CLEAR, Grade.HIGH, text, (line,))
    if takes_passwords(server) and is_public(server):
        forced = server.tls in (TlsMode.REQUIRE, TlsMode.IMPLICIT)
        text = f"{server.name}: passwords can be tried from the Internet"
        yield Weakness(Weak.PUBLIC_LOGIN, Grade.LOW if forced else Grade.MEDIUM, text, where)


def takes_passwords(server: SmtpServer | Pop3Server) -> bool:
    by_command = isinstance(server, Pop3Server) and server.user_pass
    return by_command or bool(set(server.auth) - _WITHOUT_PASSWORDS)


def is_public(server: SmtpServer | Pop3Server) -> bool:
    """Whether somebody outside the private networks could connect, as far as the file says."""
    if all(_is_inside(endpoint.host) for endpoint in server.listen):
        return False
    table = server.access
    named = (
        net for one in table.entries for net in (*(one.networks or ()), one.to.network) if net is not None
    )
    tls = server.tls is TlsMode.IMPLICIT
    peers = (Facts(peer, tls=tls, hostnames=frozenset()) for peer in public_peers(named))
    return any(may(Right.CONNECT, facts, table).allowed for facts in peers)


def _is_inside(host: str) -> bool:
    """This machine alone. A private address may still be what a router forwards to."""
    return host.startswith("127.") or host == "::1"
