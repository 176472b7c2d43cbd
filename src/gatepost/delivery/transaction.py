"""One message at one host: what must be true before it is offered, and what the replies mean.

No I/O. Replies come in the order of the commands; each recipient gets one outcome (RFC 5321 §3.3,
RFC 2033 §4.2 for LMTP).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.delivery.parcel import Parcel, Problem, clean
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.smtp.extension import Extensions
from gatepost.smtp.reply import Reply

# RFC 5321 §4.5.3.1.10: 552 to RCPT means "too many recipients" as 452 does.
_TOO_MANY = (452, 552)


def obstacle(parcel: Parcel, extensions: Extensions) -> Problem | None:
    """Why this message cannot be offered to this host, None when it can.

    A host without 8BITMIME gets 8-bit content all the same, as it is: nearly every such host takes
    it, and converting would change content and break its signatures.
    """
    job = parcel.job
    envelope = job.envelope
    size_limit = extensions.size_bytes
    if size_limit and job.size_bytes > size_limit:
        return Problem(552, "5.3.4", f"message of {job.size_bytes} bytes; the next hop takes {size_limit}")
    if envelope.require_tls and not extensions.require_tls:
        return Problem(
            550, "5.7.30", "TLS was required for this message, and the next hop does not offer REQUIRETLS"
        )
    if envelope.smtputf8 and not extensions.smtputf8 and _needs_smtputf8(parcel):
        return Problem(550, "5.6.7", "internationalized message, and the next hop does not offer SMTPUTF8")
    return None


def _needs_smtputf8(parcel: Parcel) -> bool:
    envelope = parcel.job.envelope
    if envelope.sender is not None and not envelope.sender.is_ascii:
        return True
    if not all(envelope.recipients[index].address.is_ascii for index in parcel.recipients):
        return True
    return not parcel.job.header_bytes.isascii()


class Transaction:
    """Takes the replies and holds the outcomes.

    `accepted` are the recipients that the host took; they wait for the reply to the content.
    `left_over` are those that need another transaction: more than `limit`, or than the host takes in one.
    `offered`: the host has answered MAIL.
    """

    __slots__ = (
        "_host",
        "_lmtp",
        "_unanswered",
        "accepted",
        "left_over",
        "offered",
        "outcomes",
        "parcel",
        "recipients",
        "refused",
    )

    def __init__(self, parcel: Parcel, host: str, *, lmtp: bool = False, limit: int = 100) -> None:
        self.parcel = parcel
        self.recipients = parcel.recipients[:limit]
        self._host = host
        self._lmtp = lmtp
        self._unanswered = iter(self.recipients)
        self.accepted: list[int] = []
        self.left_over: list[int] = [*parcel.recipients[limit:]]
        self.outcomes: list[Outcome] = []
        self.refused = False
        self.offered = False

    def mail_answered(self, reply: Reply) -> None:
        """After a refusal all recipients have their outcome; later replies change nothing."""
        self.offered = True
        if reply.code // 100 != 2:
            self.refused = True
            self._settle(self.recipients, reply)

    def rcpt_answered(self, reply: Reply) -> None:
        """One recipient was taken or refused."""
        recipient = next(self._unanswered)
        if self.refused:
            return
        if reply.code // 100 == 2:
            self.accepted.append(recipient)
        elif reply.code in _TOO_MANY and self.accepted and not _is_mailbox_full(reply):
            self.left_over.append(recipient)
        else:
            self._settle([recipient], reply)

    def all_answered(self) -> None:
        """The host took the sender and every recipient."""
        self.offered = True
        self.accepted.extend(self.recipients)

    def data_answered(self, reply: Reply) -> bool:
        """True: the host waits for content (a lone dot when nobody was accepted)."""
        if reply.code // 100 == 3:
            return True
        self._settle(self.accepted, reply)
        self.accepted = []
        return False

    def content_answered(self, reply: Reply) -> bool:
        """True when this was the last reply. LMTP gives one for each accepted recipient."""
        if not self._lmtp or len(self.accepted) <= 1:
            if self.accepted:
                self._settle(self.accepted, reply)
                self.accepted = []
            return True
        self._settle([self.accepted.pop(0)], reply)
        return False

    def broken(self, text: str) -> None:
        """The connection ended: who has no outcome yet is deferred."""
        settled = {outcome.recipient for outcome in self.outcomes}
        settled.update(self.left_over)
        for recipient in self.recipients:
            if recipient not in settled:
                self.outcomes.append(
                    Outcome(recipient, Disposition.DEFERRED, 451, "4.4.2", clean(text), self._host)
                )
        self.accepted = []

    def _settle(self, recipients: Sequence[int], reply: Reply) -> None:
        digit = reply.code // 100
        disposition = (
            Disposition.RELAYED if digit == 2 else Disposition.FAILED if digit == 5 else Disposition.DEFERRED
        )
        enhanced, text = reply.enhanced or _STATUS.get(digit, "4.5.0"), clean(reply.text)
        for recipient in recipients:
            self.outcomes.append(Outcome(recipient, disposition, reply.code, enhanced, text, self._host))


_STATUS = {2: "2.0.0", 4: "4.0.0", 5: "5.0.0"}


def _is_mailbox_full(reply: Reply) -> bool:
    return reply.enhanced is not None and reply.enhanced.endswith(".2.2")
