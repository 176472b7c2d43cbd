"""A working directory with a console, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.house import ConsoleHouse, served
from console.rig import Rig, make_file


@pytest.fixture(scope="session")
def _furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_file(tmp_path_factory.mktemp("console") / "house").parent


@pytest.fixture
def rig(_furnished: Path, tmp_path: Path) -> Iterator[Rig]:
    """The web application in this process; no daemon runs."""
    shutil.copytree(_furnished, tmp_path / "house")
    rig = Rig(tmp_path / "house" / "gatepost.toml")
    yield rig
    rig.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHouse]:
    """A running Gatepost with its console; what a test changes of it, it changes back."""
    with served(tmp_path_factory.mktemp("running") / "house") as house:
        yield house
