"""Numbers of receive connectors, and what of them has no place here, each with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatepost.admin.exchange.connectors import Connector
from gatepost.admin.exchange.plan import Fate, Plan, Section
from gatepost.admin.exchange.values import is_unlimited, number, seconds, size_bytes
from gatepost.config.value import ascii_domain


@dataclass(frozen=True, slots=True)
class _Number:
    name: str
    key: str
    read: Callable[[Any], int | None]
    least: int
    most: int


_NUMBERS: Final = (
    _Number("MaxMessageSize", "message_size_bytes", size_bytes, 1_024, 2**40),
    _Number("MaxRecipientsPerMessage", "recipients_per_message", number, 1, 1_000_000),
    _Number("MaxInboundConnection", "connections", number, 1, 1_000_000),
    _Number("MaxInboundConnectionPerSource", "connections_per_peer", number, 1, 1_000_000),
    _Number("ConnectionInactivityTimeout", "idle_seconds", seconds, 30, 366 * 86_400),
    _Number("MaxHopCount", "received_headers", number, 1, 1_000),
    _Number("MaxProtocolErrors", "errors_per_session", number, 1, 1_000_000),
)

_REASONS: Final = {
    "Banner": "the greeting tells the host name alone",
    "ConnectionTimeout": "sessions end when they are idle, or say too much that is wrong",
    "TarpitInterval": "the guard slows those who guess, by how much they guess",
    "AuthTarpitInterval": "the guard slows those who guess, by how much they guess",
    "MaxLogonFailures": "the guard counts wrong passwords, over sessions too",
    "MessageRateLimit": "rates are per user (messages_per_minute_per_user) and per source, by the guard",
    "DefaultDomain": "addresses are written whole",
    "DomainSecureEnabled": "use client_ca_file and certificate: entries",
    "ExtendedProtectionPolicy": "SCRAM-SHA-256-PLUS binds logins to the channel",
    "ProtocolLoggingLevel": "`gatepost trace` keeps what was said",
    "MaxHeaderSize": "the header counts as part of the message",
    "MaxLocalHopCount": "loops are told by all Received lines",
    "MaxInboundConnectionPercentagePerSource": "connections_per_peer is a number",
    "MaxAcknowledgementDelay": "every message is on disk before it is acknowledged",
    "TlsCertificateName": "certificates are files: `gatepost cert import FILE.pfx`",
    "Comment": "it was for people",
}
# Extensions that Gatepost offers as they come to be safe, not by a switch each.
_SWITCHES: Final = (
    "BinaryMimeEnabled", "ChunkingEnabled", "DeliveryStatusNotificationEnabled", "EightBitMimeEnabled",
    "EnhancedStatusCodesEnabled", "PipeliningEnabled", "SizeEnabled", "OrarEnabled", "LongAddressesEnabled",
    "BareLinefeedRejectionEnabled", "EnableAuthGSSAPI", "SmtpUtf8Enabled", "AdvertiseClientSettings",
    "RequireEHLODomain", "SuppressXAnonymousTls", "ServiceDiscoveryFqdn", "LiveCredentialEnabled",
)  # fmt: skip


def limits(section: Section, together: Sequence[Connector]) -> None:
    """The numbers of the widest connector; where a narrower one says otherwise, that is noted."""
    first, *rest = together
    for one in _NUMBERS:
        raw = first.thing.get(one.name)
        value = one.read(raw)
        if raw is None:
            continue
        if value is None or not one.least <= value <= one.most:
            kind = "unlimited" if is_unlimited(raw) else repr(raw)
            text = f"{one.name} was {kind}: the default of {one.key} serves"
            section.note(Fate.CHANGED, text, first.origin)
        else:
            section.set(one.key, value, Fate.CARRIED, one.name, first.origin)
        for other in rest:
            differs = one.read(other.thing.get(one.name))
            if differs not in (None, value):
                text = f"{other.name}: {one.name} {differs}: the virtual server has one, that of {first.name}"
                section.note(Fate.CHANGED, text, other.origin)


def dropped(section: Section, together: Sequence[Connector]) -> None:
    """A line for each property that is known, has no place, and says something."""
    for connector in together:
        for name, reason in _REASONS.items():
            if connector.thing.get(name) not in (None, "", "None", 0, False):
                section.note(Fate.DROPPED, f"{name}: {reason}", connector.origin)
        switches = [name for name in _SWITCHES if connector.thing.get(name) is not None]
        if switches:
            text = f"what the server offers is what it can do safely: {', '.join(switches)}"
            section.note(Fate.DROPPED, text, connector.origin)


def hostname(plan: Plan, together: Sequence[Connector]) -> None:
    """The name of the first connector that has one."""
    for one in together:
        name = ascii_domain(one.thing.text("Fqdn"))
        if name is None:
            continue
        if plan.top.value("hostname") in (None, name):
            plan.top.set("hostname", name, Fate.CARRIED, f"Fqdn of {one.name}", one.origin)
        else:
            text = f"{one.name}: Fqdn {name}: there is one hostname; a further certificate serves other names"
            plan.top.note(Fate.DROPPED, text, one.origin)
