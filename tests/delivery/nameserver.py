"""A name server on 127.0.0.1 whose answers a test writes down."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """`zone` maps (name, type) to records; a name without any is NXDOMAIN, one in `broken` SERVFAIL,
    one in `silent` gets no answer. `asked` counts the questions.
    """

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.ttl_seconds = 300
        self.asked: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name] += 1
        if name in self.silent:
            return
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        owner = question.name
        if cname := self.zone.get((name, "CNAME")):
            reply.answer.append(dns.rrset.from_text(owner, self.ttl_seconds, "IN", "CNAME", *cname))
            name, owner = cname[0].rstrip("."), dns.rrset.from_text(cname[0], 0, "IN", "A", "127.0.0.1").name
        if name in self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif not any(key[0] == name for key in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif records := self.zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(owner, self.ttl_seconds, "IN", kind, *records))
        self._transport.sendto(reply.to_wire(), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[tuple[NameServer, dns.asyncresolver.Resolver]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    resolver.lifetime = 0.3
    try:
        yield server, resolver
    finally:
        transport.close()
