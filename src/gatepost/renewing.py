"""The daemon's part of ACME: asks whether a certificate is due, and lets a process of its own fetch it.

The process gets the listening socket: port 80 or 443 is the daemon's to bind. It ends with the fetch, and
with it the libraries and what they hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from gatepost.admin.link import NotRunning, Refused
from gatepost.config.acme import Acme
from gatepost.config.schema import Settings
from gatepost.log import Log
from gatepost.server.bind import CannotListen, listening_socket
from gatepost.supervisor import Supervisor

_LOOK_SECONDS = 12 * 3_600.0
_FETCH_SECONDS = 600.0
# an authority counts failures, and refuses for long who fails often
_AGAIN_SECONDS = (3_600.0, 2 * 3_600.0, 6 * 3_600.0, 24 * 3_600.0)


class Renewing:
    """Fetches what `[acme]` of the settings in force wants. `file` is the configuration.

    `in_force` is where the text in force lies: the file may have been edited since.
    """

    def __init__(
        self,
        file: Path,
        in_force: Callable[[], Path],
        settings: Callable[[], Settings],
        workers: Supervisor,
        log: Log,
    ) -> None:
        self._file = file
        self._in_force = in_force
        self._settings = settings
        self._workers = workers
        self._log = log
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The settings are new: looks at once."""
        self._changed.set()

    async def run(self) -> None:
        """Looks twice a day and after each change, more rarely after failures, until cancelled."""
        failures = 0
        while True:
            self._changed.clear()
            tried = self._settings().acme
            fetched = tried is None or await self._fetch()
            failures = 0 if fetched else failures + 1
            pause = _LOOK_SECONDS if fetched else _AGAIN_SECONDS[min(failures, len(_AGAIN_SECONDS)) - 1]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._change(None if fetched else tried)

    async def _change(self, failed: Acme | None) -> None:
        """Returns after the next change; after a failure only when what failed is no longer wanted."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if failed is None or self._settings().acme != failed:
                return

    async def _fetch(self) -> bool:
        """Whether the certificate is as it should be; the log has what came of it."""
        acme = self._settings().acme
        assert acme is not None
        try:
            door = listening_socket(acme.door.host, acme.door.port)
        except CannotListen as problem:
            self._log.error("acme-failed", names=", ".join(acme.names), problem=str(problem))
            return False
        with door:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gatepost", "-c", str(self._file),
                "acme", "run", "--listen-fd", str(door.fileno()), "--in-force", str(self._in_force()),
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, pass_fds=[door.fileno()],
            )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(process.communicate(), _FETCH_SECONDS)
        except BaseException as ended:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if not isinstance(ended, TimeoutError):
                raise
            said = b"it took too long"
        lines = said.decode("utf-8", "replace").strip().splitlines() or [""]
        if process.returncode == 0:
            self._log.event("acme", outcome=lines[-1])
            await self._take_up()
            return True
        why = lines[-1].removeprefix("gatepost: ")
        self._log.error("acme-failed", names=", ".join(acme.names), problem=why)
        return False

    async def _take_up(self) -> None:
        with contextlib.suppress(Refused, NotRunning):
            await self._workers.ask_all("certificates-look")
