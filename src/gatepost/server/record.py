"""What a session leaves behind: a line in the log and a row in the tracking, under its id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.guard.ledger import Offence
from gatepost.guard.post import Post
from gatepost.log import Log
from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.server.client import Client
from gatepost.server.refuse import core_offence, core_reason, refused
from gatepost.smtp.event import BadCommand, TooManyErrors
from gatepost.smtp.reply import Reply
from gatepost.store.tracking import Tracking


class Record:
    """Of one SMTP session on the virtual server `name`. `accepted_count` is its messages so far."""

    __slots__ = ("_client", "_clock", "_log", "_name", "_session_log", "_tracking", "_who", "accepted_count")

    def __init__(
        self, log: Log, tracking: Tracking, clock: Callable[[], float], name: str, client: Client
    ) -> None:
        self._clock = clock
        self._log = log
        self._tracking = tracking
        self._name = name
        self._client = client
        self._session_log: Log | None = None
        self._who: Identity | None = None  # whom the log of the session names
        self.accepted_count = 0

    @property
    def log(self) -> Log:
        """The log, with what is the same on all lines of this session."""
        client, log = self._client, self._session_log
        who = client.identity
        if log is None or who is not self._who:
            self._who = who
            log = self._session_log = self._log.bind(
                session=client.id,
                virtual_server=self._name,
                peer=client.peer_text,
                user=client.user,
                device=client.device,
            )
        return log

    def refuse(
        self,
        stage: str,
        reason: Reason,
        *,
        sender: Address | None = None,
        recipient: Address | None = None,
        **places: Any,
    ) -> Reply:
        """The reply for `reason`, which is on record now. `places` fill the words of the reply."""
        reply = refused(reason, self._client.id, **places)
        self.refused(stage, reason, reply, sender=sender, recipient=recipient)
        return reply

    def refused(
        self,
        stage: str,
        reason: Reason,
        reply: Reply | None,
        *,
        sender: Address | None = None,
        recipient: Address | None = None,
    ) -> None:
        """A no stands in log and tracking, with its reason and what was said."""
        client = self._client
        self.log.event(
            "refused",
            stage=stage,
            reason=reason.value,
            sender=sender,
            recipient=recipient,
        )
        self._tracking.note_refused(
            client.id,
            self._name,
            client.peer_text,
            client.holder,
            stage,
            reason.value,
            sender,
            recipient,
            str(reply or ""),
            self._clock(),
            client.device,
        )

    def last_word(self, reason: Reason) -> Reply:
        """The reply with which we end the session; when that is about this session alone it is on record."""
        if reason is Reason.STOPPING:
            return refused(reason, self._client.id)
        return self.refuse("session", reason)

    def forged(self, guard: Post) -> Reply:
        """The reply to a PROXY header from somebody who may not speak for others; it counts as rubbish."""
        guard.offend(Offence.RUBBISH, self._client.peer)
        return self.refuse("connect", Reason.PROXY_NOT_BELIEVED)

    def bad(self, event: BadCommand | TooManyErrors, guard: Post) -> Reply:
        """The reply to what the protocol core refuses by itself, which may count as an offence."""
        reply = event.reply
        reason = Reason.TOO_MANY_ERRORS if isinstance(event, TooManyErrors) else core_reason(reply)
        if (offence := core_offence(reply)) is not None:
            guard.offend(offence, self._client.peer)
        reply = reply.one_line(reason.value, self._client.id)
        self.refused("command", reason, reply)
        return reply

    def accepted(
        self, queue_id: str, envelope: Envelope, size_bytes: int, subject: str | None = None
    ) -> None:
        """A message that is on the disk stands in log and tracking."""
        self.accepted_count += 1
        origin, sender = envelope.origin, envelope.sender
        self.log.event(
            "accepted",
            queue_id=queue_id,
            sender="<>" if sender is None else str(sender),
            recipients=len(envelope.recipients),
            size=size_bytes,
        )
        self._tracking.note_accepted(
            queue_id,
            origin.session_id,
            origin.virtual_server,
            origin.peer,
            origin.user or self._client.holder,
            sender,
            [recipient.address for recipient in envelope.recipients],
            size_bytes,
            self._clock(),
            subject,
            self._client.device,
        )

    def closed(self, why: str) -> None:
        self.log.event("session-closed", tls=self._client.tls, messages=self.accepted_count, why=why)
