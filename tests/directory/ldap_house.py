"""What the tests of a directory over LDAP share: one over scripted servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from directory.directories import Clock
from directory.ldaps import PASSWORD, SERVICE, LdapServerScript
from gatepost.directory.ldap import LdapDirectory
from gatepost.directory.ldap_memory import Ages
from gatepost.directory.ldap_pool import LdapPool, Service
from gatepost.directory.ldap_server import LdapServer, Security, trust
from gatepost.directory.ldap_tree import LdapTree
from gatepost.directory.password import Proven
from gatepost.log import Log, LogWriter
from gatepost.secret import Secret
from patience import PATIENCE_SECONDS

RIGHT, WRONG = Secret(PASSWORD), Secret("wrong")
QUICK = 1.0
"""How long a silent server is waited for, in tests that have one."""


@dataclass(slots=True)
class House:
    """A directory over scripted servers, and its clock. Back-off goes by the same clock."""

    directory: LdapDirectory
    pool: LdapPool
    clock: Clock
    notes: list[tuple[str, dict[str, object]]]


@asynccontextmanager
async def house(
    *scripts: LdapServerScript,
    direct: str | None = None,
    proven: float = 60,
    slots: int = 8,
    base: str = "",
    patience: float = PATIENCE_SECONDS,
) -> AsyncIterator[House]:
    clock, notes = Clock(), list[tuple[str, dict[str, object]]]()
    pool = LdapPool(
        tuple(LdapServer("127.0.0.1", script.port, Security.CLEAR) for script in scripts),
        trust(None), Service(SERVICE, RIGHT), timeout_seconds=patience, bind_slots=slots, clock=clock,
        note=lambda event, fields: notes.append((event, fields)),
    )  # fmt: skip
    descriptor = os.open(os.devnull, os.O_WRONLY)
    directory = LdapDirectory(
        "ad",
        LdapTree(pool, base=base, house="corp", direct=direct, clock=lambda: 1_760_000_000.0),
        Proven(clock, seconds=proven),
        ages=Ages(300, 900),
        domains={"example.org": True, "plain.example": False},
        guessable=frozenset({"root", "scan@example.org"}),
        clock=clock,
        log=Log(LogWriter(descriptor)),
    )
    try:
        yield House(directory, pool, clock, notes)
    finally:
        directory.close()
        os.close(descriptor)


def corp() -> LdapServerScript:
    """bob in POP3 Relay, heidi an administrator in it too."""
    script = LdapServerScript()
    relay, admins = script.group("POP3  Relay", 1200), script.group("Domain Admins", 512)
    script.user("bob", mail="Bob@example.org", groups=(relay,),
                proxyAddresses=["SMTP:bob@example.org", "smtp:Robert@example.org", "X400:c=us"])  # fmt: skip
    script.user("heidi", groups=(relay, admins))
    script.user("Root")
    script.user("ann", upn="anna@other.example", mail="ann@example.org")
    return script


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())
