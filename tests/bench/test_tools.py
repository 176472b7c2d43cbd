"""The benchmark's load generator and sink count right, and load nothing but this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from live import loopback

SOURCES = Path(__file__).parents[2] / "bench"

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("bench-tools")]


@dataclass(frozen=True, slots=True)
class Tools:
    """Both programs, compiled."""

    load: Path
    sink: Path


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    if not (compiler := shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("no C compiler on this machine")
    folder = tmp_path_factory.mktemp("tools")
    for name, libraries in (("load", ["-lssl", "-lcrypto"]), ("sink", [])):
        command = [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-std=gnu11", "-o", folder / name]
        compiled = subprocess.run(
            [*command, SOURCES / f"{name}.c", *libraries], capture_output=True, text=True, check=False
        )
        if "openssl/" in compiled.stderr and "No such file" in compiled.stderr:
            pytest.skip("libssl-dev is not installed")
        assert compiled.returncode == 0, compiled.stderr
    return Tools(folder / "load", folder / "sink")


class Sink:
    """A running sink that awaits the numbers 0 to 99."""

    def __init__(self, program: Path) -> None:
        self.host = loopback.address()
        self._process = subprocess.Popen(
            [program, "--listen", f"{self.host}:0", "--numbers", "200", "--expect", "0:99"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self.line().removeprefix("listening "))

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def stop(self) -> dict[str, float]:
        """The counts, once it has ended."""
        said, _ = self._process.communicate()
        return dict(json.loads(said.splitlines()[-1])) if said else {}


@pytest.fixture
def sink(tools: Tools) -> Iterator[Sink]:
    started = Sink(tools.sink)
    yield started
    started.stop()


def _load(tools: Tools, sink: Sink, *arguments: str) -> dict[str, float]:
    loaded = subprocess.run(
        [tools.load, "--to", f"{sink.host}:{sink.port}", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(loaded.stdout))


@pytest.mark.parametrize(
    "address", ["192.0.2.1:25", "10.0.0.1:25", "0.0.0.0:25", "128.0.0.1:25", "localhost:25", "127.0.0.1"]
)
def test_nothing_but_loopback_is_loaded_or_listened_on(tools: Tools, address: str) -> None:
    for command in ([tools.load, "--to", address], [tools.sink, "--listen", address]):
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 2
        assert "127." in ended.stderr


@pytest.mark.parametrize("pipelined", [[], ["--pipeline"]])
@pytest.mark.parametrize("size", ["0", "4096", "600000"])
def test_every_message_is_counted_once(
    tools: Tools, sink: Sink, tmp_path: Path, pipelined: list[str], size: str
) -> None:
    acks = tmp_path / "acks"
    told = _load(
        tools, sink, "--messages", "100", "--sessions", "7", "--per-connection", "3", "--size", size,
        "--acks", str(acks), *pipelined,
    )  # fmt: skip
    assert (told["accepted"], told["refused"], told["broken"]) == (100, 0, 0)
    assert acks.read_bytes() == b"\1" * 100
    assert sink.line() == "drained\n"
    counted = sink.stop()
    assert (counted["distinct"], counted["duplicates"], counted["missing"], counted["unnumbered"]) == (
        100,
        0,
        0,
        0,
    )


def test_what_is_missing_or_comes_twice_is_told(tools: Tools, sink: Sink) -> None:
    _load(tools, sink, "--messages", "60")
    _load(tools, sink, "--messages", "10", "--first", "50")
    counted = sink.stop()
    assert (counted["messages"], counted["distinct"], counted["duplicates"], counted["missing"]) == (
        70,
        60,
        10,
        40,
    )
