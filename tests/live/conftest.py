"""Fixtures of the live tests: an authority, Postfix, Gatepost, a sink; each on an address of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live import active_directory, gate, loopback
from live.active_directory import ActiveDirectory
from live.authority import Authority
from live.gate import Gate
from live.postfix import DAEMONS, PORT, Postfix
from live.sink import Sink

_REASON = Path(sys.prefix) / "live-packages.reason"


def why_missing(what: str) -> str:
    """The reason a test is skipped for: what is missing, and why the install step did not bring it."""
    reason = _REASON.read_text().strip() if _REASON.exists() else "`make test` installs it as root on Debian"
    return f"{what} is not installed: {reason or 'unknown why'}"


def needs(*programs: str) -> None:
    """Every one of `programs` is here, or the test is skipped with the reason."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(why_missing(program))


@pytest.fixture(scope="session")
def require() -> Callable[..., None]:
    return needs


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def make_postfix(authority: Authority) -> Iterator[Callable[..., Postfix]]:
    """Starts Postfixes; all have ended when the module's tests have."""
    started: list[Postfix] = []

    def make(*, tls: str = "may", names: tuple[str, ...] = (), trusted: Authority | None = None) -> Postfix:
        if not (DAEMONS / "master").exists():
            pytest.skip(why_missing("postfix"))
        if os.geteuid() != 0:
            pytest.skip("Postfix can only be started by root")
        host = loopback.address(PORT)
        certificate = (trusted or authority).issue(*(names or ("mx.postfix.example", host)))
        started.append(Postfix(host, certificate, tls=tls))
        return started[-1]

    yield make
    for postfix in started:
        postfix.stop()


@pytest.fixture(scope="module")
def make_sink() -> Iterator[Callable[..., Sink]]:
    """Starts sinks; nobody listens there when the module's tests have ended."""
    started: list[Sink] = []

    def make(refusals: dict[str, str] | None = None) -> Sink:
        started.append(Sink(loopback.address(), refusals))
        return started[-1]

    yield make
    for sink in started:
        sink.stop()


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the users ann and bob, made by the command line, to be copied."""
    folder = tmp_path_factory.mktemp("accounts") / "gate"
    gate.make_accounts(folder)
    return folder


@pytest.fixture(scope="module")
def make_gate(
    accounts: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Gate]]:
    """Starts Gateposts with the routes given; all have ended when the module's tests have."""
    started: list[Gate] = []

    def make(routes: str, *, workers: int | None = None) -> Gate:
        folder = tmp_path_factory.mktemp("gate") / "gate"
        made = Gate(accounts, folder, authority, routes, workers=workers)
        started.append(made)
        made.start()
        return made

    yield make
    for made in started:
        made.stop()


@pytest.fixture(scope="session")
def corp(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveDirectory]:
    """A domain controller with people in it. Tests that take it away bring it back."""
    what = active_directory.missing()
    if what is not None:
        pytest.skip(why_missing(what))
    if os.geteuid() != 0:
        pytest.skip("a domain controller can only be started by root")
    directory = ActiveDirectory(tmp_path_factory.mktemp("ad") / "dc", authority)
    directory.start()
    yield directory
    directory.stop()
