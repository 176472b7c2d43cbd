"""Real mail that packages ship, made ready to be sent."""

from __future__ import annotations

import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path

LINE_LIMIT = 998
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")


@dataclass(frozen=True, slots=True)
class Sample:
    """A message with CRLF line ends, and where it is from."""

    name: str
    content: bytes

    @property
    def sendable(self) -> bool:
        """It keeps RFC 5321's rules for content: no bare CR, no NUL, no line over 998 octets."""
        lines = self.content.split(b"\r\n")
        return not any(
            len(line) > LINE_LIMIT or b"\r" in line or b"\n" in line or b"\0" in line for line in lines
        )

    @property
    def well_formed(self) -> bool:
        """Its header holds fields alone, or it has none at all (RFC 5322 §2.2)."""
        lines = self.content.partition(b"\r\n\r\n")[0].split(b"\r\n")
        broken = [line for line in lines if not _FIELD.match(line) and not line.startswith((b" ", b"\t"))]
        return not broken or not _FIELD.match(lines[0])


def samples() -> list[Sample]:
    """All samples found on this machine, in a steady order."""
    return [Sample(str(path), crlf(path.read_bytes())) for path in _files()]


def sources() -> dict[str, int]:
    """How many samples each source gave: 0 tells that it is not here."""
    return {name: len(_found(folders, pattern)) for name, folders, pattern in _SOURCES}


def crlf(content: bytes) -> bytes:
    """`content` with CRLF wherever it had CRLF or LF, ended by one."""
    content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return content if content.endswith(b"\r\n") else content + b"\r\n"


_SOURCES = (
    (
        "Python's own email tests (package test, on Debian libpython3.*-testsuite)",
        (
            Path(sysconfig.get_path("stdlib"), "test", "test_email", "data"),
            *sorted(Path("/usr/lib").glob("python3.*/test/test_email/data")),
        ),
        "msg_*.txt",
    ),
    ("SpamAssassin's samples", (Path("/usr/share/doc/spamassassin/examples"),), "sample-*.txt"),
)


def _found(folders: tuple[Path, ...], pattern: str) -> list[Path]:
    """The files of the first folder that has any."""
    for folder in folders:
        if files := sorted(folder.glob(pattern)):
            return files
    return []


def _files() -> list[Path]:
    return [path for _, folders, pattern in _SOURCES for path in _found(folders, pattern)]
