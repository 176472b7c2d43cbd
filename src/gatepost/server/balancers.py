"""The load balancers of one virtual server: they alone are believed when they say who is behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gatepost.guard.bans import Networks
from gatepost.log import Log
from gatepost.policy.principal import Network
from gatepost.server.client import peer_address
from gatepost.server.sessions import Sessions

_QUIET_SECONDS: Final = 60.0
_REMEMBERED: Final = 1_000


class Balancers:
    """A balancer that says nothing sensible is told of once a minute."""

    def __init__(
        self,
        networks: Sequence[Network],
        sessions: Sessions,
        log: Log,
        name: str,
        clock: Callable[[], float],
    ) -> None:
        self._networks = Networks(networks)
        self._sessions = sessions
        self._log = log
        self._name = name
        self._clock = clock
        self._told: dict[str, float] = {}

    def speak_for_others(self, peer_name: tuple[str, int]) -> bool:
        """Whether whoever connects from there has to begin with a header. The self-test has not."""
        return peer_name not in self._sessions.ours and peer_address(peer_name[0]) in self._networks

    def failed(self, host: str, why: str) -> None:
        """The connection is closed for want of a header."""
        now = self._clock()
        if now - self._told.get(host, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[host] = now
        self._log.error(
            "proxy-header-missing", virtual_server=self._name, peer=host, problem=why,
            remedy="have it send the PROXY protocol, or take it out of `proxies`",
        )  # fmt: skip
