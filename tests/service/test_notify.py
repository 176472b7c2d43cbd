"""The service manager is told in datagrams, and its silence costs nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.service.notify import ServiceManager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, ServiceManager]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "n"))
        end.settimeout(10)
        yield end, ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "n")})


def test_each_state_is_one_datagram(manager: tuple[socket.socket, ServiceManager]) -> None:
    end, told = manager
    told.ready("Serving\nwell")
    assert end.recv(4096) == b"READY=1\nSTATUS=Serving well"
    told.reloading()
    first, second, third = end.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    assert second.removeprefix("MONOTONIC_USEC=").isdecimal()
    assert third.startswith("STATUS=")
    told.alive()
    assert end.recv(4096) == b"WATCHDOG=1"
    told.stopping()
    assert end.recv(4096).startswith(b"STOPPING=1")


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0gatepost-test-{os.getpid()}")
        end.settimeout(10)
        ServiceManager({"NOTIFY_SOCKET": f"@gatepost-test-{os.getpid()}"}).alive()
        assert end.recv(100) == b"WATCHDOG=1"


def test_without_a_manager_nothing_is_said(tmp_path: Path) -> None:
    ServiceManager({}).ready("x")
    assert not ServiceManager({}).is_there
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("x")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_for_the_process_it_names(environment: dict[str, str], seconds: float | None) -> None:
    assert ServiceManager(environment).watchdog_seconds == seconds
