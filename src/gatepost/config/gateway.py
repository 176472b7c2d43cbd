"""The gateway of a container: published ports may show everybody who connects as this one address.

Then an entry for the private network lets in the whole world, and who guesses shuts out everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

from gatepost.config.finding import Doubt
from gatepost.config.rules import servers
from gatepost.config.schema import Pop3Server, Settings, SmtpServer
from gatepost.policy.access import Effect, Entry, Right

_SIGNS: Final = (".dockerenv", "run/.containerenv")
_WAY_ROUND: Final = "publish ports with network_mode: host, or name a balancer in `proxies`"


def container_gateway(root: Path = Path("/")) -> IPv4Address | None:
    """Where this container's default route leads; None on a machine of its own."""
    try:
        if not any((root / sign).exists() for sign in _SIGNS):
            return None
        lines = (root / "proc/net/route").read_text("ascii").splitlines()[1:]
    except (OSError, ValueError):
        return None
    for line in lines:
        fields = line.split()
        if len(fields) > 7 and fields[1] == fields[7] == "00000000":
            return IPv4Address(int.from_bytes(bytes.fromhex(fields[2]), "little"))
    return None


def gateway_doubts(settings: Settings, gateway: IPv4Address) -> Iterator[Doubt]:
    """What to think of before ports are published."""
    reached = [(path, server) for path, server in servers(settings) if _is_reached(server)]
    for path, server in reached:
        for entry in server.access.entries:
            if _lets_in(entry, gateway):
                text = (
                    f"{path[1]}: {entry.to} covers {gateway}, the gateway of this container: "
                    "whoever comes through a published port may look like it"
                )
                yield Doubt((*path, "access"), text, _WAY_ROUND, entry.line)
    if reached and not any(gateway in network for network in settings.watching.trusted):
        text = (
            f"{gateway} is the gateway of this container: if `gatepost sessions` shows everybody as it, "
            "one who guesses shuts out all"
        )
        yield Doubt(("guard",), text, f'{_WAY_ROUND}; else set trusted = ["{gateway}"]')


def _is_reached(server: SmtpServer | Pop3Server) -> bool:
    """From outside the container, without a balancer that says who it is."""
    away = any(not ip_address(end.host).is_loopback for end in server.listen)
    return away and not server.proxies


def _lets_in(entry: Entry, gateway: IPv4Address) -> bool:
    if entry.effect is Effect.DENY or not entry.rights & {Right.RELAY, Right.ANY_SENDER}:
        return False
    places = (*(entry.networks or ()), *((entry.to.network,) if entry.to.network else ()))
    return any(gateway in place for place in places if place.version == 4)
