"""The choice of the next hop: a domain in, a next hop out. Pure.

A local domain goes where its `deliver` says. Any other goes by the most specific route: the exact
domain, then `*.parent` from the longest parent to the shortest, then `*`; without one, to its mail
exchangers. An address literal (RFC 5321 §4.1.3) goes to that address, unless a route takes it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import urlsplit

from gatepost.config.schema import Route, Settings
from gatepost.delivery.nexthop import Kind, NextHop, RelayLogin, TlsUse

_PORTS = {Kind.SMTP: 25, Kind.SMTPS: 465, Kind.LMTP: 24}
_CACHED_DOMAINS = 10_000


class Unroutable(Exception):
    """No next hop can exist for this domain. The text says why."""


@dataclass(frozen=True, slots=True)
class LocalDomain:
    """Where mail for a domain of ours goes. `forward` takes the recipients nobody here knows."""

    deliver: NextHop
    forward: NextHop | None = None


def next_hop(
    via: str, tls: TlsUse = TlsUse.MAY, login: RelayLogin | None = None, ca_file: Path | None = None
) -> NextHop:
    """The next hop that a `via`, `deliver` or `unknown` text means.

    `mx` and `mailbox` get their domain as `host` when a domain is routed.

    Raises:
        ValueError: the text is none of mailbox, mx, capture:DIR, smtp://, smtps:// or lmtp://.
    """
    if via in ("mx", "mailbox"):
        return NextHop(Kind(via), tls=tls, login=login, ca_file=ca_file)
    if via.startswith("capture:"):
        return NextHop(Kind.CAPTURE, folder=Path(via.removeprefix("capture:")))
    parts = urlsplit(via)
    kind = Kind(parts.scheme)
    if kind not in _PORTS or not parts.hostname:
        raise ValueError(f"{via}: not a next hop")
    return NextHop(kind, parts.hostname, parts.port or _PORTS[kind], tls, login, ca_file)


def ascii_domain(domain: str) -> str:
    """The domain in A-labels, lower case (RFC 5891 §5.1); unchanged where no A-label form exists."""
    if domain.isascii():
        return domain.lower()
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.lower()


class Routing:
    """The routes of one configuration. Answers are cached: the same domain gives the same object."""

    def __init__(self, domains: Mapping[str, LocalDomain], routes: Mapping[str, NextHop]) -> None:
        self._domains = {ascii_domain(name): domain for name, domain in domains.items()}
        self._routes = {ascii_domain(pattern): hop for pattern, hop in routes.items()}
        self._cache: dict[str, NextHop] = {}

    def to(self, domain: str) -> NextHop:
        """The next hop for a recipient's domain.

        Raises:
            Unroutable: an address literal that is no address.
        """
        hop = self._cache.get(domain)
        if hop is None:
            if len(self._cache) >= _CACHED_DOMAINS:
                self._cache.clear()
            hop = self._cache[domain] = self._choose(ascii_domain(domain))
        return hop

    def is_local(self, domain: str) -> bool:
        return not domain or ascii_domain(domain) in self._domains

    def forward(self, domain: str) -> NextHop | None:
        """Where recipients unknown to this local domain go; None: nowhere, they are refused."""
        local = self._domains.get(ascii_domain(domain))
        return None if local is None else local.forward

    def _choose(self, domain: str) -> NextHop:
        if not domain:  # RFC 5321 §4.1.1.3: the bare postmaster is ours
            return NextHop(Kind.MAILBOX)
        local = self._domains.get(domain)
        hop = local.deliver if local is not None else self._route(domain)
        if hop.kind is Kind.MX and domain.startswith("["):
            return replace(hop, kind=Kind.SMTP, host=_literal(domain))
        return replace(hop, host=domain) if hop.kind in (Kind.MX, Kind.MAILBOX) else hop

    def _route(self, domain: str) -> NextHop:
        for pattern in patterns(domain):
            hop = self._routes.get(pattern)
            if hop is not None:
                return hop
        return NextHop(Kind.MX)


def routing(settings: Settings) -> Routing:
    """The routes of this configuration."""
    domains = {
        name: LocalDomain(
            next_hop(domain.deliver), None if domain.unknown == "reject" else next_hop(domain.unknown)
        )
        for name, domain in settings.domains.items()
    }
    return Routing(domains, {pattern: _hop(route) for pattern, route in settings.routes.items()})


def _hop(route: Route) -> NextHop:
    login = route.login
    if login is None or login.user is None:
        relay_login = None
    else:
        relay_login = RelayLogin(login.user, login.password_file, login.oauth)
    return next_hop(route.via, TlsUse(route.tls.value), relay_login, route.ca_file)


def patterns(domain: str) -> list[str]:
    """What may stand in the routes for this domain, most specific first."""
    if domain.startswith("["):
        return [domain, "*"]
    labels = domain.split(".")
    return [domain, *("*." + ".".join(labels[i:]) for i in range(1, len(labels))), "*"]


def _literal(domain: str) -> str:
    """The address inside a literal, as text.

    Raises:
        Unroutable: it is none (General-address-literals have no meaning yet, RFC 5321 §4.1.3).
    """
    inside = domain.removeprefix("[").removesuffix("]")
    try:
        if inside.lower().startswith("ipv6:"):
            return str(IPv6Address(inside[5:]))
        return str(IPv4Address(inside))
    except ValueError:
        raise Unroutable(f"{domain} is not an address") from None
