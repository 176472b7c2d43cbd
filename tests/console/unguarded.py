"""The console without its sign-in, for looking at pages: python -m console.unguarded FILE PORT

Whoever asks on this loopback address is an administrator, or what the cookies
`who` and `role` say. Part of the tests alone.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from gatepost.admin.actor import Actor
from gatepost.admin.house import House
from gatepost.admin.roles import Role
from gatepost.config.load import load
from gatepost.console.console import mount_console
from gatepost.console.doors import web_server
from gatepost.console.guarded import Guarded
from gatepost.console.office import Office
from gatepost.console.visitor import VISITOR
from gatepost.log import Log, LogWriter
from gatepost.store.accounts import Accounts
from gatepost.store.consoledb import ConsoleStore
from gatepost.store.place import Place


@dataclass(frozen=True, slots=True)
class Somebody:
    """A session named by a cookie of the test's own, `who`."""

    key: str
    role: Role

    def actor(self) -> Actor:
        return Actor(self.key, self.role, via="console", peer="127.0.0.1")


def everybody(app: Any) -> Any:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            cookies = dict(scope["headers"]).get(b"cookie", b"").decode()
            said = {name: value for name, _, value in (one.partition("=") for one in cookies.split("; "))}
            role = Role(said.get("role", "administrator"))
            scope = {**scope, VISITOR: Somebody(said.get("who", "operator@example.org"), role)}
        await app(scope, receive, send)

    return behind


async def serve(file: Path, port: int) -> None:
    place = Place(load(file).state)
    house, log = House(file, place, Accounts.open(place.accounts)), Log(LogWriter(sys.stderr.fileno()))
    nothing: Any = None  # what belongs to the sign-in is not here
    store = ConsoleStore(place.console)
    office = Office(house, house.settings, nothing, nothing, store, nothing, log)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    mount_console(app, office)
    app.add_middleware(Guarded, names=lambda: ())
    door = socket.create_server(("127.0.0.1", port))
    print(f"listening {door.getsockname()[1]}", flush=True)
    await web_server(everybody(app), None).serve([door])


if __name__ == "__main__":
    os.chdir(Path(sys.argv[1]).parent)
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
