"""What the directory tests share: accounts in a temporary folder and a directory over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gatepost.directory.local import LocalDirectory
from gatepost.directory.password import Cost, Passwords, Proven
from gatepost.directory.recipients import LocalDomain, Recipients
from gatepost.log import Log, LogWriter
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts

DOMAINS = ("example.org", "example.net", "forward.example")
CHEAP = Cost(memory_kib=8, passes=1)


@cache
def _empty_database() -> bytes:
    """Made once: the migrations take longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "accounts.sqlite3"
        Accounts.open(path).close()
        return path.read_bytes()


def open_accounts(folder: Path, **more: Callable[[], datetime]) -> Accounts:
    """Accounts in the folder, empty unless they are there already."""
    path = folder / "accounts.sqlite3"
    if not path.exists():
        path.write_bytes(_empty_database())
    return Accounts.open(path, **more)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class House:
    """A directory and what it stands on."""

    accounts: Accounts
    passwords: Passwords
    directory: LocalDirectory
    clock: Clock
    log: Log
    log_path: Path

    def add(self, name: str, password: str | None = None, *, administrator: bool = False) -> None:
        credential = self.passwords.credential(Secret(password)) if password is not None else None
        self.accounts.users.add(
            name, domains=DOMAINS, by="test", credential=credential, administrator=administrator
        )


@contextmanager
def open_house(folder: Path, *, cost: Cost = CHEAP, postmaster: str | None = None) -> Iterator[House]:
    accounts = open_accounts(folder)
    passwords, clock = Passwords(cost=cost), Clock()
    descriptor = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = Log(LogWriter(descriptor))
    directory = LocalDirectory(
        accounts,
        passwords,
        Proven(clock),
        Recipients(
            accounts,
            [
                LocalDomain(name, forwards=name == "forward.example", postmaster=postmaster)
                for name in DOMAINS
            ],
        ),
        domains=DOMAINS[:1] + DOMAINS[2:],
        guessable=["root", "Test", "scan@example.org"],
        log=log,
    )
    try:
        yield House(accounts, passwords, directory, clock, log, folder / "log")
    finally:
        passwords.close()
        accounts.close()
        os.close(descriptor)
