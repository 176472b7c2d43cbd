"""The mail transactions of one SMTP session: MAIL, RCPT, content, and the 250 that is a promise.

Each step gathers facts, asks `policy`, and answers the reply. Only `policy.access` may accept a
recipient outside the local domains; only a directory may accept one inside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Final

from gatepost.config.schema import LocalDomain
from gatepost.directory.directory import Resolution, Unavailable
from gatepost.mail.address import Address
from gatepost.mail.envelope import Recipient
from gatepost.policy.access import Right
from gatepost.policy.reasons import Reason
from gatepost.server.blocklists import Listing
from gatepost.server.client import DEVICE_BARRED, Client
from gatepost.server.intake import Intake
from gatepost.server.purse import Purse, Spent, purse_of, purse_without_login
from gatepost.server.record import Record
from gatepost.server.refuse import CONTENT_FAULTS, refused_right
from gatepost.server.resident import Residents
from gatepost.server.screening import Scanner, Screening
from gatepost.server.shard import Shard, SmtpVirtualServer
from gatepost.smtp.command import Data, Helo, Mail, Rcpt
from gatepost.smtp.event import EndOfContent
from gatepost.smtp.group import Group
from gatepost.smtp.reply import Reply
from gatepost.store.failure import SpoolError, SpoolFull
from gatepost.store.naming import canonical_domain

_SENDER_OK: Final = Reply(250, "2.1.0", ("Sender OK",))
_RECIPIENT_OK: Final = Reply(250, "2.1.5", ("Recipient OK",))
GO_AHEAD: Final = Reply(354, None, ("Send the message, end with a dot on a line by itself",))
_DATA: Final = Data()
_CHUNK_OK: Final = Reply(250, "2.0.0", ("Chunk OK",))


class Transaction:
    """What is being handed in now; empty between transactions.

    `is_committing`: it is whole and on its way to the disk.
    """

    __slots__ = (
        "_client", "_helo", "_intake", "_listing", "_mail", "_purse", "_recipients", "_record",
        "_relays", "_residents", "_screening", "_server", "_shard", "_whole_at", "is_committing",
    )  # fmt: skip

    def __init__(self, shard: Shard, server: SmtpVirtualServer, client: Client, record: Record) -> None:
        self._shard = shard
        self._server = server
        self._client = client
        self._record = record
        self._helo = Helo("")
        self.is_committing = False
        self._mail: Mail | None = None
        self._listing: Listing | None = None
        self._purse: Purse | None = None
        self._recipients: list[Recipient] = []
        self._residents: Residents | None = None  # from the first recipient on that is one of ours
        self._relays = False
        self._intake: Intake | None = None
        self._whole_at = 0.0
        self._screening = None if server.scanner is None else _screening(shard, server.scanner, client)

    def introduced(self, helo: Helo) -> None:
        self._helo = helo

    def abandon(self) -> None:
        """Nothing is being handed in. What is on its way to the disk already gets there."""
        if self._intake is not None:
            self._intake.abandon()
            self._intake = None
            self.is_committing = False
        self._mail = None
        self._recipients = []
        self._residents = None
        self._relays = False

    def begin(self, group: Group) -> list[Reply | Awaitable[Any]]:
        """The answers to the commands of the group, in order, up to the first that is no yes."""
        answer: Reply | Awaitable[Any] = self.mail(group.mail)
        answers = [answer]
        for rcpt in group.rcpts:
            if not (isinstance(answer, Reply) and answer.code < 300):
                return answers
            answer = self.rcpt(rcpt)
            answers.append(answer)
        if isinstance(answer, Reply) and answer.code < 300:
            answers.append(self.data(_DATA))
        return answers

    # MAIL FROM

    def mail(self, command: Mail) -> Reply | Coroutine[Any, Any, Reply]:
        client = self._client
        if client.identity is not None and (
            client.generation != self._shard.directories.generation
            or (client.lapses_at is not None and client.lapses_at <= self._shard.clock())
        ):
            return self._mail_once_refreshed(command)
        return self._mail_now(command)

    async def _mail_once_refreshed(self, command: Mail) -> Reply:
        """The directory has changed since the login: the identity is learnt anew."""
        client = self._client
        assert client.identity is not None
        generation = self._shard.directories.generation
        try:
            client.logged_in(await self._shard.login.renewed(client.identity), generation)
        except Unavailable:
            client.groups_unknown()
        answer = self._mail_now(command)
        return answer if isinstance(answer, Reply) else await answer

    def _mail_now(self, command: Mail) -> Reply | Coroutine[Any, Any, Reply]:
        if command.require_tls:  # RFC 8689: not offered, so not known
            return self._record.refuse("mail", Reason.UNKNOWN_PARAMETER, sender=command.sender)
        refusal = None
        if command.sender is not self._client.fine_sender:
            refusal = self._refusal_of_sender(command.sender)
        refusal = refusal or self._refusal_for_load(command)
        if refusal is not None:
            return refusal
        spent = None if self._purse is None else self._purse.message()
        if self._server.block_lists is not None:
            listing = self._server.block_lists.about(self._client)
            if listing is not None and not isinstance(listing, Listing):
                return self._mail_once_looked_up(command, listing)
            self._listing = listing
        if spent is None or isinstance(spent, Spent):
            return self._mail_taken(command, spent)
        return self._mail_once_allowed(command, spent)

    async def _mail_once_allowed(self, command: Mail, coming: Awaitable[Spent | None]) -> Reply:
        return self._mail_taken(command, await coming)

    def _mail_taken(self, command: Mail, spent: Spent | None) -> Reply:
        """The transaction has begun, unless the user must wait."""
        if spent is not None:
            return self._record.refuse("mail", spent.reason, sender=command.sender, seconds=spent.seconds)
        self._mail = command
        return _SENDER_OK

    async def _mail_once_looked_up(self, command: Mail, coming: Awaitable[Listing | None]) -> Reply:
        self._listing = await coming
        return self._mail_taken(command, None)

    def _refusal_of_sender(self, sender: Address | None) -> Reply | None:
        client = self._client
        right, verdict = Right.SUBMIT, client.may(Right.SUBMIT)
        if verdict.allowed:
            if client.identity is not None and sender is not None and not client.owns(sender):
                right, verdict = Right.ANY_SENDER, client.may_send_as(sender)
            if verdict.allowed:
                client.fine_sender = sender
                return None
        if verdict is DEVICE_BARRED:
            return self._record.refuse("mail", Reason.DEVICE_SENDER, sender=sender, address=sender)
        could_log_in = client.identity is None and bool(self._server.settings.auth)
        reason, reply = refused_right(
            right, verdict, client.id, address=sender, login_would_be_heard=could_log_in
        )
        self._record.refused("mail", reason, reply, sender=sender)
        return reply

    def _refusal_for_load(self, command: Mail) -> Reply | None:
        limit, sender = self._size_limit(), command.sender
        if command.size_bytes is not None and command.size_bytes > limit:
            return self._record.refuse("mail", Reason.MESSAGE_TOO_LARGE, sender=sender, limit=limit)
        if not self._shard.spool.has_room():
            return self._record.refuse("mail", Reason.SPOOL_FULL, sender=sender)
        return None

    def _size_limit(self) -> int:
        """Of whoever is logged in now, whose purse is at hand from here on; or of anybody here."""
        identity, purse, server = self._client.identity, self._purse, self._server
        if identity is None:
            tables, conduct, facts = server.allotments, self._shard.conduct, self._client.facts
            self._purse = (
                None if tables.spares_hosts else purse_without_login(conduct, facts, tables, server.everybody)
            )
        elif purse is None or purse.identity is not identity:
            self._purse = purse_of(self._shard.conduct, identity, server.allotments, server.everybody)
        return server.settings.message_size_bytes if self._purse is None else self._purse.size_bytes

    # RCPT TO

    def rcpt(self, command: Rcpt) -> Reply | Coroutine[Any, Any, Reply]:
        address, limit = command.address, self._server.settings.recipients_per_message
        if len(self._recipients) >= limit:
            return self._refuse(Reason.TOO_MANY_RECIPIENTS, address, limit=limit)
        if self._listing is not None and address.local.lower() != "postmaster":
            return self._record.refuse(
                "rcpt", Reason.BLOCK_LISTED, sender=self._sender, recipient=address, address=self._listing
            )
        domain = self._local_domain(address)
        if domain is None:
            return self._refusal_to_relay(address) or self._taken(command, relays=True)
        try:
            resolution = self._shard.directories.resolve(address)
        except Unavailable:
            return self._refuse(Reason.FACT_UNKNOWN, address)
        if isinstance(resolution, Awaitable):
            return self._local_later(command, domain, resolution)
        return self._local(command, domain, resolution)

    async def _local_later(self, command: Rcpt, domain: LocalDomain, coming: Awaitable[Resolution]) -> Reply:
        """The answer once the directory gave its own."""
        try:
            resolution = await coming
        except Unavailable:
            return self._refuse(Reason.FACT_UNKNOWN, command.address)
        answer = self._local(command, domain, resolution)
        return answer if isinstance(answer, Reply) else await answer

    def _taken(self, command: Rcpt, *, relays: bool) -> Reply | Coroutine[Any, Any, Reply]:
        purse = self._purse
        spent = None if purse is None else purse.recipient(command.address.domain if relays else None)
        if spent is None or isinstance(spent, Spent):
            return self._taken_now(command, spent, relays=relays)
        return self._taken_once_allowed(command, spent, relays=relays)

    async def _taken_once_allowed(
        self, command: Rcpt, coming: Awaitable[Spent | None], *, relays: bool
    ) -> Reply:
        return self._taken_now(command, await coming, relays=relays)

    def _taken_now(self, command: Rcpt, spent: Spent | None, *, relays: bool) -> Reply:
        """The recipient is one of the message's, unless the user must wait."""
        if spent is not None:
            return self._refuse(spent.reason, command.address, seconds=spent.seconds)
        self._relays |= relays
        self._recipients.append(Recipient(command.address, command.notify, command.orcpt))
        return _RECIPIENT_OK

    def _local_domain(self, address: Address) -> LocalDomain | None:
        """The local domain it lies in; a bare `postmaster` lies in the first (RFC 5321 §4.1.1.3)."""
        domains, name = self._shard.settings.domains, address.domain
        if not name:
            return next(iter(domains.values()), None)
        return domains.get(name if name.isascii() else canonical_domain(name))

    def _refusal_to_relay(self, address: Address) -> Reply | None:
        verdict = self._client.may(Right.RELAY)
        if verdict.allowed:
            user = self._client.user
            if user is not None and self._shard.conduct.is_contained(user):
                return self._refuse(Reason.CONTAINED, address)
            return None
        reason, reply = refused_right(Right.RELAY, verdict, self._client.id, address=address)
        self._record.refused("rcpt", reason, reply, sender=self._sender, recipient=address)
        return reply

    def _local(
        self, command: Rcpt, domain: LocalDomain, resolution: Resolution
    ) -> Reply | Coroutine[Any, Any, Reply]:
        address = command.address
        self._residents = residents = self._residents or Residents(self._shard, self._client.peer)
        objection = residents.objection(address, domain, resolution, self._announced_bytes)
        if objection is None:
            return self._taken(command, relays=False)
        if isinstance(objection, Reason):
            return self._refuse(objection, address)
        return self._once_asked(command, objection)

    async def _once_asked(self, command: Rcpt, coming: Awaitable[Reason | None]) -> Reply:
        """Taken if nothing turns out to be against it."""
        objection = await coming
        if objection is not None:
            return self._refuse(objection, command.address)
        answer = self._taken(command, relays=False)
        return answer if isinstance(answer, Reply) else await answer

    @property
    def _announced_bytes(self) -> int:
        return (self._mail.size_bytes or 0) if self._mail is not None else 0

    @property
    def _sender(self) -> Address | None:
        return None if self._mail is None else self._mail.sender

    def _refuse(self, reason: Reason, recipient: Address, **places: Any) -> Reply:
        return self._record.refuse(
            "rcpt", reason, sender=self._sender, recipient=recipient, address=recipient, **places
        )

    # content

    def data(self, command: Data) -> Reply:
        self._intake = self._new_intake()
        return GO_AHEAD

    def chunk(self) -> None:
        if self._intake is None:
            self._intake = self._new_intake()

    def _new_intake(self) -> Intake:
        shard = self._shard
        return Intake(
            shard.spool.incoming(),
            self._client,
            shard.settings.hostname,
            holds_header=self._screening is not None,
        )

    def content(self, data: bytes) -> Awaitable[None] | None:
        """Takes a part of the message; an awaitable when the disk must catch up before more is read."""
        assert self._intake is not None
        return self._intake.take(data)

    def end(self, event: EndOfContent) -> Reply | Awaitable[Reply | str]:
        """The reply, or what will be it; while `is_committing` give the future to `committed` when done."""
        if event.fault is not None:
            return self._refuse_content(CONTENT_FAULTS[event.fault])
        if not event.last:
            return _CHUNK_OK
        intake, screening = self._intake, self._screening
        assert intake is not None
        if not intake.header_ended:
            intake.whole()
        if self._purse is not None and event.size_bytes > self._purse.size_bytes:
            return self._refuse_content(Reason.MESSAGE_TOO_LARGE)
        objection = intake.objection(received_limit=self._server.settings.received_headers)
        if objection is not None:
            return self._refuse_content(*objection)
        residents = self._residents
        if residents is not None and residents.may_overflow(event.size_bytes, self._announced_bytes):
            return self._once_it_fits(intake, residents, event.size_bytes)
        return self._commit(intake) if screening is None else self._screened(intake, screening)

    async def _once_it_fits(self, intake: Intake, residents: Residents, size_bytes: int) -> Reply | str:
        overflow = await residents.overflow(self._recipients, size_bytes)
        if overflow is not None:
            return self._refuse_content(overflow, self._recipients[0].address)
        screening = self._screening
        return await (self._commit(intake) if screening is None else self._screened(intake, screening))

    async def _screened(self, intake: Intake, screening: Screening) -> Reply | str:
        """What the content check would have, then the queue id or the refusal."""
        wanted = await screening.treatment(
            intake, helo=self._helo.name, sender=self._sender, recipients=self._recipients
        )
        if wanted.reason is not None:
            return self._refuse_content(wanted.reason)
        intake.put_on_top(wanted.top, without_fields=wanted.removed)
        return await self._commit(intake)

    def _commit(self, intake: Intake) -> asyncio.Future[str]:
        assert self._mail is not None
        self.is_committing = True
        self._whole_at = now = self._shard.clock()
        if self._shard.settings.tracking.subjects:
            intake.read_subject()
        return intake.commit(
            self._mail,
            self._recipients,
            self._helo,
            virtual_server=self._server.name,
            submitted=self._relays or self._client.identity is not None,
            now=now,
        )

    def committed(self, future: asyncio.Future[str]) -> Reply:
        """The 250, now that the message is on the disk; or why it is not."""
        intake, self._intake = self._intake, None
        self.is_committing = False
        assert intake is not None
        assert intake.envelope is not None
        try:
            queue_id = future.result()
        except SpoolFull:
            return self._refuse_content(Reason.SPOOL_FULL)
        except SpoolError as problem:
            self._shard.log.error("spool-failed", session=self._client.id, problem=str(problem))
            return self._refuse_content(Reason.SPOOL_FAILED)
        envelope = intake.envelope
        self._shard.meter.committed(self._shard.clock() - self._whole_at)
        self._record.accepted(queue_id, envelope, intake.size_bytes, intake.subject)
        if (user := envelope.origin.user) is not None:
            recipients = [str(recipient.address) for recipient in envelope.recipients]
            self._shard.conduct.sent(user, envelope.origin.peer, recipients)
        if (watch := self._server.watch) is not None:
            watch.sent(self._client)
        self.abandon()
        return Reply(250, "2.0.0", (f"queued as {queue_id}",))

    def _refuse_content(self, reason: Reason, address: Address | str | None = None) -> Reply:
        limit = self._size_limit()
        reply = self._record.refuse("data", reason, sender=self._sender, address=address or "", limit=limit)
        self.abandon()
        return reply


def _screening(shard: Shard, scanner: Scanner, client: Client) -> Screening:
    return Screening(scanner, client, shard.log, our_name=shard.settings.hostname, resolver=shard.resolver)
