"""A real program, started for a test and ended with it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_SECONDS = 120.0
"""How long a program may take to get ready on a busy machine; no test waits it out when all is well."""


class ProgramFailed(AssertionError):
    """The program ended, or did not say what was awaited; the text holds what it said."""


class Program:
    """A running program. It dies with this process, whatever happens (parent death signal)."""

    def __init__(
        self, arguments: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        self.arguments = [str(argument) for argument in arguments]
        self.process = subprocess.Popen(
            [*guard, *self.arguments],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._lines: list[str] = []
        self._ended = False
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        """Everything said up to now."""
        with self._said:
            return "".join(self._lines)

    def wait_for(self, holds: Callable[[list[str]], bool], seconds: float = START_SECONDS) -> None:
        """`holds` is true of the lines said up to now.

        Raises: ProgramFailed when the program ends or the time is up before.
        """
        with self._said:
            self._said.wait_for(lambda: self._ended or holds(self._lines), seconds)
            if not holds(self._lines):
                raise ProgramFailed(f"{self.arguments[0]} did not say it:\n{''.join(self._lines)}")

    def wait_for_line(self, wanted: Callable[[str], bool], seconds: float = START_SECONDS) -> str:
        """The first line for which `wanted` holds, once it was said.

        Raises: ProgramFailed when the program ends or the time is up before.
        """
        self.wait_for(lambda lines: any(map(wanted, lines)), seconds)
        with self._said:
            return next(filter(wanted, self._lines))

    def wait_for_port(self, host: str, port: int, seconds: float = START_SECONDS) -> None:
        """The program (or a child of it) accepts connections at host:port.

        Raises: ProgramFailed when it ends or the time is up before.
        """
        step = 0.02
        for _ in range(int(seconds / step)):
            try:
                socket.create_connection((host, port), timeout=seconds).close()
                return
            except OSError:
                pass
            try:
                self.process.wait(step)  # between two tries; tells at once when there is nothing to wait for
            except subprocess.TimeoutExpired:
                continue
            break
        raise ProgramFailed(f"{self.arguments[0]} does not listen at {host}:{port}:\n{self.output}")

    def stop(self, seconds: float = START_SECONDS) -> int:
        """The program has ended after SIGTERM (SIGKILL if it would not); its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ProgramFailed(f"{self.arguments[0]} did not end on SIGTERM:\n{self.output}") from None
        self._close()
        return status

    def kill(self) -> None:
        """The program and all it started are gone, without a chance to put anything in order."""
        for pid in [self.pid, *descendants(self.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(START_SECONDS)  # a grandchild may hold the pipe a moment longer
        if self.process.stdout and not self._reader.is_alive():
            self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self._lines.append(line)
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()


def descendants(pid: int) -> list[int]:
    """Every process that `pid` started, and theirs."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in tasks.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def run(
    *arguments: str | Path, given: str | bytes | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The program has read `given` and run to its end; both outputs together, and its exit status."""
    return subprocess.run(
        [str(argument) for argument in arguments],
        input=given.decode("utf-8", "surrogateescape") if isinstance(given, bytes) else given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="surrogateescape",
        timeout=500,
        check=False,
        env={**os.environ, **(environment or {})},
    )
