"""Turns away whom the guard refuses, before anything is made for the connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from gatepost.config.schema import TlsMode
from gatepost.guard.ledger import Offence
from gatepost.guard.post import Post
from gatepost.log import Log
from gatepost.policy.reasons import REPLIES, Reason
from gatepost.server.client import peer_address
from gatepost.server.refuse import refused
from gatepost.server.sessions import Sessions

_QUIET_SECONDS: Final = 60.0
_REMEMBERED: Final = 10_000


class Porter:
    """At the doors of one virtual server. A flood from one peer is one line in the log a minute."""

    def __init__(
        self, post: Post, sessions: Sessions, log: Log, name: str, clock: Callable[[], float]
    ) -> None:
        self._post = post
        self._sessions = sessions
        self._log = log
        self._name = name
        self._clock = clock
        self._logged: dict[str, float] = {}

    def rubbish(self, peer: str) -> None:
        """The peer spoke no TLS where there had to be TLS: it is no mail client."""
        self._post.offend(Offence.RUBBISH, peer_address(peer))

    def way(self, protocol: str, tls: TlsMode) -> Callable[[str], bytes | None]:
        """Answers what the peer is told before it is cut off; None when it is welcome.

        A peer without an address was gone before we came to the door.
        """
        if tls is TlsMode.IMPLICIT:
            # nothing can be said before a handshake, and one is not worth it
            return partial(self._farewell, lambda session: b"")
        return partial(self._farewell, _smtp if protocol == "smtp" else _pop3)

    def _farewell(self, words: Callable[[str], bytes], peer: str) -> bytes | None:
        if not peer:
            self._post.vanished()
            return b""
        session = self._turned_away(peer)
        return None if session is None else words(session)

    def _turned_away(self, peer: str) -> str | None:
        if not self._post.is_watchful or not self._post.turns_away(peer):
            return None
        self._post.knocked(peer_address(peer))
        session, now = self._sessions.new_id(), self._clock()
        if now - self._logged.get(peer, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            if len(self._logged) >= _REMEMBERED:
                self._logged.clear()
            self._logged[peer] = now
            self._log.event(
                "refused", session=session, virtual_server=self._name, peer=peer, stage="connect",
                reason=Reason.GUARD_REFUSED.value,
            )  # fmt: skip
        return session


def _smtp(session: str) -> bytes:
    return refused(Reason.GUARD_REFUSED, session).encode()


def _pop3(session: str) -> bytes:
    said = REPLIES[Reason.GUARD_REFUSED]
    return f"-ERR [{said.pop3}] {said.text} [{Reason.GUARD_REFUSED.value} {session}]\r\n".encode()
