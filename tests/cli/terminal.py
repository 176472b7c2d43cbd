"""The CLI as somebody at a terminal uses it, in this process."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Said:
    """What a run of the program printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """`terminal("user", "list")` runs `gatepost -c FILE user list`."""

    def __init__(
        self, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.file = file
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, given: str = "") -> Said:
        return self.bare("-c", str(self.file), *arguments, given=given)

    def bare(self, *arguments: str, given: str = "") -> Said:
        """Without the file."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as end:
            main(arguments)
        printed = self._capsys.readouterr()
        code = end.value.code
        assert isinstance(code, int)
        return Said(code, printed.out, printed.err)
