"""Sessions: who has signed in, for how long, and how fresh the proof is."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from gatepost.admin.actor import Actor
from gatepost.admin.roles import Role
from gatepost.config.console import Console, SecondFactor
from gatepost.console import vouched
from gatepost.console.people import People, Person
from gatepost.console.visitor import SignedOut
from gatepost.directory.directory import Unavailable
from gatepost.directory.idtoken import Voucher
from gatepost.store.consoledb import ConsoleStore, SessionRow

HALF: Final = "half"  # the second factor is not proved yet
BARE: Final = "bare"  # there has to be a second factor, and there is none yet
WHOLE: Final = "whole"

_ROLE_SECONDS: Final = 60.0
_BELIEVED_SECONDS: Final = 300.0
_SEEN_SECONDS: Final = 10.0
_WRONG_CODES: Final = 5
_KEEP_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that holds. `role` is what it is by now."""

    row: SessionRow
    role: Role

    @property
    def is_whole(self) -> bool:
        return self.row.stage == WHOLE

    @property
    def voucher(self) -> Voucher | None:
        """What the provider said by which he signed in."""
        return None if self.row.voucher is None else vouched.read(self.row.voucher)


@dataclass(frozen=True, slots=True)
class Visit:
    """The visitor of one session, for the pages of the console."""

    sessions: Sessions
    number: bytes
    name: str

    @property
    def key(self) -> str:
        return self.name

    def actor(self) -> Actor:
        """Raises SignedOut."""
        return self.sessions.still(self.number)


@dataclass(slots=True)
class _Known:
    role: Role
    at: float


class Sessions:
    """`console` gives the settings in force; `version` differs after any change of the accounts.

    `clock` counts Unix seconds.
    """

    def __init__(
        self, store: ConsoleStore, people: People, console: Callable[[], Console],
        version: Callable[[], int], clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store = store
        self._people = people
        self._console = console
        self._clock = clock
        self._version = version
        self._seen_version = version()
        self._roles: dict[str, _Known] = {}

    async def begin(self, person: Person, peer: str) -> str:
        """The cookie of a new session."""
        cookie, now, voucher = secrets.token_urlsafe(32), self._clock(), person.voucher
        proved = now if voucher is None else voucher.signed_in_at or 0.0
        row = SessionRow(
            _hash(cookie), person.name, person.is_own, self._first_stage(person), now, now, proved, peer,
            secrets.token_urlsafe(24), voucher=None if voucher is None else vouched.written(voucher),
        )  # fmt: skip
        await asyncio.to_thread(self._begin, row)
        return cookie

    def _begin(self, row: SessionRow) -> None:
        console = self._console()
        self._store.forget(
            began_before=row.began - console.session_seconds,
            seen_before=row.began - console.idle_seconds,
            answered_before=row.began - _KEEP_SECONDS,
        )
        self._store.keep(row)

    def _first_stage(self, person: Person) -> str:
        if person.row.has_second_factor:
            return HALF
        if person.voucher is not None and person.voucher.strong:
            return WHOLE
        return BARE if self._console().second_factor is SecondFactor.REQUIRE else WHOLE

    async def find(self, cookie: str | None) -> Session | None:
        """The session, if it holds; this counts as seen. None too while a directory cannot say who it is."""
        if not cookie:
            return None
        return await self.numbered(_hash(cookie))

    def still(self, number: bytes) -> Actor:
        """Whose whole session it is, as he is now, without waiting for a directory. Raises SignedOut.

        What a directory said of the role is believed for minutes; the next page asks it.
        """
        row, now, console = self._store.session(number), self._clock(), self._console()
        if row is None or row.stage != WHOLE or self._is_over(row, now, console):
            raise SignedOut("the session is over")
        role = self._role_at_once(row, now)
        if role is None:
            raise SignedOut("there is no role any more")
        if now - row.seen > _SEEN_SECONDS:
            self._store.see(row.id, now)
        return self.actor(Session(row, role))

    def _role_at_once(self, row: SessionRow, now: float) -> Role | None:
        if row.voucher is not None:
            return self._people.vouched_role(vouched.read(row.voucher))
        if row.own:
            return self._people.own_role(row.name)
        known = self._roles.get(row.name)
        return known.role if known is not None and now - known.at < _BELIEVED_SECONDS else None

    @staticmethod
    def _is_over(row: SessionRow, now: float, console: Console) -> bool:
        return now - row.seen > console.idle_seconds or now - row.began > console.session_seconds

    def actor(self, session: Session) -> Actor:
        """Who acts in it."""
        row = session.row
        fresh = self._clock() - row.proved <= self._console().fresh_seconds
        return Actor(row.name, session.role, via="console", peer=row.peer, fresh=fresh)

    async def _held(self, row: SessionRow) -> Session | None:
        now, console = self._clock(), self._console()
        role = None
        if not self._is_over(row, now, console):
            try:
                role = await self._role(row, now)
            except Unavailable:
                return None
        if role is None:
            await asyncio.to_thread(self._store.end, row.id)
            return None
        if now - row.seen > _SEEN_SECONDS:
            await asyncio.to_thread(self._store.see, row.id, now)
        return Session(row, role)

    async def _role(self, row: SessionRow, now: float) -> Role | None:
        if row.voucher is not None:
            return self._role_at_once(row, now)
        return await self.role_of(row.name)

    async def role_of(self, name: str) -> Role | None:
        """The role that he has, as it was known a moment ago or is learnt now. Raises Unavailable."""
        now, version = self._clock(), self._version()
        if version != self._seen_version:
            self._seen_version = version
            self.forget_roles()
        known = self._roles.get(name)
        if known is not None and now - known.at < _ROLE_SECONDS and now >= known.at:
            return known.role
        role = await self._people.role_now(name)
        if role is None:
            self._roles.pop(name, None)
        else:
            self._roles[name] = _Known(role, now)
        return role

    def forget_roles(self) -> None:
        """The settings or accounts have changed: roles are asked for anew at the next page."""
        old = self._clock() - 2 * _ROLE_SECONDS
        for known in self._roles.values():
            known.at = min(known.at, old)

    async def wrong_code(self, session: Session) -> bool:
        """Whether another try is allowed; else the session is over."""
        count = await asyncio.to_thread(self._store.wrong, session.row.id)
        if count < _WRONG_CODES:
            return True
        await self.end(session)
        return False

    async def complete(self, session: Session) -> str:
        """The cookie of the session now that all is proved; the one before is worth nothing."""
        cookie, now, row = secrets.token_urlsafe(32), self._clock(), session.row
        fresh = replace(
            row, id=_hash(cookie), stage=WHOLE, seen=now, form=secrets.token_urlsafe(24), wrong=0,
            proved=row.proved if row.voucher is not None else now,
        )  # fmt: skip
        await asyncio.to_thread(self._store.keep, fresh)
        await self.end(session)
        return cookie

    async def prove(self, number: bytes) -> None:
        """The password was given again."""
        row = await asyncio.to_thread(self._store.session, number)
        if row is not None:
            now = self._clock()
            again = replace(row, seen=now, proved=now)
            await asyncio.to_thread(self._store.keep, again)

    async def end(self, session: Session) -> None:
        """The cookie is worth nothing."""
        await self.end_number(session.row.id)

    async def end_number(self, number: bytes) -> None:
        """The cookie of the session with this number is worth nothing."""
        await asyncio.to_thread(self._store.end, number)

    async def numbered(self, number: bytes) -> Session | None:
        """The session with this number, if it holds."""
        row = await asyncio.to_thread(self._store.session, number)
        return None if row is None else await self._held(row)

    async def end_all_of(self, name: str, *, but: Session | None = None) -> None:
        """Nobody is signed in under this name any more, but in the one session."""
        kept = b"" if but is None else but.row.id
        await asyncio.to_thread(lambda: self._store.end_all_of(name, but=kept))


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
