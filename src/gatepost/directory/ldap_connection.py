"""One connection to a directory server: bind and search, every wait bounded (RFC 4511).

Searches may be under way together; a bind stands alone, as RFC 4511 §4.2.1 wants it. An answer that
does not come in time, or is none, ends the connection: what is left of it could not be trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import sansldap

from gatepost.directory.ldap_fault import (
    LdapBusy,
    LdapSilent,
    LdapUnavailable,
    Stage,
    result_problem,
    tls_problem,
)
from gatepost.directory.ldap_frame import Frames, NotLdap
from gatepost.directory.ldap_server import LdapServer, Security
from gatepost.secret import Secret

_READ_BYTES: Final = 65_536
_OPEN_QUESTIONS: Final = 500
_IDLE_SECONDS: Final = 240.0  # Active Directory closes after 15 minutes, firewalls forget earlier
_SUCCESS, _SIZE_LIMIT, _NO_SUCH_OBJECT, _REFERRAL = 0, 4, 32, 10
_NOT_NOW: Final = (51, 52)
_START_TLS: Final = "1.3.6.1.4.1.1466.20037"

Scope = sansldap.SearchScope
Filter = sansldap.LDAPFilter


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; attribute names in lower case."""

    dn: str
    attributes: dict[str, tuple[bytes, ...]]

    def texts(self, attribute: str) -> tuple[str, ...]:
        """The values that are text."""
        values = self.attributes.get(attribute.lower(), ())
        return tuple(value.decode("utf-8", "replace") for value in values)

    def text(self, attribute: str) -> str:
        """The first value; empty without one."""
        return next(iter(self.texts(attribute)), "")

    def number(self, attribute: str) -> int:
        """The first value as a number; 0 when it is none."""
        try:
            return int(self.text(attribute))
        except ValueError:
            return 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found; `whole` False when there is more than was asked for."""

    entries: tuple[Entry, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Bound:
    """What the server said to a bind."""

    code: int
    diagnostics: str

    @property
    def succeeded(self) -> bool:
        return self.code == _SUCCESS


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `limit` 0 takes all there is."""

    base: str
    filter: Filter
    attributes: Sequence[str]
    scope: Scope = Scope.SUBTREE
    limit: int = 0


@dataclass(slots=True)
class _Question:
    future: asyncio.Future[sansldap.LDAPMessage]
    entries: list[Entry] = field(default_factory=list)


class LdapConnection:
    """An open connection. All questions raise LdapUnavailable when the server does not say."""

    def __init__(
        self, server: LdapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer
        self._frames = Frames()
        self._client = sansldap.LDAPClient()
        self._questions: dict[int, _Question] = {}
        self._ended: str | None = None
        self._pump: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, server: LdapServer, tls: ssl.SSLContext, *, timeout_seconds: float) -> LdapConnection:
        """A connection, encrypted as the server's `security` says, its certificate checked."""
        stage, doing = Stage.CONNECTION, "connecting took"
        try:
            async with asyncio.timeout(timeout_seconds):
                self = cls(server, *await _connected(server))
                stage, doing = Stage.TLS, "the TLS handshake took"
                await self._secure(tls)
        except TimeoutError:
            raise LdapSilent(stage, f"{server}: {doing} longer than {timeout_seconds:g} seconds") from None
        self._pump = asyncio.create_task(self._read())
        return self

    async def _secure(self, tls: ssl.SSLContext) -> None:
        host = self.server.host
        if self.server.security is Security.CLEAR:
            return
        try:
            if self.server.security is Security.START_TLS:
                await self._ask_for_tls()
            await self._writer.start_tls(tls, server_hostname=host)
        except BaseException as error:
            self._writer.transport.abort()
            if not isinstance(error, OSError):  # ssl.SSLError is one
                raise
            raise LdapUnavailable(Stage.TLS, f"{self.server}: {tls_problem(error, host)}") from None

    async def _ask_for_tls(self) -> None:
        """RFC 4511 §4.14; nothing may have come behind the answer."""
        self._client.extended_request(_START_TLS)
        self._writer.write(self._client.data_to_send())
        try:
            messages: list[bytes] = []
            while not messages:
                messages = self._frames.feed(await self._some())
            answers = self._client.receive(b"".join(messages))
        except (NotLdap, sansldap.LDAPError) as error:
            raise LdapUnavailable(Stage.TLS, f"{self.server}: StartTLS: {error}") from None
        answer = answers[0]
        if not isinstance(answer, sansldap.ExtendedResponse) or len(answers) != 1:
            raise LdapUnavailable(Stage.TLS, f"{self.server}: StartTLS: an answer that is none")
        if answer.result.result_code != _SUCCESS:
            said = result_problem(answer.result.result_code, answer.result.diagnostics_message)
            raise LdapUnavailable(Stage.TLS, f"{self.server}: StartTLS: {said}")
        self._frames = Frames()

    @property
    def alive(self) -> bool:
        return self._ended is None

    @property
    def idle(self) -> bool:
        return not self._questions

    def certificate(self) -> bytes | None:
        """The server's certificate in DER; None without TLS."""
        tls = self._writer.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(binary_form=True)

    async def bind(self, name: str, password: Secret, *, timeout_seconds: float) -> Bound:
        """What the server says to the name with the password, which is never empty.

        RFC 4513 §5.1.2: a name with an empty password would be anonymous, and a success.
        """
        if not name or not password:
            raise ValueError("a bind without a name or password")
        message = await self._ask(
            Stage.BIND, lambda: self._client.bind_simple(name, password.reveal()), timeout_seconds
        )
        if not isinstance(message, sansldap.BindResponse):
            raise self._end(Stage.BIND, "an answer to something else")
        return Bound(int(message.result.result_code), message.result.diagnostics_message)

    async def search(self, query: Query, *, timeout_seconds: float) -> Found:
        """What the server holds. Nothing found is an answer; any refusal is LdapUnavailable."""
        entries: list[Entry] = []
        message = await self._ask(
            Stage.SEARCH,
            lambda: self._client.search_request(
                query.base, query.scope, size_limit=query.limit, filter=query.filter,
                attributes=list(query.attributes),
            ),
            timeout_seconds, entries,
        )  # fmt: skip
        if not isinstance(message, sansldap.SearchResultDone):
            raise self._end(Stage.SEARCH, "an answer to something else")
        code = int(message.result.result_code)
        if code == _SIZE_LIMIT:
            return Found(tuple(entries), whole=False)
        if code == _NO_SUCH_OBJECT and query.scope is Scope.BASE:
            return Found(())
        if code != _SUCCESS:
            said = result_problem(code, message.result.diagnostics_message)
            if code in _NOT_NOW:
                raise self._end(Stage.SEARCH, said)  # another server may be well
            raise LdapUnavailable(Stage.SEARCH, f"{self.server}: {said}")
        return Found(tuple(entries))

    def close(self) -> None:
        """Ended in order; what is still asked gets no answer."""
        if self._ended is None:
            with contextlib.suppress(sansldap.LDAPError):
                self._client.unbind()
                self._writer.write(self._client.data_to_send())
            self._end(Stage.CONNECTION, "closed here")

    async def _ask(
        self,
        stage: Stage,
        request: Callable[[], int],
        timeout_seconds: float,
        entries: list[Entry] | None = None,
    ) -> sansldap.LDAPMessage:
        if self._ended is not None:
            raise LdapUnavailable(stage, f"{self.server}: {self._ended}")
        if len(self._questions) >= _OPEN_QUESTIONS:
            raise LdapBusy(stage, f"{self.server}: {len(self._questions)} questions wait for an answer")
        number = request()
        question = _Question(asyncio.get_running_loop().create_future(), [] if entries is None else entries)
        self._questions[number] = question
        self._writer.write(self._client.data_to_send())
        try:
            async with asyncio.timeout(timeout_seconds):
                return await question.future
        except TimeoutError:
            why = f"no answer within {timeout_seconds:g} seconds"
            self._end(stage, why)
            raise LdapSilent(stage, f"{self.server}: {why}") from None
        finally:
            if not question.future.done() or question.future.cancelled():
                question.future.cancel()  # who asked is gone; the answer is still to come
            else:
                self._questions.pop(number, None)

    async def _some(self) -> bytes:
        data = await self._reader.read(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data

    async def _read(self) -> None:
        try:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    data = await self._some()
                for message in self._frames.feed(data):
                    for part in self._client.receive(message):
                        self._heard(part)
        except TimeoutError:
            self._end(Stage.CONNECTION, "nothing was asked for long")
        except (NotLdap, sansldap.LDAPError, OSError) as error:
            self._end(Stage.CONNECTION, str(error) or type(error).__name__)

    def _heard(self, message: sansldap.LDAPMessage) -> None:
        question = self._questions.get(message.message_id)
        if question is None:
            return
        if isinstance(message, sansldap.SearchResultEntry):
            question.entries.append(_entry(message))
        elif not isinstance(message, sansldap.SearchResultReference):  # referrals are not followed
            del self._questions[message.message_id]
            if not question.future.done():
                question.future.set_result(message)

    def _end(self, stage: Stage, why: str) -> LdapUnavailable:
        """The connection is of no use any more; all who wait on it hear so."""
        fault = LdapUnavailable(stage, f"{self.server}: {why}")
        if self._ended is None:
            self._ended = why
            for question in self._questions.values():
                if not question.future.done():
                    question.future.set_exception(LdapUnavailable(stage, str(fault)))
            self._questions.clear()
            if self._pump is not None and self._pump is not asyncio.current_task():
                self._pump.cancel()
            self._writer.close()
            self._writer.transport.abort()
        return fault


async def _connected(server: LdapServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_connection(server.host, server.port)
    except socket.gaierror as error:
        raise LdapUnavailable(
            Stage.NAME, f"{server}: the name is not resolved: {error.strerror or error}"
        ) from None
    except OSError as error:
        # asyncio's own words name a call and a tuple
        words = os.strerror(error.errno) if error.errno else str(error)
        raise LdapUnavailable(Stage.CONNECTION, f"{server}: {words}") from None


def _entry(message: sansldap.SearchResultEntry) -> Entry:
    return Entry(
        message.object_name,
        {attribute.name.lower(): tuple(attribute.values) for attribute in message.attributes},
    )
