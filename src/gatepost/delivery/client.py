"""One connection to one host, carrying message after message (RFC 5321 §3.3, RFC 2920, RFC 2033).

With PIPELINING the content of one message, its dot and MAIL, RCPT, DATA of the next go out in one
write: one round trip a message. RFC 2920 §3.1 lets commands follow the dot. Without PIPELINING
everything is in lock step.

A reply lost after the dot leaves it open whether the host has the message. It is deferred and sent
again: a duplicate is better than a loss.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from gatepost.delivery.dialogue import Dialogue
from gatepost.delivery.parcel import Parcel, Problem
from gatepost.delivery.session import Session
from gatepost.delivery.timeouts import Timeouts
from gatepost.delivery.transaction import Transaction, obstacle
from gatepost.mail.envelope import Body, Recipient
from gatepost.smtp.command import Data, Dot, Mail, Noop, Quit, Rcpt, Rset
from gatepost.smtp.reply import Reply
from gatepost.smtp.state import Verb
from gatepost.store.failure import SpoolCorrupt

_STREAM_FROM_BYTES = 256 * 1024
_DATA, _DOT, _RSET, _NOOP, _QUIT = Data(), Dot(), Rset(), Noop(), Quit()
# Looking up a member of an enum costs 0.1 us, and these stand on the path of every message.
_MAIL_VERB, _RCPT_VERB, _DATA_VERB = Verb.MAIL, Verb.RCPT, Verb.DATA
_CONTENT_VERB, _RSET_VERB, _NOOP_VERB = Verb.CONTENT, Verb.RSET, Verb.NOOP
_EIGHT_BIT = Body.EIGHT_BIT
_CLOSING = 421
_RECIPIENTS = 100  # what every host must take in one transaction (RFC 5321 §4.5.3.1.8)


class Lane(Protocol):
    """Where parcels come from, and who hears what became of them."""

    def next_parcel(self) -> Parcel | None: ...

    def settled(self, transaction: Transaction) -> None: ...

    def obstructed(self, parcel: Parcel, problem: Problem, host: str) -> None: ...

    def handed_back(self, parcel: Parcel, reason: str, host: str) -> None: ...

    def idle(self, carrier: Client) -> None: ...

    def gone(self, carrier: Client, fruitless: Problem | None) -> None: ...


class Client:
    """Carries parcels of one lane over an open session until the lane has none or the session ends.

    `host` names the host in outcomes; `released` is called once, when the connection is over.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        session: Session,
        host: str,
        lane: Lane,
        timeouts: Timeouts,
        *,
        max_messages: int,
        released: Callable[[], None],
    ) -> None:
        self._dialogue = dialogue
        self._channel = dialogue.channel
        self._core = dialogue.core
        self._extensions = session.extensions
        self._pipelining = session.extensions.pipelining
        self._lmtp = session.lmtp
        self._overlapping = self._pipelining and not self._lmtp
        self._recipients_limit = _recipients(session)
        self._host = host
        self._lane = lane
        self._timeouts = timeouts
        self._left = _allowed(session, max_messages)
        self._carried = 0
        self._offered: Transaction | None = None  # MAIL was sent, the content was not
        self._sending: Transaction | None = None  # its content was sent, or is being sent
        self._recipients: Iterator[int] = iter(())  # lock step: who was not yet named
        self._stream: asyncio.Task[None] | None = None
        self._last = False
        self._released = released
        dialogue.hand_over(self._answered, self._broken)

    # what the lane calls

    def carry(self) -> None:
        """The next parcel is offered to the host."""
        self._channel.when_late = None
        self._offer([])

    def close(self) -> None:
        """QUIT follows the transaction in hand; at once when there is none."""
        self._last = True
        if self._offered is None and self._sending is None:
            self._end()

    def abort(self, reason: str) -> None:
        """The connection is cut off now; what was not answered is deferred."""
        self._dialogue.fail(reason)

    # offering

    def _offer(self, pieces: list[bytes]) -> None:
        """Writes `pieces` and behind them the beginning of the next transaction, if there is one."""
        transaction = self._begin() if not self._last else None
        if transaction is None:
            if pieces:
                self._channel.write(pieces)
            if self._sending is None:
                self._rest()
            return
        self._offered = transaction
        self._left -= 1
        self._last = self._left <= 0
        if self._pipelining:
            recipients = transaction.parcel.job.envelope.recipients
            rcpts = [self._rcpt(recipients[index]) for index in transaction.recipients]
            pieces.append(self._core.begin(self._mail(transaction), rcpts))
        else:
            pieces.append(self._core.send(self._mail(transaction)))
            self._recipients = iter(transaction.recipients)
        if self._sending is None:
            self._channel.expect(self._timeouts.command_seconds, "MAIL")
        self._channel.write(pieces)

    def _begin(self) -> Transaction | None:
        while (parcel := self._lane.next_parcel()) is not None:
            problem = obstacle(parcel, self._extensions)
            if problem is None:
                return Transaction(parcel, self._host, lmtp=self._lmtp, limit=self._recipients_limit)
            self._lane.obstructed(parcel, problem, self._host)
        return None

    def _mail(self, transaction: Transaction) -> Mail:
        offered, envelope = self._extensions, transaction.parcel.job.envelope
        return Mail(
            envelope.sender,
            transaction.parcel.job.size_bytes if offered.size_bytes is not None else None,
            _EIGHT_BIT if offered.eight_bit_mime and envelope.body is _EIGHT_BIT else None,
            envelope.smtputf8 and offered.smtputf8,
            envelope.ret if offered.dsn else None,
            envelope.envid if offered.dsn else None,
            None,
            envelope.require_tls and offered.require_tls,
        )

    def _rcpt(self, recipient: Recipient) -> Rcpt:
        if self._extensions.dsn:
            return Rcpt(recipient.address, recipient.notify, recipient.orcpt)
        return Rcpt(recipient.address)

    def _rest(self) -> None:
        """Nothing to do: the connection is kept for a while, unless it has done its work."""
        if self._last:
            self._end()
            return
        self._channel.expect(self._timeouts.idle_seconds, "idle")
        self._channel.when_late = self._end
        self._lane.idle(self)

    # answers

    def _answered(self, verb: Verb, reply: Reply) -> None:
        transaction = self._offered
        if reply.code == _CLOSING:
            self._closing(verb, reply)
        elif verb is _CONTENT_VERB or (verb is _NOOP_VERB and self._sending is not None):
            self._content_answered(reply)
        elif verb is _DATA_VERB and transaction is not None:
            self._data_answered(transaction, reply)
        elif verb is _RSET_VERB:
            if not self._pipelining:
                self._offer([])
        elif transaction is not None:
            if verb is _MAIL_VERB:
                transaction.mail_answered(reply)
            elif verb is _RCPT_VERB:
                transaction.rcpt_answered(reply)
            if not self._pipelining:
                self._next_step(transaction)

    def _next_step(self, transaction: Transaction) -> None:
        """Lock step: the next RCPT, then DATA when anybody was accepted."""
        if transaction.refused:
            self._offered = None
            self._done(transaction)
            return
        index = next(self._recipients, None)
        if index is not None:
            self._channel.expect(self._timeouts.command_seconds, "RCPT")
            recipient = transaction.parcel.job.envelope.recipients[index]
            self._channel.write([self._core.send(self._rcpt(recipient))])
        elif transaction.accepted:
            self._channel.expect(self._timeouts.data_seconds, "DATA")
            self._channel.write([self._core.send(_DATA)])
        else:
            self._abandon(transaction)

    def _abandon(self, transaction: Transaction) -> None:
        """MAIL was accepted, but there is nothing to send: the host forgets it."""
        self._offered = None
        self._channel.expect(self._timeouts.command_seconds, "RSET")
        rset = [self._core.send(_RSET)]
        if self._pipelining:
            self._done(transaction, rset)
        else:
            self._channel.write(rset)
            self._lane.settled(transaction)

    def _data_answered(self, transaction: Transaction, reply: Reply) -> None:
        if not transaction.offered:
            transaction.all_answered()
        if not transaction.data_answered(reply):
            if transaction.refused:
                self._offered = None
                self._done(transaction)
            else:
                self._abandon(transaction)
            return
        self._offered = None
        self._sending = transaction
        if not transaction.accepted:
            # 354 although nobody was accepted: a lone dot sends nothing (RFC 2920 §3.1)
            self._finish_content(transaction, [])
        elif transaction.parcel.job.size_bytes <= _STREAM_FROM_BYTES:
            self._send_whole(transaction)
        else:
            self._stream = asyncio.get_running_loop().create_task(self._send_stream(transaction))

    # content

    def _send_whole(self, transaction: Transaction) -> None:
        try:
            content = transaction.parcel.job.content()
        except (OSError, SpoolCorrupt) as error:
            self._unreadable(error)
            return
        self._finish_content(transaction, [content])

    async def _send_stream(self, transaction: Transaction) -> None:
        """In chunks, never more than the write buffer holds in memory."""
        try:
            async for chunk in transaction.parcel.job.chunks():
                self._channel.expect(self._timeouts.block_seconds, "room for content")
                self._channel.write([chunk])
                await self._channel.drained()
                if not self._channel.is_open:
                    return
        except Exception as error:  # the top of a task
            self._unreadable(error)
            return
        self._stream = None
        self._finish_content(transaction, [])

    def _unreadable(self, error: Exception) -> None:
        # Without the dot the host throws away what it has (RFC 5321 §4.1.1.10).
        self._dialogue.fail(f"our spool could not be read: {type(error).__name__}")

    def _finish_content(self, transaction: Transaction, pieces: list[bytes]) -> None:
        pieces.append(self._core.send(_DOT))
        self._channel.expect(self._timeouts.dot_seconds, "reply to the message")
        if self._overlapping:
            self._offer(pieces)
        else:
            self._channel.write(pieces)

    def _content_answered(self, reply: Reply) -> None:
        transaction = self._sending
        if transaction is None:
            return
        if not transaction.content_answered(reply):
            # RFC 2033 §4.2: one more reply; to the core, which knows only SMTP, that of a NOOP nobody sends
            self._core.send(_NOOP)
            return
        self._sending = None
        self._carried += 1
        self._lane.settled(transaction)
        if self._offered is None:
            self._offer([])
        else:
            self._channel.expect(self._timeouts.command_seconds, "MAIL")

    def _done(self, transaction: Transaction, pieces: list[bytes] | None = None) -> None:
        """The transaction ended without content."""
        self._lane.settled(transaction)
        self._offer(pieces or [])

    # the end

    def _closing(self, verb: Verb, reply: Reply) -> None:
        """421: the host closes after this reply, whatever it answers (RFC 5321 §3.8)."""
        offered = self._offered
        if offered is not None and verb in (Verb.RCPT, Verb.DATA):
            offered.offered = True
        self._dialogue.fail(f"{reply.code} {reply.enhanced or ''} {reply.text}")

    def _broken(self, reason: str) -> None:
        """The connection is over: what was sent is deferred, what was only begun goes elsewhere."""
        if self._stream is not None:
            self._stream.cancel()
        sending, self._sending = self._sending, None
        offered, self._offered = self._offered, None
        if sending is not None:
            sending.broken(reason)
            self._lane.settled(sending)
        if offered is not None:
            if offered.offered or not (self._carried or sending is not None):
                offered.broken(reason)
                self._lane.settled(offered)
            else:
                self._lane.handed_back(offered.parcel, reason, self._host)
        self._released()
        self._lane.gone(self, None if self._carried else Problem(451, "4.4.2", reason))

    def _end(self) -> None:
        # RFC 5321 §4.1.1.10 asks to wait for 221; nothing depends on it, so nobody does.
        self._channel.close(b"" if self._core.answers_due else self._core.send(_QUIT))
        self._released()
        self._lane.gone(self, None)


def _recipients(session: Session) -> int:
    limits = session.extensions.limits
    if limits is None or limits.rcpt_max is None:
        return _RECIPIENTS
    return max(1, min(limits.rcpt_max, _RECIPIENTS))


def _allowed(session: Session, max_messages: int) -> int:
    limits = session.extensions.limits
    if limits is None or limits.mail_max is None:
        return max_messages
    return max(1, min(limits.mail_max, max_messages))
