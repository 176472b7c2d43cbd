"""Gatepost as a service: systemd's own judgement of the unit, and a start as root that ends as a user."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live import loopback
from live.gate import SOURCES
from live.program import Program, run

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-service")]
_PATHS = {"PYTHONPATH": f"{SOURCES}:{sysconfig.get_path('purelib')}"}
_MOST_EXPOSED = 2.5


@pytest.fixture
def folder() -> Iterator[Path]:
    """A working directory that other users can reach too."""
    made = Path("/tmp") / f"gatepost-service-{os.getpid()}"
    shutil.rmtree(made, ignore_errors=True)
    done = run(sys.executable, "-m", "gatepost", "init", made, "--hostname", "mail.example.org", "--domain",
               "example.org", "--address", loopback.address(25, 587, 110, 995), "--next-hop", "capture:out",
               environment=_PATHS)  # fmt: skip
    assert done.returncode == 0, done.stdout
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_the_unit_is_valid_and_hardly_exposed(require: Callable[..., None], folder: Path) -> None:
    require("systemd-analyze")
    done = run(sys.executable, "-m", "gatepost", "-c", folder / "gatepost.toml", "install-service",
               "--dry-run", "--user", "daemon", environment=_PATHS)  # fmt: skip
    unit = folder / "gatepost.service"
    unit.write_text(done.stdout)
    verified = run("systemd-analyze", "verify", unit)
    assert "gatepost.service" not in verified.stdout, verified.stdout
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).stdout
    level = re.search(r"exposure level for gatepost.service: ([0-9.]+)", said)
    assert level is not None, said
    assert float(level[1]) < _MOST_EXPOSED


def _interpreter(user: str) -> str:
    """A Python that the user may run, with all that Gatepost needs."""
    account = pwd.getpwnam(user)
    for candidate in (sys.executable, "/usr/bin/python3"):
        try:
            tried = subprocess.run(
                [candidate, "-c", "import gatepost.worker"], user=account.pw_uid, group=account.pw_gid,
                extra_groups=[], env={**os.environ, **_PATHS}, capture_output=True, check=False,
            )  # fmt: skip
        except PermissionError:
            continue
        if tried.returncode == 0:
            return candidate
    pytest.skip(f"no Python here that {user} may run together with Gatepost's packages")


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def test_a_start_as_root_ends_as_the_user(require: Callable[..., None], folder: Path) -> None:
    require("setpriv")
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    python = _interpreter("nobody")
    file = folder / "gatepost.toml"
    file.write_text('user = "nobody"\n' + file.read_text())
    command = [python, "-m", "gatepost", "-c", file]
    refused = run(*command, "run", environment=_PATHS)
    assert refused.returncode == 1
    assert f"`chown -R nobody: {folder}/state` mends it" in refused.stdout
    shutil.chown(folder / "state", "nobody")
    for path in (folder / "state").iterdir():
        shutil.chown(path, "nobody")
    unreadable = run(*command, "run", environment=_PATHS)
    assert unreadable.returncode == 1
    assert "let Gatepost's user read it" in unreadable.stdout
    for path in (folder / "certs", *(folder / "certs").iterdir()):
        shutil.chown(path, "nobody")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        (folder / "notify").chmod(0o666)
        manager.settimeout(60)
        program = Program(
            [*command, "run"], folder=folder, environment={**_PATHS, "NOTIFY_SOCKET": str(folder / "notify")}
        )
        try:
            program.wait_for_line(lambda line: line.strip() == "ready")
            assert manager.recv(4096).startswith(b"READY=1")
            (folder / "certs" / "mail.pem").touch()
            reloaded = run(*command, "reload", environment=_PATHS)
            assert reloaded.returncode == 0, reloaded.stdout
            assert manager.recv(4096).startswith(b"RELOADING=1")
            assert manager.recv(4096).startswith(b"READY=1")
            mine = _status(program.pid)
            assert "0" not in mine["Uid"].split()
            assert int(mine["CapEff"], 16) == 1 << 10  # CAP_NET_BIND_SERVICE
            workers = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
            assert workers
            assert all(int(_status(int(pid))["CapEff"], 16) == 0 for pid in workers)
            assert program.stop() == 0
            assert manager.recv(4096).startswith(b"STOPPING=1")
        finally:
            program.kill()
