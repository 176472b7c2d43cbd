"""The file, read whole: either `Settings`, or every fault in it at once with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatepost.config.fault import ConfigError, Fault
from gatepost.config.files import file_complaints
from gatepost.config.model import LINE, SOURCE
from gatepost.config.rules import complaints
from gatepost.config.salvage import salvaged
from gatepost.config.schema import Settings
from gatepost.config.source import Source, key_lines

__all__ = ["ConfigError", "Fault", "load", "load_text", "read_text"]

# A configuration file is some kilobytes; a device or a disk image is not one.
_LARGEST_BYTES = 4 * 1024 * 1024


def load(path: Path) -> Settings:
    """The settings in the file.

    Raises:
        ConfigError: with all faults, when there is any.
    """
    path = path.absolute()
    return load_text(read_text(path), path)


def read_text(path: Path) -> str:
    """The text of the file.

    Raises:
        ConfigError: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError(
            [Fault(path, 0, "", problem, "name the file with -c, or mend its permissions")]
        ) from None
    if len(content) > _LARGEST_BYTES:
        raise ConfigError([Fault(path, 0, "", "is larger than 4 MiB", "name a configuration file")])
    return _decoded(content, path)


def load_text(text: str, path: Path) -> Settings:
    """The settings in a text that stands, or is going to stand, in the file `path`.

    Raises:
        ConfigError: with all faults, when there is any.
    """
    try:
        return _loaded(text, path)
    except RecursionError:
        raise ConfigError([Fault(path, 1, "", "is nested too deeply", "mend the file")]) from None


def _loaded(text: str, path: Path) -> Settings:
    raw = _parsed(text, path)
    source = Source(path, key_lines(text))
    found, settings = salvaged(_with_lines(raw, source))
    faults = found.complaints
    if settings is not None:
        compared = [*complaints(settings, raw), *file_complaints(settings)]
        faults += [complaint for complaint in compared if not found.taints(complaint.path)]
    if faults or settings is None:
        raise ConfigError(complaint.placed(source) for complaint in dict.fromkeys(faults))
    return settings


def _decoded(content: bytes, path: Path) -> str:
    try:
        # A byte order mark is what some editors on Windows begin a file with; TOML has none.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Fault(path, line, "", "is not UTF-8", "save the file as UTF-8")]) from None


_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)")


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.fullmatch(str(error))
        problem, line = (place[1], place[2]) if place else (str(error), None)
        number = int(line) if line else text.count("\n") + 1
        fault = Fault(path, number, "", f"not valid TOML: {problem}", "mend the line")
        raise ConfigError([fault]) from None


def _with_lines(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """A copy in which each access row knows its line, and the whole knows its file."""
    copy: dict[str, Any] = {**raw, SOURCE: source}
    for protocol in ("smtp", "pop3"):
        if isinstance(raw.get(protocol), Mapping):
            copy[protocol] = {
                name: _with_row_lines(server, source, (protocol, name))
                for name, server in raw[protocol].items()
            }
    return copy


def _with_row_lines(server: Any, source: Source, path: tuple[str, ...]) -> Any:
    if not isinstance(server, Mapping) or not isinstance(server.get("access"), list):
        return server
    rows = [
        {**row, LINE: source.line((*path, "access", index))} if isinstance(row, Mapping) else row
        for index, row in enumerate(server["access"])
    ]
    return {**server, "access": rows}
