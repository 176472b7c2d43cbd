"""The connections to the servers of one directory: kept, replaced when dead, and never waited for long.

Searches share one connection that the service is logged in on; each password check has a connection of
its own meanwhile. Servers are asked in the order of `url`: one that failed is left alone for a while,
ever longer, and the next one is asked at once. While all of them are left alone nobody waits.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from gatepost.directory.ldap_connection import Bound, Found, LdapConnection, Query
from gatepost.directory.ldap_fault import (
    LdapBusy,
    LdapResting,
    LdapSilent,
    LdapUnavailable,
    Stage,
    bind_problem,
)
from gatepost.directory.ldap_server import LdapServer
from gatepost.secret import Secret

_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_LOGIN_PAUSE_SECONDS: Final = 30.0  # a wrong password tried again and again locks the service's account

T = TypeVar("T")
Note = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Service:
    """Who searches; `name` empty searches as nobody."""

    name: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))


@dataclass(slots=True)
class _Health:
    """A server and when it may be tried again. One that failed is tried by one question at a time."""

    server: LdapServer
    failures: int = 0
    not_before: float = 0.0
    being_tried: bool = False
    problem: str = ""


class LdapPool:
    """Asks the servers. Every question raises LdapUnavailable when none of them says.

    A question takes `timeout_seconds` at most, twice that when another server is asked in the first
    one's place. `bind_slots` is how many passwords are checked at a time.
    """

    def __init__(
        self,
        servers: tuple[LdapServer, ...],
        tls: ssl.SSLContext,
        service: Service,
        *,
        timeout_seconds: float,
        bind_slots: int,
        clock: Callable[[], float],
        note: Note,
    ) -> None:
        self._health = tuple(_Health(server) for server in servers)
        self._tls = tls
        self._service = service
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._note = note
        self._searching: LdapConnection | None = None
        self._opening: asyncio.Task[LdapConnection] | None = None
        self._idle: list[LdapConnection] = []
        self._slots = asyncio.Semaphore(bind_slots)
        self._closed = False

    async def search(self, query: Query) -> Found:
        """What the directory holds."""
        return await self._tried(lambda: self._search(query))

    async def bind(self, name: str, password: Secret) -> Bound:
        """What the directory says to a name and password."""
        return await self._tried(lambda: self._bind(name, password))

    def close(self) -> None:
        """No connection is left open, and none is opened any more."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        for connection in (self._searching, *self._idle):
            if connection is not None:
                connection.close()
        self._idle.clear()

    async def _tried(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer, asked twice: a kept connection may have died unseen, another server may be well."""
        try:
            async with asyncio.timeout(2 * self._timeout_seconds):
                try:
                    return await question()
                except (LdapBusy, LdapResting):
                    raise
                except LdapUnavailable as first:
                    if first.stage is Stage.SEARCH and self._is_well():
                        raise  # an answer, though not the one that was wanted
                    try:
                        return await question()
                    except LdapResting:
                        raise first from None  # it says more
        except TimeoutError:
            problem = f"no answer within {2 * self._timeout_seconds:g} seconds"
            raise LdapUnavailable(Stage.CONNECTION, problem) from None

    def _is_well(self) -> bool:
        return self._searching is not None and self._searching.alive

    # searching

    async def _search(self, query: Query) -> Found:
        connection = self._searching
        if connection is None or not connection.alive:
            connection = await self._searching_connection()
        try:
            return await connection.search(query, timeout_seconds=self._timeout_seconds)
        except LdapBusy:
            raise
        except LdapUnavailable as fault:
            if not connection.alive:
                self._failed_in_use(connection, fault)
            raise

    async def _searching_connection(self) -> LdapConnection:
        """The shared connection; whoever comes while it is being opened waits for the same one.

        Not where servers failed already: a frozen one would hold up everybody.
        """
        if self._opening is not None and all(health.failures for health in self._health):
            problems = "; ".join(health.problem for health in self._health)
            raise LdapResting(Stage.CONNECTION, f"being tried again: {problems}")
        if self._opening is None:
            self._opening = asyncio.create_task(self._opened(as_service=True))
            self._opening.add_done_callback(self._has_opened)
        return await asyncio.shield(self._opening)

    def _has_opened(self, opening: asyncio.Task[LdapConnection]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._searching = opening.result()
            if self._closed:
                self._searching.close()

    # checking passwords

    async def _bind(self, name: str, password: Secret) -> Bound:
        async with self._slots:
            connection = self._kept() or await self._opened(as_service=False)
            try:
                answer = await connection.bind(name, password, timeout_seconds=self._timeout_seconds)
            except LdapUnavailable as fault:
                self._failed_in_use(connection, fault)
                raise
            finally:
                if connection.alive and connection.idle and not self._closed:
                    self._idle.append(connection)
                else:
                    connection.close()
            return answer

    def _kept(self) -> LdapConnection | None:
        """A connection from before that still serves; the one used last, so that others grow old."""
        while self._idle:
            connection = self._idle.pop()
            if connection.alive:
                return connection
        return None

    # opening

    async def _opened(self, *, as_service: bool) -> LdapConnection:
        """A new connection to the first server that gives one."""
        fault: LdapUnavailable | None = None
        for health in self._health:
            if health.failures and (health.being_tried or health.not_before > self._clock()):
                continue
            health.being_tried = True
            try:
                connection = await self._open(health.server, as_service=as_service)
            except LdapUnavailable as one:
                fault = one
                self._failed(health, one)
            else:
                self._succeeded(health)
                return connection
            finally:
                health.being_tried = False
        if fault is None:
            problems = "; ".join(health.problem for health in self._health)
            raise LdapResting(Stage.CONNECTION, f"not asked again yet: {problems}")
        raise fault

    async def _open(self, server: LdapServer, *, as_service: bool) -> LdapConnection:
        connection = await LdapConnection.open(server, self._tls, timeout_seconds=self._timeout_seconds)
        if as_service and self._service.name:
            try:
                await self._log_in(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    async def _log_in(self, connection: LdapConnection) -> None:
        service = self._service
        answer = await connection.bind(service.name, service.password, timeout_seconds=self._timeout_seconds)
        if not answer.succeeded:
            said = bind_problem(answer.code, answer.diagnostics)
            raise LdapUnavailable(Stage.BIND, f"{connection.server}: bind_user cannot log in: {said}")

    def _failed_in_use(self, connection: LdapConnection, fault: LdapUnavailable) -> None:
        """A connection died with a question on it. One that was only closed says nothing of its server."""
        self._note("directory-connection-lost", {"server": str(connection.server), "problem": str(fault)})
        if isinstance(fault, LdapSilent):
            for health in self._health:
                if health.server == connection.server and not health.failures:
                    health.failures, health.problem = 1, str(fault)
                    health.not_before = self._clock() + _PAUSES_SECONDS[0]
            self._idle = [idle for idle in self._idle if not self._drops(idle, connection.server)]

    def _drops(self, idle: LdapConnection, server: LdapServer) -> bool:
        """A kept connection to a server that has gone silent would only be waited on again."""
        if idle.server == server:
            idle.close()
            return True
        return False

    def _failed(self, health: _Health, fault: LdapUnavailable) -> None:
        pause = _PAUSES_SECONDS[min(health.failures, len(_PAUSES_SECONDS) - 1)]
        if fault.stage is Stage.BIND:
            pause = max(pause, _LOGIN_PAUSE_SECONDS)
        health.failures += 1
        health.problem = str(fault)
        health.not_before = self._clock() + pause
        self._note(
            "directory-server-failed",
            {"server": str(health.server), "problem": str(fault), "again_in_seconds": pause},
        )

    def _succeeded(self, health: _Health) -> None:
        if health.failures:
            self._note("directory-server-back", {"server": str(health.server)})
        health.failures, health.not_before = 0, 0.0
