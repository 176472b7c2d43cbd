"""A running Gatepost with a console over HTTPS, asked as programs ask."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from daemon.house import House
from gatepost.admin import accounts as people
from gatepost.admin.init import RELAY_GROUP, Ports, make_directory
from gatepost.config.load import load
from gatepost.directory.password import Passwords
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.tokens import NewToken
from live import loopback

PASSWORD = "three plain words"


class ConsoleHouse(House):
    """ann relays, bob does not; `token` is an administrator's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.host = loopback.address(2525, 2587, 2110, 2995, 8443)
        ports = Ports(self.host, 2525, 2587, 2110, 2995, 8443)
        make_directory(
            folder, hostname="mail.example.org", domain="example.org", ports=ports,
            next_hop="capture:outbox", by="test",
        )  # fmt: skip
        text = self.file.read_text().replace("[console] ", '[console]\ncertificate = "default" ')
        self.file.write_text(f'workers = 1\n{text}\n[guard]\ntrusted = ["127.0.0.0/8"]\n')
        self.url = f"https://{self.host}:8443"
        self._furnish()

    def _furnish(self) -> None:
        settings, passwords = load(self.file), Passwords(slots=1)
        accounts = Accounts.open(self.place.accounts)
        credential = passwords.credential(Secret(PASSWORD))
        for name in ("ann", "bob"):
            people.add_user(settings, accounts, name, by="test", credential=credential)
        people.join(settings, accounts, RELAY_GROUP, "ann", by="test", even_so=False)
        accounts.administrators.add(
            "adam", "administrator", by="test", password_hash=credential.password_hash
        )
        _, secret = accounts.tokens.add(NewToken("test", "administrator"), by="test")
        self.token = secret.reveal()
        passwords.close()
        accounts.close()

    def start(self) -> None:
        """The console answers too."""
        super().start()
        self.wait_for_console(1)

    def wait_for_console(self, times: int) -> None:
        """It has become ready so many times."""
        self.running.wait_for(lambda lines: sum(" console-ready " in line for line in lines) >= times)

    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "certs" / "mail.pem"))
        context.check_hostname = False
        return context

    def client(self, **headers: str) -> httpx.Client:
        """A program with the token, over HTTPS."""
        said = {"authorization": f"Bearer {self.token}", **headers}
        return httpx.Client(base_url=f"{self.url}/api/v1", verify=self.trust(), headers=said, timeout=60)

    def at_socket(self) -> httpx.Client:
        """A program at the Unix socket."""
        transport = httpx.HTTPTransport(uds=str(self.place.api))
        return httpx.Client(base_url="http://gatepost/api/v1", transport=transport, timeout=60)

    def browser(self) -> httpx.Client:
        """With nothing but cookies."""
        return httpx.Client(
            base_url=self.url, verify=self.trust(), headers={"accept": "text/html"}, timeout=60
        )

    def sign_in(self, browser: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
        found = re.search(r'name="form" value="([^"]+)"', browser.get("/sign-in").text)
        assert found is not None
        return browser.post("/sign-in", data={"form": found[1], "name": name, "password": password})


@contextmanager
def served(folder: Path) -> Iterator[ConsoleHouse]:
    house = ConsoleHouse(folder)
    house.start()
    try:
        yield house
    finally:
        house.stop()


def told(answer: httpx.Response) -> Any:
    """What a good answer says."""
    assert answer.status_code < 300, answer.text
    return answer.json()
