"""Numbers of IIS virtual servers, and everything that has no place here, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gatepost.admin.exchange.iis_doors import Door
from gatepost.admin.exchange.metabase import UNLIMITED
from gatepost.admin.exchange.plan import Fate, Plan, Section


@dataclass(frozen=True, slots=True)
class _Number:
    """A property that is a limit here; outside `least` and `most` the default serves."""

    name: str
    key: str
    least: int
    most: int


_NUMBERS: Final = (
    _Number("MaxMessageSize", "message_size_bytes", 1_024, 2**40),
    _Number("MaxRecipients", "recipients_per_message", 1, 1_000_000),
    _Number("MaxConnections", "connections", 1, 1_000_000),
    _Number("ConnectionTimeout", "idle_seconds", 30, 366 * 86_400),
    _Number("HopCount", "received_headers", 1, 1_000),
    _Number("MaxSmtpErrors", "errors_per_session", 1, 1_000_000),
)
_POP3_NUMBERS: Final = frozenset({"connections", "idle_seconds"})
_LEAST_POP3_IDLE: Final = 600  # RFC 1939 §3

_REASONS: Final = {
    "MaxSessionSize": "sessions are bounded by time and by messages, not by bytes",
    "MaxBatchedMessages": "how many messages go over one connection out is decided by itself",
    "MaxOutConnections": "connections out are bounded by themselves",
    "MaxOutConnectionsPerDomain": "connections out to one domain are bounded by themselves",
    "RemoteTimeout": "the waits out are those of RFC 5321",
    "DropDirectory": "local mail lies in mailboxes that people collect over POP3",
    "PickupDirectory": "programs hand in mail over SMTP",
    "QueueDirectory": "the queue is in the state folder",
    "BadMailDirectory": "what cannot be delivered is returned to its sender, or `gatepost queue` shows it",
    "RoutingDll": "there is no such part",
    "RoutingSources": "accounts come from [directory]",
    "DomainRouting": "it is reserved, and empty",
    "SendNdrTo": "reports go to the sender",
    "SendBadTo": "reports go to the sender",
    "PostmasterEmail": 'write postmaster = "..." into [domains]',
    "PostmasterName": 'write postmaster = "..." into [domains]',
    "MasqueradeDomain": "senders are not rewritten",
    "EnableReverseDnsLookup": "names are looked up where an access entry needs them",
    "DefaultLogonDomain": "bare names are looked for in the local domains and in [directory] domain",
    "SaslLogonDomain": "bare names are looked for in the local domains and in [directory] domain",
    "ConnectResponse": "the greeting tells the host name alone",
    "LogFileDirectory": "the log goes to standard output; `gatepost trace` keeps the history",
    "LogType": "the log goes to standard output; `gatepost trace` keeps the history",
    "SmtpDisableRelay": "who may relay is decided by the access entries",
    "SmtpInboundCommandSupportOptions": "the commands that are offered are those that are safe",
    "SmtpOutboundCommandSupportOptions": "what the other side offers is used",
    "SSLCertHash": "certificates are files: `gatepost cert import FILE.pfx`",
    "SSLStoreName": "certificates are files: `gatepost cert import FILE.pfx`",
}
_USED: Final = frozenset(
    name.lower()
    for name in (
        *(one.name for one in _NUMBERS), "ServerBindings", "SecureBindings", "ServerComment", "AuthFlags",
        "AccessSSLFlags", "IPSecurity", "RelayIpList", "RelayForAuth", "ServerAutoStart", "ServerState",
        "FullyQualifiedDomainName", "DefaultDomain", "SmartHost", "SmartHostType", "RouteAction",
        "RouteActionString", "RouteUserName", "RoutePassword", "RemoteSmtpPort", "AlwaysUseSsl",
        "SmtpRemoteProgressiveRetry", "SmtpRemoteNDRExpireMinutes", "SmtpRemoteDelayExpireMinutes",
    )
)  # fmt: skip


def limits(door: Door, section: Section) -> None:
    """The numbers that have a place here."""
    for number in _NUMBERS:
        one = door.key.get(number.name)
        if one is None or (section.path[0] == "pop3" and number.key not in _POP3_NUMBERS):
            continue
        value, origin = one.number, door.origin(one)
        if value is None or value == UNLIMITED or not number.least <= value <= number.most:
            text = f'{number.name} "{one.text}" bounds nothing: the default of {number.key} serves'
            section.note(Fate.CHANGED, text, origin)
        elif section.path[0] == "pop3" and number.key == "idle_seconds" and value < _LEAST_POP3_IDLE:
            text = f"{number.name} was {value}; POP3 gives ten minutes at least (RFC 1939)"
            section.set(number.key, _LEAST_POP3_IDLE, Fate.CHANGED, text, origin)
        else:
            section.set(number.key, value, Fate.CARRIED, number.name, origin)


def dropped(door: Door, section: Section) -> None:
    """A line for each property that is known and has no place, and one for all others of its own."""
    others = []
    for name, one in sorted(door.key.properties.items()):
        reason = next((why for known, why in _REASONS.items() if known.lower() == name), None)
        if name in _USED:
            continue
        if reason:
            section.note(Fate.DROPPED, f"{one.name}: {reason}", door.origin(one))
        elif not one.inherited:
            others.append(one.name)
    if others:
        section.note(Fate.DROPPED, f"no counterpart here: {', '.join(others)}", door.origin())


def retry(plan: Plan, doors: Iterable[Door]) -> None:
    """`[retry]` of the first virtual server that says how often to try again; minutes there, seconds here."""
    for door in doors:
        one = door.key.get("SmtpRemoteProgressiveRetry")
        steps = [] if one is None else one.text.replace(",", " ").split()
        if (
            one is None
            or not steps
            or not all(step.isdecimal() and 0 < int(step) < 500_000 for step in steps)
        ):
            continue
        section = plan.section(("retry",), "")
        waits = [int(step) * 60 for step in steps]
        text = f"SmtpRemoteProgressiveRetry {one.text} minutes"
        section.set("intervals_seconds", waits, Fate.CARRIED, text, door.origin(one))
        ends, warns = (
            door.key.get(name) for name in ("SmtpRemoteNDRExpireMinutes", "SmtpRemoteDelayExpireMinutes")
        )
        give_up = None if ends is None else ends.number
        warning = None if warns is None else warns.number
        if ends is not None and give_up and give_up < 500_000 and give_up > (warning or 720):
            section.set(
                "give_up_seconds", give_up * 60, Fate.CARRIED, f"{ends.name} {give_up}", door.origin(ends)
            )
        if warns is not None and warning and warning < (give_up or 2_880):
            text = f"{warns.name} {warning}"
            section.set("delay_warning_seconds", warning * 60, Fate.CARRIED, text, door.origin(warns))
        return
