"""Which clients of a virtual server are devices that somebody misses when they stop."""

from __future__ import annotations

from typing import Final

from gatepost.config.schema import SmtpServer
from gatepost.config.watching import WatchedDevices
from gatepost.guard.sighting import DeviceKind, Watched
from gatepost.guard.sightings import Sightings
from gatepost.policy.access import Effect, Right
from gatepost.policy.facts import UNKNOWN, Identity, Peer
from gatepost.policy.principal import Kind, Network
from gatepost.server.client import Client

_PEERS_KNOWN: Final = 4_096


class Watch:
    """Hears of every message that was taken in. `networks` need no login."""

    def __init__(self, sightings: Sightings, devices: WatchedDevices, networks: tuple[Network, ...]) -> None:
        self._sightings = sightings
        self._networks = networks
        self._ignored = devices.ignore
        self._has_secrets = DeviceKind.APP_PASSWORD.value in devices.watch
        by_account = DeviceKind.ACCOUNT.value in devices.watch
        self._accounts = frozenset(devices.accounts if by_account else ())
        self._groups = frozenset(devices.groups if by_account else ())
        self._peers: dict[str, Watched | None] = {}

    def sent(self, client: Client) -> None:
        """The client has handed in a message."""
        identity = client.identity
        if identity is None:
            what = self._at(client.peer, client.peer_text) if self._networks else None
        elif identity.device is not None:
            name = identity.device.name
            what = Watched(DeviceKind.APP_PASSWORD, identity.name, name) if self._has_secrets else None
        else:
            what = self._account(identity) if self._accounts or self._groups else None
        if what is not None:
            self._sightings.sent(what, client.peer_text)

    def _at(self, peer: Peer, text: str) -> Watched | None:
        if text not in self._peers:
            if len(self._peers) >= _PEERS_KNOWN:
                self._peers.clear()
            listed = _is_in(peer, self._networks) and not _is_in(peer, self._ignored)
            self._peers[text] = Watched(DeviceKind.ADDRESS, text) if listed else None
        return self._peers[text]

    def _account(self, identity: Identity) -> Watched | None:
        what, groups = Watched(DeviceKind.ACCOUNT, identity.name), identity.groups
        if not self._accounts.isdisjoint(what.names):
            return what
        is_member = groups is not UNKNOWN and not self._groups.isdisjoint(groups)
        return what if is_member else None


def watch_of(server: SmtpServer, devices: WatchedDevices, sightings: Sightings) -> Watch | None:
    """None where no device can be told from anybody else."""
    networks: tuple[Network, ...] = ()
    if DeviceKind.ADDRESS.value in devices.watch:
        networks = networks_without_login(server)
    if not networks and not (server.auth and devices.watch):
        return None
    return Watch(sightings, devices, networks)


def networks_without_login(server: SmtpServer) -> tuple[Network, ...]:
    """Where an address is all that a client has to show."""
    return tuple(
        entry.to.network
        for entry in server.access.entries
        if entry.effect is Effect.ALLOW
        and entry.to.kind is Kind.NET
        and entry.to.network is not None
        and not entry.rights.isdisjoint((Right.SUBMIT, Right.RELAY))
    )


def _is_in(peer: Peer, networks: tuple[Network, ...]) -> bool:
    return any(peer.version == network.version and peer in network for network in networks)
