"""A console that hangs does not outlive its daemon."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

_HANGS = """
import os, sys, time
from gatepost.console.lifeline import hang_on
parent = os.getppid()
hang_on(parent, allowed_seconds=0.2)
print(os.getpid(), flush=True)
while True:
    time.sleep(60)
"""
_PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True).wait()
"""


def test_it_ends_with_the_process_that_started_it() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _HANGS], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        assert _runs(child)
        parent.kill()
        parent.wait()
        end = time.monotonic() + 60
        while _runs(child):
            assert time.monotonic() < end, "it is still there"
            time.sleep(0.05)
    finally:
        parent.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
