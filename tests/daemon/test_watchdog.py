"""The service manager hears that we are alive while all of us are, and nothing while one of us hangs."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.house import House, internet

_WATCHDOG_SECONDS = 0.9  # we speak three times as often
_SILENCE_SECONDS = 2.5


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd would listen to, and the environment in which it starts a service."""
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(place))
        monkeypatch.setenv("NOTIFY_SOCKET", str(place))
        monkeypatch.setenv("WATCHDOG_USEC", str(int(_WATCHDOG_SECONDS * 1e6)))
        yield end


def heard(manager: socket.socket, word: bytes, seconds: float = 60.0) -> bool:
    """Whether the word comes within the time; what else comes is passed over."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        manager.settimeout(left)
        try:
            if word in manager.recv(4096).split(b"\n"):
                return True
        except TimeoutError:
            break
    return False


def emptied(manager: socket.socket) -> None:
    """What was said before is heard."""
    manager.setblocking(False)
    try:
        while True:
            manager.recv(4096)
    except BlockingIOError:
        return


@pytest.mark.parametrize("who", ["daemon", "worker"])
def test_who_hangs_is_not_said_to_be_alive(
    manager: socket.socket, make_house: Callable[..., House], who: str
) -> None:
    house = make_house()
    house.write(internet())
    house.start()
    assert heard(manager, b"READY=1")
    assert heard(manager, b"WATCHDOG=1")
    (worker,) = house.worker_pids()
    hanging = house.running.pid if who == "daemon" else worker
    os.kill(hanging, signal.SIGSTOP)  # its loop does not turn any more
    try:
        heard(manager, b"WATCHDOG=1", _WATCHDOG_SECONDS / 3)  # said just before
        emptied(manager)
        assert not heard(manager, b"WATCHDOG=1", _SILENCE_SECONDS)
    finally:
        os.kill(hanging, signal.SIGCONT)
    assert heard(manager, b"WATCHDOG=1")
    assert house.stop() == 0
    assert heard(manager, b"STOPPING=1")
