"""Weak points of the settings around the doors: guard, limits, console, directories, routes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from gatepost.admin.audit_access import line_of
from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.config.schema import DirectoryKind, Guard, Route, RouteTls, Settings, SmtpServer
from gatepost.config.source import KeyPath
from gatepost.config.stranger import PRIVATE
from gatepost.policy.principal import Network

_WIDE_TRUST: Final = {4: 16, 6: 48}


@dataclass(frozen=True, slots=True)
class _Bound:
    """More than this of `key` is a limit in name only."""

    key: str
    most: int
    words: str


_BOUNDS: Final = (
    _Bound("recipients_per_day_per_user", 20_000, "recipients a day"),
    _Bound("messages_per_minute_per_user", 600, "messages a minute"),
    _Bound("recipients_per_message", 5_000, "recipients a message"),
    _Bound("connections_per_peer", 1_000, "connections from one address"),
    _Bound("message_size_bytes", 500_000_000, "bytes a message"),
)


def house_weaknesses(settings: Settings) -> Iterator[Weakness]:
    """Those that the file alone shows."""
    yield from _guard(settings, settings.guard)
    for server in settings.smtp.values():
        yield from _limits(settings, server)
    if not settings.alarms:
        text = "nobody is told of attacks, contained accounts or ending certificates"
        yield Weakness(Weak.NO_ALARMS, Grade.LOW, text)
    yield from _doors(settings)
    yield from _directories(settings)
    for pattern, route in settings.routes.items():
        yield from _route(settings, pattern, route)


def _at(settings: Settings, path: KeyPath) -> tuple[str]:
    return (line_of(settings, settings.source.line(path)),)


def _guard(settings: Settings, guard: Guard) -> Iterator[Weakness]:
    if not guard.habits.enabled:
        text = "stolen accounts are not noticed: habits are not watched"
        yield Weakness(Weak.GUARD_OFF, Grade.HIGH, text, _at(settings, ("guard", "habits", "enabled")))
    if not guard.guessable:
        text = "no name counts as one that attackers try"
        yield Weakness(Weak.GUARD_OFF, Grade.HIGH, text, _at(settings, ("guard", "guessable")))
    for network in guard.trusted:
        if network.prefixlen < _WIDE_TRUST[network.version] or not _is_private(network):
            grade = Grade.MEDIUM if _is_private(network) else Grade.HIGH
            text = f"passwords may be guessed without end from {network}"
            yield Weakness(Weak.GUARD_OFF, grade, text, _at(settings, ("guard", "trusted")))
    if guard.habits.exempt:
        text = f"{', '.join(guard.habits.exempt)} may leave their habits without being contained"
        yield Weakness(Weak.GUARD_EXEMPT, Grade.LOW, text, _at(settings, ("guard", "habits", "exempt")))


def _is_private(network: Network) -> bool:
    return any(network.version == one.version and network.network_address in one for one in PRIVATE)


def _limits(settings: Settings, server: SmtpServer) -> Iterator[Weakness]:
    for bound in _BOUNDS:
        value = getattr(server, bound.key)
        if value > bound.most:
            own, shared = ("smtp", server.name, bound.key), ("limits", bound.key)
            path = own if own in settings.source.lines else shared
            text = f"{server.name}: {bound.key} is {value:,}: {bound.words} without a bound"
            yield Weakness(Weak.LIMIT_HIGH, Grade.MEDIUM, text, _at(settings, path))


def _doors(settings: Settings) -> Iterator[Weakness]:
    console, metrics = settings.console, settings.metrics
    if console is not None and not _is_own_machine(console.listen.host):
        grade = Grade.HIGH if console.certificate is None else Grade.LOW
        how = "in clear" if console.certificate is None else "over TLS"
        text = f"the console listens on {console.listen}, {how}"
        yield Weakness(Weak.CONSOLE_OPEN, grade, text, _at(settings, ("console", "listen")))
    if metrics is not None and not _is_own_machine(metrics.listen.host):
        text = f"the numbers are told to whoever reaches {metrics.listen}"
        yield Weakness(Weak.METRICS_OPEN, Grade.LOW, text, _at(settings, ("metrics", "listen")))


def _is_own_machine(host: str) -> bool:
    return ip_address(host).is_loopback


def _directories(settings: Settings) -> Iterator[Weakness]:
    for name, directory in settings.directory.items():
        in_clear = any(url.startswith("ldap://") for url in directory.url) and not directory.starttls
        if directory.kind is DirectoryKind.LDAP and in_clear:
            # the file is refused unless the server is this machine
            text = f"the directory {name} is asked without TLS"
            yield Weakness(Weak.DIRECTORY_IN_CLEAR, Grade.LOW, text, _at(settings, ("directory", name)))


def _route(settings: Settings, pattern: str, route: Route) -> Iterator[Weakness]:
    where = _at(settings, ("routes", pattern))
    if route.via.startswith("capture:"):
        text = f"mail for {_words(pattern)} goes to the folder {route.via.removeprefix('capture:')}"
        yield Weakness(Weak.CAPTURED, Grade.MEDIUM, text, where)
    if route.login is None or route.tls is RouteTls.VERIFY:
        return
    text = f"the login for {_words(pattern)} goes to {route.via} with tls = {route.tls.value!r}"
    if route.via.startswith("smtps://") or route.tls is RouteTls.REQUIRE:
        yield Weakness(Weak.ROUTE_LOGIN_UNVERIFIED, Grade.MEDIUM, text, where)
    else:
        yield Weakness(Weak.ROUTE_LOGIN_IN_CLEAR, Grade.HIGH, text, where)


def _words(pattern: str) -> str:
    return "everywhere else" if pattern == "*" else pattern
