"""Root's rights are gone for good, but for ports below 1024, and not even that in what is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatepost.service.privileges import CannotDrop, become, give_up_root

_AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
# Run on its own: what is given up does not come back. The child is a program every user may run.
_PROGRAM = """
import json, os, socket, subprocess, sys
from pathlib import Path
from gatepost.service.privileges import become

def rights():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {k: v.split() for k, v in (line.split(":", 1) for line in lines)}

become("nobody", Path(sys.argv[1]))
with socket.socket() as end:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        end.bind((sys.argv[2], 25))
        bound = "yes"
    except OSError as problem:
        bound = os.strerror(problem.errno)
try:
    os.setuid(0)
    again = "root"
except PermissionError:
    again = "no"
child = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True).stdout
print(json.dumps({"mine": rights(), "bound": bound, "again": again,
                  "child": [l for l in child.splitlines() if l.startswith(("CapEff", "CapAmb", "Uid"))]}))
"""


@_AS_ROOT
def test_only_low_ports_are_left_and_children_have_nothing(tmp_path: Path) -> None:
    place = f"127.88.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
    state = Path("/tmp") / f"gatepost-test-{os.getpid()}"  # nobody can reach pytest's own folder
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(state), place], capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}, check=True,
        )  # fmt: skip
        assert state.stat().st_uid != 0
    finally:
        if state.exists():
            state.rmdir()
    said: dict[str, Any] = json.loads(done.stdout)
    assert "0" not in said["mine"]["Uid"]
    assert "0" not in said["mine"]["Gid"]
    assert int(said["mine"]["CapEff"][0], 16) & ~(1 << 10) == 0
    assert said["mine"]["NoNewPrivs"] == ["1"]
    assert said["again"] == "no"
    assert said["bound"] == "yes"
    assert [line.split()[1] for line in said["child"] if line.startswith("Cap")] == ["0" * 16] * 2


@_AS_ROOT
def test_a_state_folder_of_another_user_is_explained(tmp_path: Path) -> None:
    (tmp_path / "accounts.sqlite3").touch()
    with pytest.raises(CannotDrop, match=r"belongs to root, not to nobody; `chown -R nobody: "):
        become("nobody", tmp_path)
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(CannotDrop, match=r"accounts\.sqlite3 belongs to root"):
        become("nobody", tmp_path)


def test_a_user_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CannotDrop, match="there is no user 'nobody-here'"):
        give_up_root('user = "nobody-here"\nstate = "state"', tmp_path)


@pytest.mark.parametrize("text", ["", "user = 7\nstate = 8", "not = = toml", 'state = "state"'])
def test_a_file_that_names_no_user_changes_nothing(text: str, tmp_path: Path) -> None:
    before = os.getresuid()
    give_up_root(text, tmp_path)
    assert os.getresuid() == before
