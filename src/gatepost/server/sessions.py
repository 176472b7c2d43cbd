"""The open sessions of one worker: counted for the limits, listed for the operator."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatepost.directory.visitor import Visitor
from gatepost.policy.facts import Peer
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no I, L, O, U to misread
_BITS = 30
_MASK = (1 << _BITS) - 1
_STEP = 0x2545F491  # odd: every number below 2**30 comes once before one comes again


@dataclass(frozen=True, slots=True)
class SessionReport:
    """What an operator sees of one session. `since` is aware UTC."""

    id: str
    protocol: str
    virtual_server: str
    peer: str
    user: str | None
    tls: str | None
    since: datetime
    messages: int
    certificate: str | None = None
    device: str | None = None

    @property
    def server_key(self) -> str:
        """The virtual server where a name stands alone: SMTP and POP3 may each have one of the same name."""
        return self.virtual_server if self.protocol == "smtp" else f"{self.protocol}.{self.virtual_server}"


def session_report(client: Client, protocol: str, virtual_server: str, messages: int) -> SessionReport:
    return SessionReport(
        client.id,
        protocol,
        virtual_server,
        client.peer_text,
        client.user,
        client.tls,
        client.since,
        messages,
        client.certificate_name,
        client.device,
    )


class OpenSession(Protocol):
    @property
    def id(self) -> str: ...
    def report(self) -> SessionReport: ...
    def drain(self) -> None:
        """Ends after the transaction in hand, at once when there is none."""

    def close(self, why: str, reason: Reason = Reason.STOPPING) -> None:
        """`why` is for the log, the reason for the peer; one that is about this session stands on record."""


class Sessions:
    """Who is connected. Counting is exact: what is `def` here is atomic.

    `ours`: from where the self-test connects, and who may log in there.
    """

    def __init__(self, on_end: Callable[[str], None] = lambda session_id: None) -> None:
        self._on_end = on_end
        self.ours: dict[tuple[str, int], Visitor | None] = {}
        self._open: dict[str, OpenSession] = {}
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._per_server: Counter[str] = Counter()
        self._per_peer: Counter[tuple[str, Peer]] = Counter()
        self._numbers = itertools.count(secrets.randbits(_BITS))

    def new_id(self) -> str:
        """Six characters, unlike all of the last 2**30."""
        number = (next(self._numbers) * _STEP) & _MASK
        return "".join(_ALPHABET[(number >> shift) & 31] for shift in (25, 20, 15, 10, 5, 0))

    def count(self, virtual_server: str) -> int:
        return self._per_server[virtual_server]

    def count_from(self, virtual_server: str, peer: Peer) -> int:
        return self._per_peer[virtual_server, peer]

    def opened(self, session: OpenSession, virtual_server: str, peer: Peer) -> None:
        self._open[session.id] = session
        self._nobody.clear()
        self._per_server[virtual_server] += 1
        self._per_peer[virtual_server, peer] += 1

    def ended(self, session: OpenSession, virtual_server: str, peer: Peer) -> None:
        if self._open.pop(session.id, None) is None:
            return
        self._on_end(session.id)
        if not self._open:
            self._nobody.set()
        self._per_server[virtual_server] -= 1
        self._per_peer[virtual_server, peer] -= 1
        if not self._per_peer[virtual_server, peer]:
            del self._per_peer[virtual_server, peer]

    async def all_ended(self) -> None:
        """Returns when nobody is connected."""
        await self._nobody.wait()

    def find(self, session_id: str) -> OpenSession | None:
        return self._open.get(session_id)

    def __iter__(self) -> Iterator[OpenSession]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)
