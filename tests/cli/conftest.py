"""A working directory as `gatepost init` makes it, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.terminal import PASSWORD, Terminal
from gatepost.admin import accounts as admin
from gatepost.admin.init import RELAY_GROUP, Ports, make_directory
from gatepost.config.load import load
from gatepost.directory.password import Cost, Passwords
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

_PORTS = Ports("127.0.0.1", 2525, 2587, 2110, 2995)


@pytest.fixture(scope="session")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ann relays through Sales; bob is in no group; root and carl (administrator) are in the relay group."""
    folder = tmp_path_factory.mktemp("house") / "house"
    hostname, domain = "mail.example.org", "example.org"
    file = make_directory(
        folder, hostname=hostname, domain=domain, ports=_PORTS, next_hop="capture:outbox", by="test"
    )
    settings = load(file)
    accounts = Accounts.open(Place(settings.state).accounts)
    passwords = Passwords(slots=1, cost=Cost(memory_kib=8, passes=1))
    credential = passwords.credential(Secret(PASSWORD))
    for name in ("ann", "bob", "root", "carl"):
        administrator = name == "carl"
        admin.add_user(
            settings, accounts, name, by="test", credential=credential, administrator=administrator
        )
    accounts.groups.add("Sales", by="test")
    for group, member in (
        ("Sales", "ann"),
        (RELAY_GROUP, "Sales"),
        (RELAY_GROUP, "root"),
        (RELAY_GROUP, "carl"),
    ):
        admin.join(settings, accounts, group, member, by="test", even_so=True)
    passwords.close()
    accounts.close()
    return folder


@pytest.fixture
def house(_house: Path, tmp_path: Path) -> Path:
    """The folder, to be changed at will."""
    folder = tmp_path / "house"
    shutil.copytree(_house, folder)
    return folder


@pytest.fixture
def terminal(house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(house / "gatepost.toml", capsys, monkeypatch)
