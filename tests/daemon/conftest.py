"""Daemons of the tests' own; all have ended with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.house import DOMAIN, HOSTNAME, PASSWORD, House
from directory.directories import CHEAP
from gatepost.admin import accounts as admin
from gatepost.admin.init import RELAY_GROUP, Ports, make_directory
from gatepost.config.load import load
from gatepost.directory.password import Passwords
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ann is in the relay group, bob in none."""
    folder = tmp_path_factory.mktemp("furnished") / "house"
    file = make_directory(
        folder, hostname=HOSTNAME, domain=DOMAIN, ports=Ports("127.0.0.1", 2525, 2587, 2110, 2995),
        next_hop="capture:outbox", by="test",
    )  # fmt: skip
    settings, passwords = load(file), Passwords(slots=1, cost=CHEAP)
    accounts = Accounts.open(Place(settings.state).accounts)
    credential = passwords.credential(Secret(PASSWORD))
    for name in ("ann", "bob"):
        admin.add_user(settings, accounts, name, by="test", credential=credential)
    admin.join(settings, accounts, RELAY_GROUP, "ann", by="test", even_so=False)
    passwords.close()
    accounts.close()
    return folder


@pytest.fixture
def make_house(furnished: Path, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes houses that do not run yet."""
    made: list[House] = []

    def make(*, workers: int = 1) -> House:
        made.append(House.copy(furnished, tmp_path / f"house{len(made)}", workers=workers))
        return made[-1]

    yield make
    for house in made:
        house.kill()
