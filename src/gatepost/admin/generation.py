"""Every configuration that was taken over, kept: for history, for undo, for a worker that starts anew."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Generation:
    """One configuration taken over. `at` is ISO 8601, UTC; `by` who or what did it."""

    number: int
    at: str
    by: str


class Generations:
    """The folder of texts, `N.toml`, and the list of when and by whom."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, number: int) -> Path:
        return self._folder / f"{number}.toml"

    def history(self) -> list[Generation]:
        """Oldest first. Raises OSError."""
        try:
            lines = (self._folder / "history").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [Generation(**json.loads(line)) for line in lines if line.endswith("}")]

    def text(self, number: int) -> str:
        """The file as it was. Raises FileNotFoundError, OSError."""
        return self.path(number).read_text("utf-8")

    def draft(self, text: str) -> Path:
        """A file with the text, for workers to look at before it is a generation. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / "draft.toml"
        write_whole(path, text)
        return path

    def keep(self, text: str, *, by: str, now: datetime | None = None) -> Generation:
        """`text` is the newest generation; the same text as the last one is no new generation.

        Raises OSError.
        """
        history = self.history()
        if history and self.text(history[-1].number) == text:
            return history[-1]
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = history[-1].number + 1 if history else 1
        at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        generation = Generation(number, at, by)
        write_whole(self.path(number), text)
        lines = "".join(json.dumps(asdict(one)) + "\n" for one in (*history, generation))
        write_whole(self._folder / "history", lines)
        return generation


def write_whole(path: Path, text: str) -> None:
    """The file holds all of `text` or what it held before, also after a power cut.

    One that is there keeps its mode and owner; a new one is 0600. Raises OSError.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if path.exists():
                there = path.stat()
                os.fchmod(file.fileno(), there.st_mode & 0o7777)
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), there.st_uid, there.st_gid)
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
