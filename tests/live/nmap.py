"""Nmap's guessing scripts, mended: as packaged (7.93) they stop themselves before they have guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SCRIPTS = Path("/usr/share/nmap/scripts")
_MENDED: Final = {
    # it says AUTH before EHLO, which every server refuses, and counts that as guesses
    "smtp-brute": (
        "ConnectionPool[coroutine.running()] = self.socket\n",
        'smtp.ehlo(self.socket, "x.example")\n',
    ),
    # after the first unknown user it says MAIL a second time, is refused, and gives up
    "smtp-enum-users": ('  status, response = smtp.query(socket, "RCPT",\n', "  issued_from = true\n"),
}


def mended(name: str, folder: Path) -> Path:
    """The script `name`, in `folder`, as its author meant it."""
    script = (_SCRIPTS / f"{name}.nse").read_text()
    before, said_first = _MENDED[name]
    assert before in script
    there = folder / f"{name}-mended.nse"
    there.write_text(script.replace(before, said_first + before, 1))
    return there
