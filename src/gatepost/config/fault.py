"""What is wrong with a configuration file, so that it can be mended without asking anybody."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatepost.config.source import KeyPath, Source


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `key` is as written in TOML, empty when the file itself is meant."""

    file: Path
    line: int
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {key}{self.problem}; {self.remedy}"


class ConfigError(Exception):
    """The file cannot be used; `faults` holds everything that is wrong with it, in the file's order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Complaint:
    """A fault that has not been given its line yet."""

    path: KeyPath
    problem: str
    remedy: str

    def placed(self, source: Source) -> Fault:
        line = source.line(self.path)
        return Fault(source.path, line, written(self.path), self.problem, self.remedy)


def written(path: KeyPath) -> str:
    """The key path as one writes it: `smtp.mail.access[2].to`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += ("." if text else "") + (key if _is_bare(key) else json.dumps(key, ensure_ascii=False))
    return text


def _is_bare(key: str) -> bool:
    return bool(key) and key.isascii() and key.replace("-", "").replace("_", "").isalnum()
