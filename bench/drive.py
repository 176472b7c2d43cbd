"""The load generator and the sink, driven from Python."""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from live import loopback
from peers import PASSWORD, PORT, USER, Peer

HERE = Path(__file__).parent
LOAD, SINK = HERE / "build" / "load", HERE / "build" / "sink"


@dataclass(frozen=True, slots=True)
class Work:
    """How the load is given."""

    name: str
    messages: int
    sessions: int = 50
    per_connection: int = 10
    size_bytes: int = 4096
    pipelined: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one load on one server."""

    drained_per_second: float
    cpu_us_per_message: float
    p50_ms: float
    p99_ms: float
    lost: int
    duplicates: int
    refused: int


class Stalled(RuntimeError):
    """Messages did not reach the sink within the time."""


class Sink:
    """The C sink; numbers go on from load to load, so that one sink serves a whole run."""

    def __init__(self, numbers: int) -> None:
        host = loopback.address()
        self._process = subprocess.Popen(
            [SINK, "--listen", f"{host}:0", "--numbers", str(numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.address = f"{host}:{self._said.get(timeout=30).split()[1]}"
        self.next_number = 0

    def expect(self, count: int) -> int:
        """The sink awaits the next `count` numbers; the first of them."""
        first, self.next_number = self.next_number, self.next_number + count
        self._write(f"expect {first}:{self.next_number - 1}")
        return first

    def wait_drained(self, seconds: float) -> None:
        """All that was expected has come.

        Raises: Stalled.
        """
        try:
            while self._said.get(timeout=seconds) != "drained":
                pass
        except queue.Empty:
            raise Stalled(f"not drained within {seconds} s") from None

    def state(self) -> dict[str, float]:
        """The counts up to now."""
        self._write("state")
        while not (line := self._said.get(timeout=30)).startswith("{"):
            pass
        return dict(json.loads(line))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line.strip())


def load_arguments(peer: Peer, work: Work) -> list[str | Path]:
    """The load generator's command line for `work` on `peer`."""
    return [
        LOAD, "--to", f"{peer.host}:{PORT}", "--tls", "starttls",
        "--auth", f"{USER}:{PASSWORD}", "--from", USER,
        "--sessions", str(work.sessions), "--messages", str(work.messages), "--size", str(work.size_bytes),
        "--per-connection", str(work.per_connection), *(["--pipeline"] if work.pipelined else []),
    ]  # fmt: skip


def measure(peer: Peer, sink: Sink, work: Work, *, patience_seconds: float = 120) -> Figures:
    """`work` was done by `peer` and everything it took has reached `sink`, or is counted as lost."""
    first, before = sink.expect(work.messages), sink.state()
    with tempfile.NamedTemporaryFile(prefix="gatepost-acks-") as acks:
        cpu = peer.account.seconds()
        arguments = [*load_arguments(peer, work), "--first", str(first), "--acks", acks.name]
        loaded = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if loaded.returncode:
            raise RuntimeError(loaded.stderr)
        told = json.loads(loaded.stdout)
        lost = 0
        try:
            sink.wait_drained(patience_seconds)
        except Stalled:
            lost = int(sink.state()["missing"]) - Path(acks.name).read_bytes().count(0)
        cpu = peer.account.seconds() - cpu
    after = sink.state()
    arrived = after["distinct"] - before["distinct"]
    return Figures(
        drained_per_second=arrived / (after["last_new"] - told["began"]),
        cpu_us_per_message=cpu / max(arrived, 1) * 1e6,
        p50_ms=told["message_ms"]["p50"],
        p99_ms=told["message_ms"]["p99"],
        lost=lost,
        duplicates=int(after["duplicates"] - before["duplicates"]),
        refused=int(told["refused"]) + int(told["broken"]),
    )
