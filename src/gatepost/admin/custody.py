"""Accounts that left their habits are contained: no relay, no sessions, their queued mail held, not lost."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, Final, Protocol

from gatepost.admin.keeper import Keeper, ended
from gatepost.admin.link import Refused, Value
from gatepost.config.schema import Habits as HabitSettings
from gatepost.config.schema import Settings
from gatepost.guard.allowance import Unused
from gatepost.guard.event import Event, EventKind
from gatepost.guard.habits import Allowed, Breach, Habits, lines_for
from gatepost.guard.record import network_text
from gatepost.guard.source import peer_of
from gatepost.guard.treasury import Treasury
from gatepost.log import Log
from gatepost.policy.reasons import Reason
from gatepost.store.guarddb import ContainedRow, GuardStore

_TIDY_SECONDS: Final = 60.0
_KEEP_ALLOWANCES_SECONDS: Final = 3.0
_KEEP_HABITS_SECONDS: Final = 60.0  # longer: an account's habits are much to write
_SETTLE_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 3.0  # what was on its way to the disk is in the queue by then
Fields = dict[str, Value]


class Workers(Protocol):
    """All workers."""

    async def ask_all(self, verb: str, **fields: Value) -> list[Value]: ...
    def tell_all(self, verb: str, **fields: Value) -> None: ...
    async def ask_one(self, index: int, verb: str, **fields: Value) -> Value: ...


class Custody:
    """The one count of what users sent, and who of them is contained."""

    def __init__(
        self,
        settings: Settings,
        store: GuardStore,
        log: Log,
        workers: Workers,
        *,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._store = store
        self._log = log
        self._workers = workers
        self._on_event = on_event
        self._habits = Habits(_lines(settings))
        self._contained: dict[str, ContainedRow] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._treasury = Treasury(time.monotonic, self._call_back)
        self._keepers = {
            Keeper(store, "allowance", self._treasury, log): _KEEP_ALLOWANCES_SECONDS,
            Keeper(store, "habit", self._habits, log): _KEEP_HABITS_SECONDS,
        }

    def open(self) -> None:
        """Who was contained before is still; what was learnt, and used up, is known."""
        try:
            self._contained = {row.user: row for row in self._store.contained()}
        except (sqlite3.Error, ValueError) as problem:
            self._log.error("contained-lost", problem=str(problem))
        for keeper in self._keepers:
            keeper.open()

    async def run(self) -> None:
        """Until cancelled; then what was learnt is kept a last time."""
        keeping = [asyncio.create_task(keeper.run(every)) for keeper, every in self._keepers.items()]
        try:
            await asyncio.sleep(_SETTLE_SECONDS)
            for user in tuple(self._contained):
                await self._hold(user)  # contained while nothing ran, or half done at the end
            while True:
                await asyncio.sleep(_TIDY_SECONDS)
                self._treasury.tidy()
        finally:
            for task in keeping:
                await ended(task)

    def change(self, settings: Settings) -> None:
        self._habits.change(_lines(settings))
        if not settings.limits.users and not settings.limits.groups:
            self._habits.nobody_apart()

    # what workers say

    def hear(self, worker: Hashable, verb: str, fields: Fields) -> Value | Awaitable[Value]:
        """The answer to a worker. Raises KeyError for what is not ours."""
        match verb:
            case "contained-all":
                return sorted(self._contained)
            case "quota-take":
                return self._treasury.take(worker, fields)
            case "quota-domain":
                return self._treasury.domain(fields)
            case "quota-unused":
                self._treasury.unused(fields["leases"])
                return True
            case "conduct":
                self._told(fields)
                return None
        raise KeyError(verb)

    def worker_gone(self, worker: Hashable) -> None:
        self._treasury.worker_gone(worker)

    def _told(self, fields: Fields) -> None:
        now = time.time()
        for user, (recipients_a_day, domains) in fields.get("allowed", {}).items():
            self._habits.allow(user, Allowed(recipients_a_day, domains), now)
        for (user, peer), sent in _by_sender(fields["sent"]).items():
            recipients = [recipient for message in sent for recipient in message]
            network = network_text(peer_of(peer))
            self._judge(user, self._habits.sent(user, network, recipients, now, messages=len(sent)))
        for user, count in fields["refused"].items():
            self._judge(user, self._habits.refused(user, int(count), now))

    def _judge(self, user: str, breach: Breach | None) -> None:
        if breach is not None and user not in self._contained:
            self._begin(self.contain(user, why=str(breach), by="guard"))

    # what the operator says

    async def answer(self, verb: str, fields: Fields) -> Value:
        """Raises KeyError for a verb that is not ours, Refused."""
        match verb:
            case "contain":
                user = str(fields["user"])
                if user in self._contained:
                    raise Refused(f"{user} is contained already", exit_code=3)
                await self.contain(
                    user, why=str(fields.get("why") or "by hand"), by=str(fields.get("by", ""))
                )
                return contained_row(self._contained[user])
            case "release":
                return await self.release(str(fields["user"]), by=str(fields.get("by", "")))
            case "contained":
                return [contained_row(row) for row in self._contained.values()]
        raise KeyError(verb)

    async def contain(self, user: str, *, why: str, by: str) -> None:
        """Relay is off for the user at once, its sessions end, its queued mail is held."""
        row = ContainedRow(user, why, by, time.time())
        self._contained[user] = row
        self._tell_all()
        self._log.warning("contained", user=user, why=why, by=by)
        self._on_event(Event(EventKind.CONTAINED, user, f"{user} is contained: {why}"))
        await self._workers.ask_all("session-close", user=user, reason=Reason.SESSION_CONTAINED.value)
        await self._hold(user)
        self._begin(self._hold_again(user))

    async def release(self, user: str, *, by: str) -> Value:
        """Everything is given back: relay, and the mail that was held. Raises Refused (exit code 3)."""
        row = self._contained.pop(user, None)
        if row is None:
            raise Refused(f"{user} is not contained", exit_code=3)
        self._habits.forgive(user)
        self._tell_all()
        if row.held:
            await self._workers.ask_all(
                "queue-release", ids=list(row.held), why=f"{user} is released by {by}"
            )
        with contextlib.suppress(sqlite3.Error):
            self._store.forget_contained(user)
        self._log.event("released", user=user, by=by, messages=len(row.held))
        return contained_row(row)

    async def _hold(self, user: str) -> None:
        """Its queued mail is held; what somebody held before is not ours to release."""
        answers = await self._workers.ask_all("queue-contain", user=user, why=f"{user} is contained")
        ids = [queue_id for part in answers for queue_id in part or ()]
        row = self._contained.get(user)
        if row is None:
            return  # released meanwhile
        kept = ContainedRow(user, row.why, row.by, row.at, tuple(dict.fromkeys((*row.held, *ids))))
        self._contained[user] = kept
        try:
            await asyncio.to_thread(self._store.keep_contained, kept)
        except sqlite3.Error as problem:
            self._log.error("containment-not-kept", user=user, problem=str(problem))

    async def _hold_again(self, user: str) -> None:
        await asyncio.sleep(_AGAIN_SECONDS)
        if user in self._contained:
            await self._hold(user)

    async def _call_back(self, worker: Hashable, user: str, use: str) -> Unused | None:
        assert isinstance(worker, int)
        try:
            answer: Unused | None = await self._workers.ask_one(worker, "quota-call-back", user=user, use=use)
        except Exception:  # a worker that is gone gives nothing back
            return None
        return answer

    def _tell_all(self) -> None:
        self._workers.tell_all("contained", users=sorted(self._contained))

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def contained_row(row: ContainedRow) -> Fields:
    return {"user": row.user, "why": row.why, "by": row.by, "at": row.at, "held": list(row.held)}


def _by_sender(rows: Iterable[list[str]]) -> dict[tuple[str, str], list[list[str]]]:
    """The recipients of each message, by the user and the peer it came from."""
    sent: dict[tuple[str, str], list[list[str]]] = {}
    for user, peer, *recipients in rows:
        sent.setdefault((user, peer), []).append(recipients)
    return sent


def _lines(settings: Settings) -> HabitSettings:
    """The lines of this house: by the widest allowance that a virtual server gives a user."""
    allowed = max((server.recipients_per_day_per_user for server in settings.smtp.values()), default=0)
    return lines_for(settings.guard.habits, allowed)
