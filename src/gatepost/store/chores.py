"""Slow work on files that nobody waits for, one piece after another in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatepost.store.disk import Disk
from gatepost.store.failure import Report
from gatepost.store.index import Index, index_path, write_index
from gatepost.store.outcomes import OutcomeFile, outcome_path
from gatepost.store.segment import Segment


class Chores:
    """Done in the order given: a large message's file goes only after its outcome is synced."""

    __slots__ = ("_disk", "_executor", "_loop", "_report")

    def __init__(self, disk: Disk, report: Report) -> None:
        self._disk = disk
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="spool-chores")

    async def finish(self) -> None:
        """Everything given is done, and nothing more is taken."""
        await self._loop.run_in_executor(self._executor, lambda: None)
        self._executor.shutdown()

    def seal(self, segment: Segment) -> None:
        """The segment is closed; its index goes to the disk and then out of memory."""
        segment.close()
        index = segment.index
        if index is not None:
            self._run(lambda: self._write_index(segment, index), lambda: setattr(segment, "index", None))

    def remove(self, segment: Segment) -> None:
        """The segment's files are gone. The messages first, so that no done one comes back."""
        segment.close()
        self._run(lambda: self._remove(segment), None)

    def sync_outcomes(self, files: Sequence[OutcomeFile], gone: Sequence[Path]) -> None:
        """What is in the outcome files is on the disk; after that the files `gone` are removed."""
        for file in files:
            file.is_unsynced = False
        self._run(lambda: self._sync_outcomes(files, gone), None)

    def unlink(self, path: Path) -> None:
        """The file is gone."""
        self._run(lambda: path.unlink(missing_ok=True), None)

    def _run(self, work: Callable[[], None], after: Callable[[], None] | None) -> None:
        future = self._loop.run_in_executor(self._executor, work)
        future.add_done_callback(lambda done: self._ran(done, after))

    def _ran(self, done: asyncio.Future[None], after: Callable[[], None] | None) -> None:
        error = done.exception()
        if error is not None:
            self._report("spool-chore-failed", error=error)
        elif after is not None:
            after()

    def _write_index(self, segment: Segment, index: Index) -> None:
        write_index(self._disk, segment.index_path, index, segment.key, segment.size)

    def _remove(self, segment: Segment) -> None:
        segment.path.unlink(missing_ok=True)
        self._disk.sync_folder(segment.folder)
        outcome_path(segment.folder, segment.number).unlink(missing_ok=True)
        index_path(segment.folder, segment.number).unlink(missing_ok=True)

    def _sync_outcomes(self, files: Sequence[OutcomeFile], gone: Sequence[Path]) -> None:
        for file in files:
            # Without O_CREAT: the file of a segment that was removed must not come back.
            with contextlib.suppress(FileNotFoundError):
                fd = os.open(file.path, os.O_WRONLY)
                try:
                    self._disk.sync(fd)
                finally:
                    os.close(fd)
        for path in gone:
            path.unlink(missing_ok=True)
