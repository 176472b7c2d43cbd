"""Libraries speak through our log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from gatepost.console.foreign import Foreign
from gatepost.log import Form, Log, LogWriter


def test_a_warning_and_an_exception_are_one_line_each(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = Log(LogWriter(file.fileno()), form=Form.JSON)
        library = logging.Logger("uvicorn.error")
        library.addHandler(Foreign(log))
        library.info("not heard")
        library.warning("Invalid HTTP\nrequest %s", "received.")
        try:
            raise OSError("gone\naway")
        except OSError:
            library.exception("too few %s %s", "words")
        log.flush()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(one["level"], one["event"], one["library"]) for one in lines] == [
        ("warning", "library-says", "uvicorn.error"),
        ("error", "library-says", "uvicorn.error"),
    ]
    assert lines[0]["text"] == "Invalid HTTP\nrequest received."
    assert lines[1]["text"] == "too few %s %s"
    assert lines[1]["problem"] == "OSError: gone\naway"
