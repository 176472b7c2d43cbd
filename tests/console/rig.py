"""The web application over a working directory, in this process: everything but the daemon is real."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from directory.directories import CHEAP
from gatepost.admin.house import House
from gatepost.admin.init import Ports, make_directory
from gatepost.config.load import load
from gatepost.config.schema import Settings
from gatepost.console.api.app import api_app
from gatepost.console.office import Office
from gatepost.console.people import People
from gatepost.console.sessions import Sessions
from gatepost.console.web import socket_app, web_app
from gatepost.directory.password import Passwords
from gatepost.guard.guard import Guard
from gatepost.guard.post import Post
from gatepost.log import Log, LogWriter
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.attempts import Attempts
from gatepost.store.consoledb import ConsoleStore
from gatepost.store.place import Place

PASSWORD = "three plain words"
URL = "http://127.0.0.1:8025"
T = TypeVar("T")


def no_pages(app: FastAPI, office: Office) -> None:
    """The console's pages are not what is tested."""

    @app.get("/")
    async def front() -> str:
        return "front page"


class Rig:
    """`clock` may be moved: sessions live by it."""

    def __init__(self, file: Path, pages: Callable[[FastAPI, Office], None] = no_pages) -> None:
        self.settings: Settings = load(file)
        self.place = Place(self.settings.state)
        self.accounts = Accounts.open(self.place.accounts)
        self.passwords = Passwords(slots=1, cost=CHEAP)
        self.late = 0.0
        log = Log(LogWriter(sys.stderr.fileno()))
        own = Guard(self.settings.guard, clock=time.monotonic, wall=time.time, domains=self.settings.domains)
        post = Post(own, clock=time.monotonic, wall=time.time, sleep=_at_once)
        self.attempts = Attempts(self.place.attempts)
        self.attempts.start()
        self.people = People(self.settings, self.accounts, self.passwords, post, self.attempts, log, _at_once)
        store = ConsoleStore(self.place.console)
        sessions = Sessions(store, self.people, self._console, self.accounts.version, self.clock)
        house = House(file, self.place, self.accounts)
        self.office = Office(house, lambda: self.settings, self.people, sessions, store, self.passwords, log)
        self.api = api_app(self.office)
        self.web = web_app(self.office, self.api, pages)
        self.socket = socket_app(self.api)

    def clock(self) -> float:
        return time.time() + self.late

    def _console(self) -> Any:
        return self.settings.console

    def change(self, **values: Any) -> None:
        """[console] says this too."""
        console = self.settings.console
        assert console is not None
        changed = console.model_copy(update=values)
        self.settings = self.settings.model_copy(update={"console": changed})
        self.people.change(self.settings)

    def add(self, name: str, role: str = "administrator") -> None:
        """An administrator with the password."""
        kept = self.passwords.credential(Secret(PASSWORD)).password_hash
        self.accounts.administrators.add(name, role, by="test", password_hash=kept)

    def browser(self, **more: Any) -> Browser:
        return Browser(self.web, **more)

    def close(self) -> None:
        self.attempts.close()
        self.passwords.close()
        self.accounts.close()


class Browser:
    """Keeps cookies and fills forms; every call is a loop of its own."""

    def __init__(self, app: Any, peer: str = "127.0.0.1", **headers: str) -> None:
        self._app = app
        self._peer = peer
        self._headers = {"accept": "text/html", **headers}
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=(self._peer, 1))
            headers = self._headers | more.pop("headers", {})
            async with httpx.AsyncClient(
                transport=transport, base_url=URL, headers=headers, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(one())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def form(self, page: str) -> str:
        """The word that stands in the page's forms."""
        found = re.search(r'name="form" value="([^"]+)"', self.get(page).text)
        assert found is not None, page
        return found[1]

    def send(self, path: str, page: str | None = None, **fields: str) -> httpx.Response:
        """The form of `page` (or of `path` itself), sent."""
        return self.ask("POST", path, data={"form": self.form(page or path), **fields})

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        return self.send("/sign-in", name=name, password=password, **more)


async def _at_once(seconds: float) -> None:
    """No wait."""


def make_file(folder: Path) -> Path:
    """A working directory with a console."""
    return make_directory(
        folder, hostname="mail.example.org", domain="example.org",
        ports=Ports("127.0.0.1", 2525, 2587, 2110, 2995, 8025), next_hop="capture:outbox", by="test",
    )  # fmt: skip


def run(work: Awaitable[T]) -> T:
    async def wait() -> T:
        return await work

    return asyncio.run(wait())
