"""CLOSED, OR IT DOES NOT RUN: what is dangerous or doubtful in settings that are valid."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address

from gatepost.config.certificates import certificate_doubts
from gatepost.config.clientcerts import client_certificate_doubts
from gatepost.config.finding import Finding, Findings, Severity, Stranger
from gatepost.config.gateway import gateway_doubts, usual_gateway_doubts
from gatepost.config.rules import servers
from gatepost.config.schema import Settings
from gatepost.config.stranger import OpenRelay, open_relays
from gatepost.config.traps import Exists, doubts
from gatepost.policy.sentence import sentence

__all__ = ["Finding", "Findings", "Severity", "Stranger", "check"]


def check(
    settings: Settings,
    *,
    group_exists: Exists | None = None,
    user_exists: Exists | None = None,
    now: datetime | None = None,
    gateway: IPv4Address | None = None,
) -> Findings:
    """All findings. The callbacks get lower-case names; without them names are not looked up.

    `gateway`: of the container that this is to run in.
    """
    found = [*doubts(settings, group_exists, user_exists)]
    if gateway is not None:
        found += gateway_doubts(settings, gateway)
    found += usual_gateway_doubts(settings, gateway)
    found += certificate_doubts(settings, now or datetime.now(UTC))
    for path, server in servers(settings):
        found += client_certificate_doubts(path, server, now or datetime.now(UTC))
    warnings = [doubt.placed(settings.source) for doubt in dict.fromkeys(found)]
    errors = [_open_relay(relay, settings) for relay in open_relays(settings)]
    return Findings((*_by_line(errors), *_by_line(warnings)))


def _by_line(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.line)


def _open_relay(relay: OpenRelay, settings: Settings) -> Finding:
    stranger = relay.stranger
    channel = "over TLS" if stranger.tls else "in clear"
    more = f" (and so from {relay.regions - 1} more ranges of addresses)" if relay.regions > 1 else ""
    text = (
        f"open relay: on {stranger.server}, {stranger.peer} {channel} could send from <{stranger.sender}> "
        f"to <{stranger.recipient}>{more}: {sentence(relay.entry).rstrip('.')}"
    )
    remedy = 'allow relay to a group, or to networks of your own: to = "net:10.0.5.0/24"'
    return Finding(Severity.ERROR, settings.source.path, relay.entry.line, text, remedy, stranger)
