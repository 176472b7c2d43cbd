"""Whether a message is taken, once its content is whole: the content check is asked, the settings decide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import dns.asyncresolver

from gatepost.config.schema import OnSilence, Scan
from gatepost.log import Log
from gatepost.mail.address import Address
from gatepost.mail.envelope import Recipient
from gatepost.policy.facts import UNKNOWN, UnknownType
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client
from gatepost.server.hostname import confirmed_hostnames
from gatepost.server.intake import Intake
from gatepost.server.scan_answer import MARKS, Answer, Treatment, treatment

_NAMING_SECONDS: Final = 2.0

# What is asked about, unstuffed: whole, or in pieces from the beginning each time it is called.
Content = bytes | Callable[[], AsyncIterator[bytes]]


class Silent(Exception):
    """There is no answer; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Question:
    """Where a message comes from and where it wants to go."""

    peer: str
    helo: str
    sender: Address | None
    recipients: tuple[Address, ...]
    user: str | None
    queue_id: str
    peer_name: str | None
    our_name: str


class Scanner(Protocol):
    """Somebody who has an opinion of messages. `rules` say what is made of it."""

    @property
    def rules(self) -> Scan: ...

    async def ask(self, question: Question, content: Content) -> Answer:
        """Raises: Silent: no answer in time, or none that makes sense."""

    async def close(self) -> None:
        """No connection is left open."""


class Screening:
    """Of one session's messages."""

    __slots__ = ("_client", "_log", "_our_name", "_peer_names", "_resolver", "_scanner")

    def __init__(
        self,
        scanner: Scanner,
        client: Client,
        log: Log,
        *,
        our_name: str,
        resolver: dns.asyncresolver.Resolver,
    ) -> None:
        self._scanner = scanner
        self._client = client
        self._log = log
        self._our_name = our_name
        self._resolver = resolver
        self._peer_names: frozenset[str] | UnknownType | None = None

    async def treatment(
        self, intake: Intake, *, helo: str, sender: Address | None, recipients: Sequence[Recipient]
    ) -> Treatment:
        """What is to be done with the message, which is whole and not committed yet."""
        scanner, log = self._scanner, self._log.bind(session=self._client.id, queue_id=intake.queue_id)
        if intake.size_bytes > scanner.rules.skip_over_bytes:
            log.event("scan-skipped", size=intake.size_bytes)
            return Treatment(removed=MARKS)
        question = Question(
            self._client.peer_text,
            helo,
            sender,
            tuple(recipient.address for recipient in recipients),
            self._client.user,
            intake.queue_id,
            await self._peer_name(),
            self._our_name,
        )
        try:
            plain = await intake.plain()
            answer = await scanner.ask(question, intake.plain_pieces if plain is None else plain)
        except Silent as silence:
            log.warning("scan-unavailable", problem=str(silence))
            refuses = scanner.rules.when_silent is OnSilence.DEFER
            return Treatment(Reason.SCAN_UNAVAILABLE) if refuses else Treatment(removed=MARKS)
        log.event("scanned", action=answer.action.value, score=round(answer.score, 2))
        return treatment(answer, scanner.rules)

    async def _peer_name(self) -> str | None:
        """The peer's confirmed host name, asked for once a session."""
        if self._peer_names is None:
            self._peer_names = await confirmed_hostnames(
                self._client.peer, self._resolver, timeout_seconds=_NAMING_SECONDS
            )
        return None if self._peer_names is UNKNOWN else min(self._peer_names, default=None)
