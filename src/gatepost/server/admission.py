"""Whether a connection is heard at all, before anything is known but where it comes from."""

from __future__ import annotations

from enum import Enum

from gatepost.config.schema import VirtualServer
from gatepost.policy.facts import Peer
from gatepost.policy.reasons import Reason
from gatepost.server.sessions import Sessions


class Running(Enum):
    """PAUSED: open sessions go on, new ones get 421. DRAINING: the worker is about to end."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"


def refusal_at_accept(
    sessions: Sessions, name: str, peer: Peer, limits: VirtualServer, running: Running
) -> Reason | None:
    """Why a new connection to the virtual server `name` is turned away; None when it is heard."""
    if sessions.count(name) >= limits.connections:
        return Reason.TOO_MANY_CONNECTIONS
    if sessions.count_from(name, peer) >= limits.connections_per_peer:
        return Reason.TOO_MANY_CONNECTIONS_FROM_PEER
    if running is Running.PAUSED:
        return Reason.PAUSED
    return Reason.STOPPING if running is Running.DRAINING else None
