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
# As who connections come through published ports by default, where it is not the container's default route.
_USUAL: Final = {
    IPv4Address("172.17.0.1"): "Docker's bridge",
    IPv4Address("10.88.0.1"): "Podman's bridge",
    IPv4Address("10.0.2.2"): "a user-mode network",
    IPv4Address("10.0.2.100"): "a user-mode network",
    IPv4Address("192.168.65.1"): "Docker Desktop",
}
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


def usual_gateway_doubts(settings: Settings, gateway: IPv4Address | None) -> Iterator[Doubt]:
    """Entries for one address that is the usual gateway of containers; `gateway` is spoken of already."""
    for path, server in servers(settings):
        for entry in server.access.entries if _is_reached(server) else ():
            for address, whose in _USUAL.items():
                if address != gateway and _lets_in(entry, address, alone=True):
                    text = (
                        f"{path[1]}: {entry.to} is the gateway of {whose} by default: "
                        "whoever comes through a published port may look like it"
                    )
                    yield Doubt((*path, "access"), text, _WAY_ROUND, entry.line)


def relaying_gateways(
    settings: Settings, gateway: IPv4Address | None
) -> Iterator[tuple[str, Entry, IPv4Address]]:
    """Virtual servers and entries by which a gateway of containers relays: `gateway`, and the usual ones."""
    for path, server in servers(settings):
        for entry in server.access.entries if _is_reached(server) else ():
            if Right.RELAY not in entry.rights:
                continue
            if gateway is not None and _lets_in(entry, gateway):
                yield path[1], entry, gateway
            for address in _USUAL:
                if address != gateway and _lets_in(entry, address, alone=True):
                    yield path[1], entry, address


def _is_reached(server: SmtpServer | Pop3Server) -> bool:
    """From outside the container, without a balancer that says who it is."""
    away = any(not ip_address(end.host).is_loopback for end in server.listen)
    return away and not server.proxies


def _lets_in(entry: Entry, gateway: IPv4Address, *, alone: bool = False) -> bool:
    """Whether the entry gives the address relay, or any sender; `alone`: and names no wider network."""
    if entry.effect is Effect.DENY or not entry.rights & {Right.RELAY, Right.ANY_SENDER}:
        return False
    places = (*(entry.networks or ()), *((entry.to.network,) if entry.to.network else ()))
    return any(
        gateway in place and (not alone or place.num_addresses == 1) for place in places if place.version == 4
    )
