"""What a POP3 session leaves behind: lines in the log and a row in the tracking for each refusal."""

from __future__ import annotations

from collections.abc import Callable

from gatepost.guard.ledger import Offence
from gatepost.guard.post import Post
from gatepost.log import Log
from gatepost.policy.access import Right, Verdict
from gatepost.policy.reasons import Reason
from gatepost.policy.refusal import refusal
from gatepost.pop3.reply import Reply
from gatepost.server.client import Client
from gatepost.server.pop3_refuse import pop3_refused, said_in_pop3
from gatepost.store.tracking import Tracking


class Pop3Record:
    """Of one session on the virtual server `name`. The counts are of messages so far."""

    __slots__ = ("_client", "_clock", "_log", "_name", "_tracking", "deleted", "retrieved")

    def __init__(
        self, log: Log, tracking: Tracking, clock: Callable[[], float], name: str, client: Client
    ) -> None:
        self._clock = clock
        self._log = log
        self._tracking = tracking
        self._name = name
        self._client = client
        self.retrieved = 0
        self.deleted = 0

    def refuse(self, stage: str, reason: Reason, *, seconds: float = 0, words: str = "") -> Reply:
        """The reply for `reason`, which is on record now."""
        reply = pop3_refused(reason, self._client.id, seconds=seconds, words=words)
        self.refused(stage, reason, reply)
        return reply

    def last_word(self, reason: Reason) -> Reply:
        """The reply with which we end the session; when that is about this session alone it is on record."""
        if reason is Reason.STOPPING:
            return pop3_refused(reason, self._client.id)
        return self.refuse("session", reason)

    def forged(self, guard: Post) -> Reply:
        """The reply to a PROXY header from somebody who may not speak for others; it counts as rubbish."""
        guard.offend(Offence.RUBBISH, self._client.peer)
        return self.refuse("connect", Reason.PROXY_NOT_BELIEVED)

    def refuse_right(self, stage: str, right: Right, verdict: Verdict) -> Reply:
        """The reply for a verdict of the access table that is not yes."""
        why = refusal(right, verdict)
        reply = said_in_pop3(why.reason.shown, why.said, self._client.id)
        self.refused(stage, why.reason, reply)
        return reply

    def refused(self, stage: str, reason: Reason, reply: Reply | None) -> None:
        """A no stands in log and tracking, with its reason and what was said."""
        client = self._client
        self._log.event(
            "refused",
            session=client.id,
            virtual_server=self._name,
            peer=client.peer,
            user=client.user,
            device=client.device,
            stage=stage,
            reason=reason.value,
        )
        said = "" if reply is None else reply.encode().decode("utf-8", "replace").rstrip()
        self._tracking.note_refused(
            client.id,
            self._name,
            str(client.peer),
            client.holder,
            stage,
            reason.value,
            None,
            None,
            said,
            self._clock(),
            client.device,
        )

    def failed(self, what: str, problem: Exception) -> None:
        """A fault of the disk or our own: for the log alone."""
        self._log.error(what, session=self._client.id, user=self._client.user, problem=str(problem))

    def closed(self, why: str) -> None:
        client = self._client
        self._log.event(
            "session-closed",
            session=client.id,
            virtual_server=self._name,
            peer=client.peer,
            user=client.user,
            device=client.device,
            tls=client.tls,
            retrieved=self.retrieved,
            deleted=self.deleted,
            why=why,
        )
