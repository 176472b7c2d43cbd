"""The self-test by itself: after the start and after each change, in a thread, one after another.

It delays nobody. What gets through is told loudly: in the log, and in the status until a later test passes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gatepost.admin.link import Value
from gatepost.admin.probe import Probe, Result
from gatepost.admin.selftest import selftest
from gatepost.admin.selftest_round import announced
from gatepost.config.schema import Settings
from gatepost.log import Log

_WAIT_SECONDS = 1.0  # changes that follow each other closely are tested together
_TOLD_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Beat:
    """What is to be tried. `listeners`: addresses by `smtp.NAME` and `pop3.NAME`."""

    settings: Settings
    listeners: Mapping[str, Sequence[str]]
    generation: int


class Patrol:
    """`ask` tells all workers of each connection before it is made, and when none follows."""

    def __init__(self, log: Log, ask: Callable[..., Value]) -> None:
        self._log = log
        self._ask = ask
        self._changed = threading.Condition()
        self._next: Beat | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._row: dict[str, Value] = {"state": "not yet run", "failed": []}

    def due(self, beat: Beat) -> None:
        """It will be tried soon; a test of what was before ends."""
        with self._changed:
            self._next = beat
            if self._thread is None:
                self._thread = threading.Thread(target=self._walk, name="selftest", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Nothing more is begun."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def row(self) -> dict[str, Value]:
        """`state` (`passed`, `failed`, `not yet run`), of which generation, when, and what got through."""
        return dict(self._row)

    def _walk(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._next is not None)
                self._changed.wait_for(lambda: self._stopped, _WAIT_SECONDS)
                beat, self._next = self._next, None
            if self._stopped or beat is None:
                return
            try:
                self._try(beat)
            except Exception as problem:  # the top of a thread
                self._log.error("selftest-broken", problem=f"{type(problem).__name__}: {problem}")

    def _try(self, beat: Beat) -> None:
        found: list[Probe] = []
        with announced(self._ask) as announce:
            for probe in selftest(beat.settings, beat.listeners, announce):
                found.append(probe)
                if self._stopped or self._next is not None:
                    return
        self._tell(beat, found)

    def _tell(self, beat: Beat, found: Sequence[Probe]) -> None:
        failed = [probe for probe in found if probe.result is Result.FAILED]
        for probe in failed[:_TOLD_AT_MOST]:
            self._log.error(
                "selftest-failed", virtual_server=probe.server, address=probe.address,
                tried=probe.name, answer=probe.detail, generation=beat.generation,
            )  # fmt: skip
        passed = sum(probe.result is Result.PASSED for probe in found)
        self._row = {
            "state": "failed" if failed else "passed",
            "generation": beat.generation,
            "at": time.time(),
            "tried": passed + len(failed),
            "failed": [f"{probe.server} {probe.address}: {probe.name}" for probe in failed],
        }
        if not failed:
            self._log.event("selftest-passed", tried=passed, generation=beat.generation)
