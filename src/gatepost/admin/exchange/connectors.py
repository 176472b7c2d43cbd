"""Receive connectors as virtual servers.

Exchange takes of the connectors at one address the one whose ranges hold the peer most narrowly. Here an
address belongs to one virtual server: connectors that share one become one, their rights narrowed to the
ranges that had them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gatepost.admin.exchange.doors import (
    CONNECT,
    PASSWORDS,
    RELAY,
    SUBMIT,
    allow,
    is_everywhere,
    named,
    open_relay,
    relay_by_address,
)
from gatepost.admin.exchange.ipsecurity import Network
from gatepost.admin.exchange.jsonfile import Thing, flags
from gatepost.admin.exchange.permissions import AnonymousRelay
from gatepost.admin.exchange.plan import Fate, Note, Plan, Section
from gatepost.admin.exchange.values import bindings, networks

_AUTH: Final = {
    "tls": 1, "integrated": 2, "basicauth": 4, "basicauthrequiretls": 8, "exchangeserver": 16,
    "externalauthoritative": 32,
}  # fmt: skip
_GROUPS: Final = {
    "anonymoususers": 1, "exchangeusers": 2, "exchangeservers": 4, "exchangelegacyservers": 8, "partners": 16,
    "custom": 32,
}  # fmt: skip
_ROLES: Final = {"hubtransport": 32, "frontendtransport": 16_384}
_SHARED: Final = (
    "connectors share an address. Exchange took the narrowest for a peer; here all entries that fit a peer "
    "count, so a host of a narrow range has the rights of the wide one too"
)


@dataclass(frozen=True, slots=True)
class Connector:
    """One receive connector, read. Flags are lower case."""

    thing: Thing
    name: str
    listen: tuple[str, ...]
    ranges: tuple[Network, ...]
    auth: frozenset[str]
    groups: frozenset[str]
    roles: frozenset[str]
    requires_tls: bool

    @property
    def origin(self) -> str:
        return self.thing.origin

    @property
    def takes_passwords(self) -> bool:
        return bool(self.auth & {"basicauth", "basicauthrequiretls", "integrated"})

    @property
    def reach(self) -> int:
        """How many addresses it is for: of connectors at one address the widest gives the limits."""
        return sum(network.num_addresses for network in self.ranges)


def connector(thing: Thing) -> Connector:
    """Raises ImportFault."""
    try:
        listen = bindings(thing.get("Bindings"))
    except ValueError as problem:
        raise thing.fault("Bindings", str(problem)) from None
    try:
        ranges = networks(thing.get("RemoteIPRanges"))
    except ValueError as problem:
        raise thing.fault("RemoteIPRanges", str(problem)) from None
    return Connector(
        thing,
        thing.text("Name") or thing.text("Identity").rpartition("\\")[2] or "connector",
        listen,
        ranges,
        flags(thing.get("AuthMechanism"), _AUTH),
        flags(thing.get("PermissionGroups"), _GROUPS),
        flags(thing.get("TransportRole"), _ROLES),
        thing.text("RequireTLS").lower() == "true",
    )


def received(
    plan: Plan, found: Iterable[Thing], anonymous: AnonymousRelay
) -> Iterator[tuple[Section, list[Connector]]]:
    """Each virtual server that comes of them, with its connectors, the widest first. Raises ImportFault."""
    usable = list(_usable(plan, [connector(thing) for thing in found]))
    for together in _sharing(usable):
        together.sort(key=lambda one: -one.reach)
        first = together[0]
        path = named(plan, "smtp", first.name, "connector")
        names = ", ".join(f"{one.name!r} ({one.origin})" for one in together)
        section = plan.section(path, f"Receive connector{'s' if len(together) > 1 else ''} {names}")
        listen = list(dict.fromkeys(address for one in together for address in one.listen))
        section.set("listen", listen, Fate.CARRIED, "Bindings", first.origin)
        if len(together) > 1:
            section.note(Fate.CHANGED, f"{len(together)} {_SHARED}", first.origin)
        if any(not one.startswith(("0.0.0.0:", "[::]:")) for one in listen):
            section.note(Fate.DECIDE, f"{', '.join(listen)}: are these addresses of the new machine?")
        _tls(section, together)
        _logins(section, together)
        for one in together:
            _access(section, one, anonymous, alone=len(together) == 1)
        yield section, together


def _usable(plan: Plan, found: Sequence[Connector]) -> Iterator[Connector]:
    has_front = any("frontendtransport" in one.roles for one in found)
    for one in found:
        ports = {address.rpartition(":")[2] for address in one.listen}
        inside = has_front and "hubtransport" in one.roles and "frontendtransport" not in one.roles
        if one.thing.text("Enabled").lower() == "false":
            plan.top.note(Fate.DROPPED, f"{one.name}: the connector was disabled", one.origin)
        elif not one.listen:
            plan.top.note(Fate.DROPPED, f"{one.name}: the connector has no Bindings", one.origin)
        elif inside and not ports <= {"25", "587"}:
            text = f"{one.name}: it speaks between the parts of Exchange, at {', '.join(one.listen)}"
            plan.top.note(Fate.DROPPED, text, one.origin)
        elif not one.ranges:
            plan.top.note(Fate.DECIDE, f"{one.name}: no RemoteIPRanges, so nobody could connect", one.origin)
        else:
            yield one


def _sharing(found: Sequence[Connector]) -> list[list[Connector]]:
    """Those that have an address in common, also through others."""
    parts: list[list[Connector]] = []
    for one in found:
        mine = set(one.listen)
        touching = [part for part in parts if any(mine & set(other.listen) for other in part)]
        parts = [part for part in parts if part not in touching]
        parts.append([*(other for part in touching for other in part), one])
    return parts


def _tls(section: Section, together: Sequence[Connector]) -> None:
    origin = together[0].origin
    if all(one.requires_tls for one in together):
        section.set("tls", "require", Fate.CARRIED, "RequireTLS", origin)
    elif any("tls" in one.auth or one.requires_tls for one in together):
        fate = Fate.CHANGED if any(one.requires_tls for one in together) else Fate.CARRIED
        text = (
            "RequireTLS of some alone: one virtual server has one answer" if fate is Fate.CHANGED else "Tls"
        )
        section.set("tls", "offer", fate, f"AuthMechanism {text}" if text == "Tls" else text, origin)
    elif any(one.takes_passwords for one in together):
        text = "STARTTLS is offered, which it was not: passwords are heard over TLS alone"
        section.set("tls", "offer", Fate.CHANGED, text, origin)
    else:
        section.set("tls", "off", Fate.CARRIED, "AuthMechanism without Tls", origin)


def _logins(section: Section, together: Sequence[Connector]) -> None:
    taking = [one for one in together if one.takes_passwords and "exchangeusers" in one.groups]
    if not taking:
        text = "nobody logs in: no AuthMechanism with ExchangeUsers"
        section.set("auth", [], Fate.CARRIED, text, together[0].origin)
        return
    one = taking[0]
    if "basicauthrequiretls" in one.auth:
        text, fate = "BasicAuthRequireTLS", Fate.CARRIED
    elif "basicauth" in one.auth:
        text, fate = "BasicAuth: passwords are heard over TLS alone here", Fate.CHANGED
    else:
        text, fate = (
            "Integrated (NTLM), which Gatepost does not speak: passwords over TLS instead",
            Fate.CHANGED,
        )
    section.set("auth", list(PASSWORDS), fate, text, one.origin)
    if any("integrated" in one.auth for one in taking):
        text = "Integrated: NTLM is not spoken; for Kerberos tickets see [kerberos]"
        section.note(Fate.DROPPED, text, one.origin)


def _access(section: Section, one: Connector, anonymous: AnonymousRelay, *, alone: bool) -> None:
    everywhere = is_everywhere(one.ranges)
    places = ["anyone"] if everywhere else [f"net:{network}" for network in one.ranges]
    here = Note(Fate.CARRIED, f"{one.name}: RemoteIPRanges", one.origin)
    for to in places:
        allow(section, CONNECT, to, here)
    narrowed = {} if everywhere or alone else {"from": [str(network) for network in one.ranges]}
    if "exchangeusers" in one.groups and one.takes_passwords:
        text = (
            f"{one.name}: ExchangeUsers relay. Better: a group, as group:POP3 Relay, of those who need it; "
            "administrators and guessable names are left out here, which they were not"
        )
        allow(section, RELAY, "authenticated", Note(Fate.CHANGED, text, one.origin), **narrowed)
    if "anonymoususers" in one.groups:
        note = Note(
            Fate.CARRIED, f"{one.name}: AnonymousUsers, to the domains of this house alone", one.origin
        )
        for to in ["anonymous"] if everywhere or alone else places:
            allow(section, SUBMIT, to, note)
    _relay(section, one, anonymous, everywhere=everywhere)
    servers = one.groups & {"exchangeservers", "exchangelegacyservers", "partners"}
    if servers and "externalauthoritative" not in one.auth:
        text = f"{one.name}: {', '.join(sorted(servers))}: there are no other Exchange servers here"
        section.note(Fate.DROPPED, text, one.origin)


def _relay(section: Section, one: Connector, anonymous: AnonymousRelay, *, everywhere: bool) -> None:
    """Relay without a login: by permission to anonymous clients, or as externally secured."""
    ways = []
    if "externalauthoritative" in one.auth and "exchangeservers" in one.groups:
        ways.append(f"{one.name}: externally secured (ExternalAuthoritative)")
    if "anonymoususers" in one.groups and anonymous.allows(one.thing):
        ways.append(f"{one.name}: ms-Exch-SMTP-Accept-Any-Recipient for anonymous clients")
    for what in ways[:1]:
        if everywhere:
            open_relay(section, what, one.origin)
        else:
            relay_by_address(section, one.ranges, what, one.origin)
    if not ways and "anonymoususers" in one.groups and not anonymous.known and not everywhere:
        text = (
            f"{one.name}: whether anonymous clients relayed stands in its permissions. Export them and "
            "import both: Get-ReceiveConnector | Get-ADPermission | ConvertTo-Json. Until then: no relay"
        )
        section.note(Fate.DECIDE, text, one.origin)
