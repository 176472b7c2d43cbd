"""Access entries of an imported virtual server. What would be an open relay is never written open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from gatepost.admin.exchange.ipsecurity import Network
from gatepost.admin.exchange.plan import AccessLine, Fate, Note, Plan, Section, TomlValue
from gatepost.config.stranger import PRIVATE

PASSWORDS: Final = ("PLAIN", "LOGIN")
CONNECT: Final = ("connect",)
SUBMIT: Final = ("submit",)
RELAY: Final = ("submit", "relay")


def named(plan: Plan, kind: str, title: str, fallback: str) -> tuple[str, str]:
    """A path for a virtual server that no other has, made of its title: `smtp`, `default-smtp-server`."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or fallback
    number, path = 1, (kind, name)
    while plan.has(*path):
        number += 1
        path = (kind, f"{name}-{number}")
    return path


def is_private(network: Network) -> bool:
    """Whether nobody outside the house has an address in it."""
    return any(
        network.version == one.version
        and network.network_address in one
        and network.prefixlen >= one.prefixlen
        for one in PRIVATE
    )


def is_everywhere(networks: Iterable[Network]) -> bool:
    """Whether all IPv4 addresses, or all IPv6 ones, are meant."""
    return any(network.prefixlen == 0 for network in networks)


def allow(section: Section, rights: Sequence[str], to: str, note: Note, **more: TomlValue) -> None:
    """The entry stands in the table, unless one says the same already."""
    entry: dict[str, TomlValue] = {"allow": list(rights), "to": to, **more}
    if not any(_says(line, rights, to) or line.entry == entry for line in section.access):
        section.access.append(AccessLine(entry, note))


def _says(line: AccessLine, rights: Sequence[str], to: str) -> bool:
    """Whether the line gives everybody, or whoever is not logged in, what a network would get."""
    granted = line.entry.get("allow", ())
    covers = (
        line.live and "from" not in line.entry and isinstance(granted, list) and set(rights) <= set(granted)
    )
    return covers and (line.entry["to"] == "anyone" or (line.entry["to"] == "anonymous" and to[:4] == "net:"))


def deny(section: Section, rights: Sequence[str], to: str, note: Note) -> None:
    section.access.append(AccessLine({"deny": list(rights), "to": to}, note))


def left_out(section: Section, rights: Sequence[str], to: str, why: str, origin: str) -> None:
    """The entry stands behind a `#`, with the reason, for a person to decide."""
    entry: dict[str, TomlValue] = {"allow": list(rights), "to": to}
    if all(line.entry != entry for line in section.access):
        section.access.append(AccessLine(entry, Note(Fate.DECIDE, why, origin), live=False))


def relay_by_address(section: Section, networks: Collection[Network], what: str, origin: str) -> None:
    """Private networks may relay; public ones are left out, since anybody may come to be there."""
    for network in networks:
        to = f"net:{network}"
        if is_private(network):
            allow(section, RELAY, to, Note(Fate.CARRIED, f"{what}: {network}", origin))
        else:
            why = (
                f"{what}: {network} is in the Internet, and Gatepost lets no stranger relay from there. "
                "Give that host an account, or a client certificate, or bring it in by a VPN"
            )
            left_out(section, RELAY, to, why, origin)


def open_relay(section: Section, what: str, origin: str) -> None:
    """Everybody could relay: the entry is there to be seen, and does nothing."""
    why = f"{what}: this was an OPEN RELAY. Name the networks that need it, or let people log in"
    left_out(section, RELAY, "anyone", why, origin)
