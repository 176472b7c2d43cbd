"""What is written down of an attempt. Never the password, nor its proof."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from ipaddress import ip_network

from gatepost.guard.attempt import Tried, Welcome
from gatepost.policy.facts import Peer
from gatepost.store.attempts import LoginAttempt


def recorded(tried: Tried, now: float) -> LoginAttempt:
    """The row of the attempt; `now` is Unix seconds."""
    attempt, outcome = tried.attempt, tried.outcome
    return LoginAttempt(
        now,
        str(attempt.peer),
        network_text(attempt.peer),
        attempt.virtual_server,
        attempt.session_id,
        attempt.mechanism,
        attempt.tls,
        tried.name.encode("utf-8", "replace").decode(),
        outcome.identity.name if isinstance(outcome, Welcome) else None,
        None if tried.reason is None else tried.reason.value,
        tried.treatment.word,
        outcome.device if isinstance(outcome, Welcome) else None,
    )


def recorder(
    note: Callable[[Callable[[], LoginAttempt]], None],
    wall: Callable[[], float],
    hear: Callable[[Tried], None] = lambda tried: None,
) -> Callable[[Tried], None]:
    """For `Login`: writes every attempt down, and tells `hear`."""

    def tell(tried: Tried) -> None:
        note(partial(recorded, tried, wall()))
        hear(tried)

    return tell


@lru_cache(maxsize=4096)
def network_text(peer: Peer) -> str:
    """The peer's /24 or /48."""
    return str(ip_network((peer, 24 if peer.version == 4 else 48), strict=False))
