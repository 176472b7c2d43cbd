"""Every configuration that was taken over, kept: for history, for undo, for a worker that starts anew."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatepost.wholefile import replace_file


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
        replace_file(path, text.encode())
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
        replace_file(self.path(number), text.encode())
        lines = "".join(json.dumps(asdict(one)) + "\n" for one in (*history, generation))
        replace_file(self._folder / "history", lines.encode())
        return generation
