"""Delivery into local mailboxes: who a recipient is now, and the header lines a mailbox adds.

Recipients are resolved at delivery, not at acceptance. An alias's mailboxes are delivered into; its other
addresses get the message as one of its own, spooled before the recipient counts as done. A mailbox gets
a message once, however many recipients lead to it and however often it is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from gatepost.delivery.nexthop import NextHop
from gatepost.delivery.parcel import Parcel, Problem
from gatepost.delivery.respool import Respool
from gatepost.directory.directory import Alias, Mailbox, Resolution, Unavailable
from gatepost.mail.address import Address
from gatepost.mail.envelope import Envelope, Recipient
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.failure import SpoolError
from gatepost.store.job import Job
from gatepost.store.maildelivery import Delivered, Delivery, Result, Undelivered

_WHOLE_BYTES = 256 * 1024
_NO_SUCH_USER = Problem(550, "5.1.1", "no such user here")
_MAILBOX_FULL = Problem(452, "4.2.2", "the mailbox is full")
_NO_DIRECTORY = Problem(451, "4.3.0", "the directory does not answer")


class LocalDelivery(Protocol):
    """The mailboxes. `deliver` blocks and is called once at a time, off the loop."""

    def folder(self, account: str) -> Path: ...

    def deliver(self, batch: Sequence[Delivery]) -> Sequence[Result]: ...


class Resolver(Protocol):
    """Says whose mail for a recipient in a local domain is, at once or later. Raises Unavailable."""

    def resolve(self, address: Address) -> Resolution | Awaitable[Resolution]: ...


class Settle(Protocol):
    """Hears outcomes. `more`: others follow for this parcel."""

    def __call__(self, parcel: Parcel, outcomes: list[Outcome], *, more: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """`quota_bytes` is for accounts without their own; `when_full` the answer of a full mailbox."""

    quota_bytes: int | None = None
    when_full: Problem = _MAILBOX_FULL


@dataclass(frozen=True, slots=True)
class _Task:
    """One recipient of a parcel: its mailboxes, its addresses elsewhere, or why it has none."""

    parcel: Parcel
    recipient: int
    mailboxes: tuple[Mailbox, ...] = ()
    onward: tuple[Address, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class _Copy:
    """A mailbox gets a message once: what tells copies apart."""

    queue_id: str
    account: str


class Mailroom:
    """Takes the parcels for local domains.

    `forward` says where a domain's unknown recipients go, `hand_over` gives them to that next hop.
    `started_at` is when this process began (Unix seconds): an older message may have been delivered
    before a crash, so it is looked for first.
    """

    def __init__(
        self,
        mailboxes: LocalDelivery,
        resolver: Resolver,
        respool: Respool,
        *,
        forward: Callable[[str], NextHop | None],
        hand_over: Callable[[Parcel, Sequence[int], NextHop], None],
        settle: Settle,
        rules: MailboxRules,
        started_at: float,
    ) -> None:
        self._mailboxes = mailboxes
        self._resolver = resolver
        self._respool = respool
        self._forward = forward
        self._hand_over = hand_over
        self._settle = settle
        self._rules = rules
        self._started_at = started_at

    async def carry(self, parcels: Sequence[Parcel]) -> None:
        """Every recipient of the parcels is delivered, handed over, deferred or refused."""
        left = list(parcels)
        try:
            tasks = [task for parcel in parcels for task in await self._resolved(parcel)]
            results = await self._deliver(tasks)
            for parcel in parcels:
                mine = [await self._outcome(task, results) for task in tasks if task.parcel is parcel]
                left.remove(parcel)
                self._settle(parcel, mine, more=False)
        except Exception as error:  # the top of a task: nothing may be left unsettled
            problem = Problem(451, "4.3.0", f"local delivery failed: {type(error).__name__}")
            for parcel in left:
                self._settle(parcel, parcel.all(problem), more=False)

    async def _resolved(self, parcel: Parcel) -> list[_Task]:
        """What is to be done for each recipient; those that another next hop knows are handed over."""
        hop = self._forward(parcel.hop.host)
        tasks: list[_Task] = []
        forwarded: list[int] = []
        for index in parcel.recipients:
            task = await self._task(parcel, index)
            if hop is not None and task.problem is _NO_SUCH_USER:
                forwarded.append(index)
            else:
                tasks.append(task)
        if forwarded and hop is not None:
            parcel.recipients = [task.recipient for task in tasks]
            self._hand_over(parcel, forwarded, hop)
        return tasks

    async def _task(self, parcel: Parcel, index: int) -> _Task:
        try:
            found = self._resolver.resolve(parcel.job.envelope.recipients[index].address)
            if isinstance(found, Awaitable):
                found = await found
        except Unavailable:
            return _Task(parcel, index, problem=_NO_DIRECTORY)
        if isinstance(found, Mailbox):
            return _Task(parcel, index, (found,))
        if isinstance(found, Alias):
            return _Task(parcel, index, found.mailboxes, found.addresses)
        return _Task(parcel, index, problem=_NO_SUCH_USER)

    async def _deliver(self, tasks: Sequence[_Task]) -> dict[_Copy, Result]:
        copies: dict[_Copy, Delivery] = {}
        loop = asyncio.get_running_loop()
        for task in tasks:
            for mailbox in task.mailboxes:
                copy = _Copy(task.parcel.job.id, mailbox.account)
                if copy not in copies:
                    copies[copy] = self._delivery(task, mailbox, loop)
        if not copies:
            return {}
        results = await asyncio.to_thread(self._mailboxes.deliver, list(copies.values()))
        return dict(zip(copies, results, strict=True))

    def _delivery(self, task: _Task, mailbox: Mailbox, loop: asyncio.AbstractEventLoop) -> Delivery:
        job = task.parcel.job
        own = mailbox.quota_bytes
        return Delivery(
            self._mailboxes.folder(mailbox.account),
            mailbox_header(job.envelope, task.recipient),
            job.content() if job.size_bytes <= _WHOLE_BYTES else _from_the_loop(job, loop),
            quota_bytes=self._rules.quota_bytes if own is None else own,
            token=job.id,
            perhaps_there=job.attempts > 0 or job.accepted_at < self._started_at,
        )

    async def _outcome(self, task: _Task, results: Mapping[_Copy, Result]) -> Outcome:
        problem = task.problem
        for mailbox in task.mailboxes:
            result = results[_Copy(task.parcel.job.id, mailbox.account)]
            if not isinstance(result, Delivered):
                problem = self._undelivered(result)
        if problem is None and task.onward:
            problem = await self._send_on(task)
        if problem is not None:
            return Outcome(task.recipient, problem.disposition, problem.code, problem.enhanced, problem.text)
        return Outcome(task.recipient, Disposition.DELIVERED, 250, "2.1.5", "delivered")

    def _undelivered(self, result: Undelivered) -> Problem:
        if result is Undelivered.OVER_QUOTA:
            return self._rules.when_full
        if result is Undelivered.DISK_FULL:
            return Problem(452, "4.3.1", "the disk is full")
        return Problem(451, "4.3.0", "the mailbox could not be written")

    async def _send_on(self, task: _Task) -> Problem | None:
        """The alias's other addresses have the message, spooled with the same sender (RFC 5321 §3.9.1)."""
        job = task.parcel.job
        notify = job.envelope.recipients[task.recipient].notify
        recipients = tuple(Recipient(address, notify) for address in task.onward)
        try:
            await self._respool.put(replace(job.envelope, recipients=recipients), job.chunks())
        except (SpoolError, OSError):
            return Problem(451, "4.3.0", "the addresses of the alias could not be spooled")
        return None


def mailbox_header(envelope: Envelope, recipient: int) -> bytes:
    """What final delivery adds on top: Return-Path (RFC 5321 §4.4) and Delivered-To."""
    sender = "" if envelope.sender is None else str(envelope.sender)
    address = envelope.recipients[recipient].address
    return f"Return-Path: <{sender}>\r\nDelivered-To: {address}\r\n".encode()


def _from_the_loop(job: Job, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The job's chunks for a thread, each fetched by the loop: memory stays flat."""
    chunks = job.chunks()

    async def following() -> bytes | None:
        return await anext(chunks, None)

    while (chunk := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
        yield chunk
