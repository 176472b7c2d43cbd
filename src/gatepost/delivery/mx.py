"""The hosts of a next hop, in the order they are to be tried (RFC 5321 §5, RFC 7505).

Every answer is cached for its TTL within bounds, refusals for a short time. Never a host of our own:
mail would come back to us for ever.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from random import Random
from typing import Any, Protocol

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from gatepost.delivery.nexthop import Kind, NextHop
from gatepost.delivery.own import OwnAddresses

_MIN_TTL_SECONDS = 30.0
_MAX_TTL_SECONDS = 3600.0
_REFUSAL_TTL_SECONDS = 60.0
_CACHED = 10_000
# A domain may list any number of exchangers; a hostile one must not make us try them all.
_MAX_EXCHANGERS = 10
_MAX_HOSTS = 20


@dataclass(frozen=True, slots=True)
class Host:
    """One address to connect to. `name` is what its certificate must say, `address` an IP address."""

    name: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}[{self.address}]:{self.port}"


class NoHost(Exception):
    """There is no host to try. `code` and `enhanced` say whether for now (4xx) or for good (5xx)."""

    def __init__(self, code: int, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.enhanced = enhanced
        self.text = text


class Resolver(Protocol):
    """What is needed of dnspython's asynchronous resolver."""

    async def resolve(self, qname: str, rdtype: str) -> Any:
        """An answer with `rrset`; raises dns.exception.DNSException."""


Lookup = Callable[[str], Awaitable[Sequence[str]]]


async def system_lookup(name: str) -> Sequence[str]:
    """The addresses the system knows for a configured host name (hosts file, then DNS). Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class _Ranked:
    preference: int
    host: Host


@dataclass(frozen=True, slots=True)
class _Cached:
    until: float
    hosts: tuple[_Ranked, ...]
    refusal: NoHost | None


@dataclass(frozen=True, slots=True)
class _Addresses:
    """A name's addresses. `unanswered`: a lookup failed, so there may be more."""

    found: tuple[str, ...]
    ttl_seconds: float
    unanswered: bool = False


class Exchangers:
    """Finds hosts. `resolver` asks the DNS for exchangers, `lookup` the system for configured names."""

    def __init__(
        self,
        resolver: Resolver,
        own: OwnAddresses,
        *,
        lookup: Lookup = system_lookup,
        random: Random | None = None,
        clock: Callable[[], float],
        port: int = 25,
    ) -> None:
        self._resolver = resolver
        self._own = own
        self._lookup = lookup
        self._random = random or Random()  # noqa: S311 - spreads load, keeps no secret
        self._clock = clock
        self._port = port
        self._cache: dict[str, _Cached] = {}

    async def hosts(self, hop: NextHop) -> tuple[Host, ...]:
        """The hosts of a next hop, best first, never empty; equals in random order, anew each time.

        Raises:
            NoHost: there is none, for now or for good.
        """
        if hop.kind is Kind.MX:
            return await self._exchangers(hop.host)
        try:
            addresses: Sequence[str] = (str(ip_address(hop.host)),)
        except ValueError:
            try:
                addresses = await self._lookup(hop.host)
            except (OSError, UnicodeError) as problem:
                raise NoHost(451, "4.4.3", f"{hop.host}: address not found ({problem})") from None
        hosts = tuple(Host(hop.host, address, hop.port) for address in addresses)
        strangers = tuple(host for host in hosts if not self._own.holds(host.address, host.port))
        if not strangers:
            raise NoHost(554, "5.4.6", f"{hop} is this server itself: mail would loop")
        return strangers

    async def _exchangers(self, domain: str) -> tuple[Host, ...]:
        cached = self._cache.get(domain)
        if cached is None or cached.until <= self._clock():
            cached = await self._ask(domain)
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[domain] = cached
        if cached.refusal is not None:
            raise cached.refusal
        hosts = list(cached.hosts)
        self._random.shuffle(hosts)  # RFC 5321 §5.1: equals in random order
        hosts.sort(key=lambda ranked: ranked.preference)
        return tuple(ranked.host for ranked in hosts)

    async def _ask(self, domain: str) -> _Cached:
        try:
            hosts, ttl_seconds = await self._ordered(domain)
        except NoHost as refusal:
            return _Cached(self._clock() + _REFUSAL_TTL_SECONDS, (), refusal)
        ttl_seconds = min(max(ttl_seconds, _MIN_TTL_SECONDS), _MAX_TTL_SECONDS)
        return _Cached(self._clock() + ttl_seconds, hosts, None)

    async def _ordered(self, domain: str) -> tuple[tuple[_Ranked, ...], float]:
        names, ttl_seconds = await self._names(domain)
        hosts: list[_Ranked] = []
        unanswered = False
        own_preference: int | None = None
        for preference, name in names[:_MAX_EXCHANGERS]:
            if own_preference is not None and preference >= own_preference:
                break  # RFC 5321 §5.1: nothing at our own preference or worse
            addresses = await self._addresses(name)
            unanswered = unanswered or addresses.unanswered
            ttl_seconds = min(ttl_seconds, addresses.ttl_seconds)
            if self._own.is_named(name) or any(self._own.holds(a, self._port) for a in addresses.found):
                own_preference = preference
                hosts = [ranked for ranked in hosts if ranked.preference < preference]
                continue
            hosts.extend(_Ranked(preference, Host(name, a, self._port)) for a in addresses.found)
        if hosts:
            return tuple(hosts[:_MAX_HOSTS]), ttl_seconds
        if own_preference is not None:
            raise NoHost(
                554, "5.4.6", f"{domain}: its best mail exchanger is this server, which does not serve it"
            )
        if unanswered:
            raise NoHost(451, "4.4.3", f"{domain}: the address of its mail exchangers could not be looked up")
        raise NoHost(550, "5.1.2", f"{domain}: none of its mail exchangers has an address")

    async def _names(self, domain: str) -> tuple[list[tuple[int, str]], float]:
        """Preference and name of the exchangers, best first; the domain itself when it has none."""
        try:
            answer = await self._resolver.resolve(domain, "MX")
        except dns.resolver.NXDOMAIN:
            raise NoHost(550, "5.1.2", f"{domain}: no such domain") from None
        except dns.resolver.NoAnswer:
            return [(0, domain)], _MAX_TTL_SECONDS  # RFC 5321 §5.1: the implicit MX
        except (dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong, dns.name.IDNAException):
            raise NoHost(550, "5.1.2", f"{domain}: not a domain name") from None
        except (dns.exception.DNSException, OSError) as problem:
            raise NoHost(451, "4.4.3", f"{domain}: name server: {_words(problem)}") from None
        found = [
            (int(record.preference), record.exchange.to_text(omit_final_dot=True).lower())
            for record in answer
        ]
        if len(found) == 1 and found[0][1] in ("", "."):
            raise NoHost(556, "5.1.10", f"{domain} takes no mail (null MX)")  # RFC 7505 §3
        found.sort(key=lambda pair: pair[0])
        return [pair for pair in found if pair[1] not in ("", ".")], float(answer.rrset.ttl)

    async def _addresses(self, name: str) -> _Addresses:
        four, six = await asyncio.gather(self._record(name, "A"), self._record(name, "AAAA"))
        return _Addresses(
            (*four.found, *six.found),
            min(four.ttl_seconds, six.ttl_seconds),
            four.unanswered or six.unanswered,
        )

    async def _record(self, name: str, kind: str) -> _Addresses:
        try:
            answer = await self._resolver.resolve(name, kind)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return _Addresses((), _MAX_TTL_SECONDS)
        except (dns.exception.DNSException, OSError):
            return _Addresses((), _MAX_TTL_SECONDS, unanswered=True)
        return _Addresses(tuple(str(record.address) for record in answer), float(answer.rrset.ttl))


def _words(problem: Exception) -> str:
    if isinstance(problem, dns.exception.Timeout):
        return "no answer in time"
    if isinstance(problem, dns.resolver.NoNameservers):
        return "it failed (SERVFAIL)"
    return type(problem).__name__
