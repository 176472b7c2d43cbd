"""A directory server that says what it is told to: entries, or one of the faults that servers have."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

import sansldap
from sansldap import LDAPResultCode as Result

from gatepost.directory.ldap_frame import Frames
from gatepost.directory.ldap_name import dn_key
from gatepost.directory.ldap_person import sid_bytes

BASE = "DC=corp,DC=example"
DOMAIN_SID = "S-1-5-21-1-2-3"
PASSWORD = "right"
SERVICE = "svc@corp.example"
NEVER = "9223372036854775807"


class Fault(Enum):
    NONE = "none"
    SILENT = "takes questions and says nothing"
    CLOSES = "closes in the middle of an answer"
    GARBAGE = "says what is no LDAP"
    HTTP = "speaks another language"
    HUGE = "announces a message of a gigabyte"
    SIZE_LIMIT = "says there is more than it tells"
    REFERRAL = "knows another server"
    BUSY = "is busy"
    UNEXPECTED = "answers what was not asked"


@dataclass(slots=True)
class Entry:
    """An entry; attribute names in any case."""

    dn: str
    attributes: dict[str, list[bytes]]

    def values(self, attribute: str) -> list[bytes]:
        return next((v for name, v in self.attributes.items() if name.lower() == attribute.lower()), [])


@dataclass(slots=True)
class LdapServerScript:
    """What the server has, does and has seen. `depth` is how many answers in a row a question waited for."""

    active_directory: bool = True
    fault: Fault = Fault.NONE
    entries: list[Entry] = field(default_factory=list)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    binds: list[tuple[str, str]] = field(default_factory=list)
    searches: list[sansldap.SearchRequest] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)
    port: int = 0
    gate: Callable[[], Awaitable[None]] | None = None
    most: int | None = None  # the size limit of the server

    def user(
        self, account: str, *, upn: str = "", groups: tuple[str, ...] = (), **more: str | list[str]
    ) -> str:
        """An account with PASSWORD; its DN. `groups` are SIDs."""
        dn = f"CN={account},CN=Users,{BASE}"
        number = 1000 + len(self.entries)
        attributes: dict[str, str | list[str]] = {
            "objectClass": ["top", "person", "user"], "objectCategory": "person", "sAMAccountName": account,
            "userPrincipalName": upn or f"{account}@corp.example", "userAccountControl": "512",
            "accountExpires": NEVER, "pwdLastSet": "133000000000000000", "primaryGroupID": "513", **more,
        }  # fmt: skip
        entry = self.add(dn, attributes)
        entry.attributes["objectSid"] = [sid_bytes(f"{DOMAIN_SID}-{number}")]
        entry.attributes["tokenGroups"] = [sid_bytes(sid) for sid in groups]
        return dn

    def group(self, name: str, number: int) -> str:
        """A group; its SID."""
        sid = f"{DOMAIN_SID}-{number}"
        entry = self.add(f"CN={name},CN=Users,{BASE}", {"objectClass": ["top", "group"], "cn": name})
        entry.attributes["objectSid"] = [sid_bytes(sid)]
        return sid

    def add(self, dn: str, attributes: Mapping[str, str | list[str]]) -> Entry:
        entry = Entry(
            dn,
            {
                name: [v.encode() for v in ([values] if isinstance(values, str) else values)]
                for name, values in attributes.items()
            },
        )
        self.entries.append(entry)
        return entry

    def drop_all(self) -> None:
        for writer in self.connections:
            writer.transport.abort()
        self.connections.clear()

    # answers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        frames, server = Frames(), sansldap.LDAPServer()
        try:
            while data := await reader.read(65536):
                for frame in frames.feed(data):
                    for message in server.receive(frame):
                        await self._answer(server, writer, message)
        except (sansldap.LDAPError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, server: sansldap.LDAPServer, writer: asyncio.StreamWriter, message: sansldap.LDAPMessage
    ) -> None:
        if self.fault is Fault.SILENT and not isinstance(message, sansldap.BindRequest):
            return
        if isinstance(message, sansldap.BindRequest):
            self._bind(server, message)
        elif isinstance(message, sansldap.SearchRequest):
            self.searches.append(message)
            self._search(server, message)
        data = server.data_to_send()
        is_service = isinstance(message, sansldap.BindRequest) and message.name == SERVICE
        if self.gate is not None:
            await self.gate()
        if self.fault is Fault.NONE or is_service:
            writer.write(data)
        elif self.fault in _BYTES:
            writer.write(_BYTES[self.fault])
        elif self.fault is Fault.CLOSES:
            writer.write(data[: len(data) // 2])
            writer.close()
        elif self.fault is not Fault.SILENT:
            writer.write(data)

    def _bind(self, server: sansldap.LDAPServer, message: sansldap.BindRequest) -> None:
        credential = message.authentication
        assert isinstance(credential, sansldap.SimpleCredential)
        self.binds.append((message.name, credential.password))
        code, text = (Result.SUCCESS, "")
        if message.name.lower() in self.refusals:
            number, text = self.refusals[message.name.lower()]
            code = Result(number)
        elif credential.password != PASSWORD:
            code, text = Result.INVALID_CREDENTIALS, "80090308: LdapErr: comment: error, data 52e, v1db1"
        server.bind_response(message.message_id, result_code=code, diagnostics_message=text)

    def _search(self, server: sansldap.LDAPServer, message: sansldap.SearchRequest) -> None:
        number, code = message.message_id, Result.SUCCESS
        special = {Fault.REFERRAL: Result.REFERRAL, Fault.BUSY: Result.BUSY}
        if self.fault in special and message.base_object:
            code = special[self.fault]
        elif self.fault is Fault.SIZE_LIMIT and message.base_object:
            code = Result.SIZE_LIMIT_EXCEEDED
        found = [entry for entry in self._entries(message) if matches(entry, message.filter)]
        if self.most is not None and message.base_object and len(found) > self.most:
            found, code = found[: self.most], Result.SIZE_LIMIT_EXCEEDED
        for entry in found if code in (Result.SUCCESS, Result.SIZE_LIMIT_EXCEEDED) else []:
            base_only = message.scope is sansldap.SearchScope.BASE
            wanted = [name for name in message.attributes if base_only or name != "tokenGroups"]
            server.search_result_entry(
                number, entry.dn, [sansldap.PartialAttribute(name, entry.values(name)) for name in wanted]
            )
        if code is Result.SUCCESS and message.base_object:
            server.search_result_reference(number, ["ldap://elsewhere.example/DC=elsewhere"])
        # `search_result_done` of sansldap's server forgets nothing that matters here
        server._send(
            sansldap.SearchResultDone(
                message_id=number,
                controls=[],
                result=sansldap.LDAPResult(code, "", "", ["ldap://elsewhere.example"] if code == 10 else []),
            )
        )

    def _entries(self, message: sansldap.SearchRequest) -> list[Entry]:
        if not message.base_object:
            capabilities = [b"1.2.840.113556.1.4.800"] if self.active_directory else []
            root = {"objectClass": [b"top"], "supportedCapabilities": capabilities}
            contexts = {name: [BASE.encode()] for name in ("namingContexts", "defaultNamingContext")}
            return [Entry("", {**root, **contexts})]
        base = dn_key(message.base_object)
        if message.scope is sansldap.SearchScope.BASE:
            return [entry for entry in self.entries if dn_key(entry.dn) == base]
        return [entry for entry in self.entries if dn_key(entry.dn).endswith(base)]


_BYTES = {
    Fault.GARBAGE: bytes(range(255, 0, -1)),
    Fault.HTTP: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    Fault.HUGE: b"\x30\x84\x40\x00\x00\x00\x02\x01",
    Fault.UNEXPECTED: b"\x30\x0c\x02\x01\x63\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
}


def matches(entry: Entry, filter_: sansldap.LDAPFilter) -> bool:
    """Whether the entry is meant: values are compared in any case."""
    match filter_:
        case sansldap.FilterAnd():
            return all(matches(entry, one) for one in filter_.filters)
        case sansldap.FilterOr():
            return any(matches(entry, one) for one in filter_.filters)
        case sansldap.FilterEquality():
            return filter_.value.lower() in [value.lower() for value in entry.values(filter_.attribute)]
        case sansldap.FilterPresent():
            return bool(entry.values(filter_.attribute))
    return False


@asynccontextmanager
async def running(
    script: LdapServerScript, tls: ssl.SSLContext | None = None
) -> AsyncIterator[LdapServerScript]:
    """The server listens on 127.0.0.1 at `script.port`."""
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, ssl=tls)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        script.drop_all()
