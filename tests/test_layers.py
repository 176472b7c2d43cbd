"""The import order, purity and file length hold in the sources, and the checker notices when they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

import layers

SOURCES = Path(__file__).parents[1] / "src" / "gatepost"


def _tree(tmp_path: Path, files: dict[str, str]) -> Path:
    root = tmp_path / "gatepost"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def _problems(tmp_path: Path, files: dict[str, str]) -> list[str]:
    return [breach.problem for breach in layers.breaches(_tree(tmp_path, files))]


def test_the_sources_keep_the_order() -> None:
    assert [str(breach) for breach in layers.breaches(SOURCES)] == []


def test_there_are_sources_to_check() -> None:
    assert len(list(SOURCES.rglob("*.py"))) > 5


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("server/smtp.py", "from gatepost.delivery.route import route"),
        ("delivery/worker.py", "import gatepost.server.smtp"),
        ("delivery/worker.py", "from gatepost import server"),
        ("delivery/worker.py", "from ..server import smtp"),
        ("delivery/worker.py", "from .. import server"),
        ("delivery/worker.py", "def late():\n    from gatepost.server import smtp"),
        ("mail/address.py", "from gatepost.policy.facts import Facts"),
        ("smtp/server.py", "from gatepost.pop3.server import Server"),
        ("store/spool.py", "import gatepost.daemon"),
        ("worker.py", "from gatepost import daemon"),
        ("secret.py", "from gatepost.log import log"),
        ("console/page.py", "from gatepost.cli import main"),
    ],
)
def test_an_import_from_below_or_beside_is_a_breach(tmp_path: Path, file: str, line: str) -> None:
    assert any("does not stand above it" in problem for problem in _problems(tmp_path, {file: line + "\n"}))


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio",
        "import socket as s",
        "from os import path",
        "import os.path",
        "from time import monotonic",
        "import random",
        "import datetime\nx = datetime.datetime.now()",
        "from datetime import datetime, UTC\ndef f():\n    return datetime.now(UTC)",
        "x = open('/etc/passwd')",
        "import uuid\nx = uuid.uuid4()",
    ],
)
@pytest.mark.parametrize("package", sorted(layers.PURE))
def test_a_pure_package_that_waits_or_guesses_is_a_breach(tmp_path: Path, package: str, line: str) -> None:
    assert any("is pure and" in problem for problem in _problems(tmp_path, {f"{package}/x.py": line + "\n"}))


def test_a_file_of_more_than_400_lines_is_a_breach(tmp_path: Path) -> None:
    assert _problems(tmp_path, {"mail/x.py": "x = 1\n" * 400}) == []
    assert any("401 lines" in problem for problem in _problems(tmp_path, {"mail/y.py": "x = 1\n" * 401}))


def test_a_package_without_a_place_is_a_breach(tmp_path: Path) -> None:
    assert any("no place" in problem for problem in _problems(tmp_path, {"helpers/x.py": "x = 1\n"}))


def test_imports_from_above_are_no_breach(tmp_path: Path) -> None:
    files = {
        "mail/envelope.py": "from gatepost.mail.address import Address\nfrom gatepost.secret import Secret\n",
        "smtp/server.py": "from ..wire import lines\nfrom . import state\n",
        "server/smtp.py": "import asyncio\nfrom gatepost import __version__, store\n",
        "daemon.py": "from gatepost.worker import Worker\n",
        "cli/run.py": "from gatepost import daemon\n",
    }
    assert _problems(tmp_path, files) == []


def test_the_program_exits_1_on_a_breach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = _tree(tmp_path, {"mail/x.py": "import os\n"})
    assert layers.main([str(bad)]) == 1
    assert "mail is pure and imports os" in capsys.readouterr().out
    assert layers.main([str(SOURCES)]) == 0
