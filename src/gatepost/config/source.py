"""Where in a TOML file each key stands, so that every fault can name its line. TOML v1.0.0.

`tomllib` reads the values and refuses what is not TOML; it keeps no lines. This scanner walks a text
that is known to be TOML and notes the line of every table, key and array element, nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# Up to five quotes may end a multi-line string: two of them are its last characters.
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_PLAIN = re.compile(r"[^,\]}#\r\n]+")


@dataclass(frozen=True, slots=True)
class KeySpan:
    """A key as it stands in the text, from `begin` to before `end`; `path` ends with it."""

    path: KeyPath
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration file and the line of each of its keys; lines count from 1."""

    path: Path
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, key: KeyPath) -> int:
        """The line of the key, else of the nearest table around it, else 1."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line of every table, key and array element of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def key_spans(text: str) -> list[KeySpan]:
    """Each place in a valid TOML text where a key is written, in the text's order."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.spans


class _Scanner:
    """A cursor over the text; each method begins at its construct and leaves behind its end."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.spans: list[KeySpan] = []
        self._written: list[tuple[int, int]] = []
        self._text = text
        self._at = 0
        self._counted_to = 0
        self._line = 1
        self._arrays: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()

    def _header(self) -> KeyPath:
        is_array = self._text.startswith("[[", self._at)
        line = self._line_here()
        self._at += 2 if is_array else 1
        key = self._within_arrays(self._keys())
        self._blank()
        self._at += 2 if is_array else 1
        self._note((), key, line)
        if not is_array:
            return key
        index = self._arrays.get(key, -1) + 1
        self._arrays[key] = index
        self.lines[(*key, index)] = line
        return (*key, index)

    def _within_arrays(self, keys: KeyPath) -> KeyPath:
        """The path with the newest element put behind each array of tables on its way."""
        path: KeyPath = ()
        for key in keys:
            if path in self._arrays:
                path = (*path, self._arrays[path])
            path = (*path, key)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line_here()
        keys = self._keys()
        self._blank()
        self._at += 1  # the equals sign
        self._blank()
        self._note(table, keys, line)
        self._value(table + keys)

    def _keys(self) -> KeyPath:
        keys: KeyPath = ()
        self._written = []
        while True:
            self._blank()
            begin = self._at
            keys = (*keys, self._key())
            self._written.append((begin, self._at))
            self._blank()
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _key(self) -> str:
        match self._text[self._at]:
            case '"':
                return str(tomllib.loads(f"k = {self._take(_BASIC)}")["k"])
            case "'":
                return self._take(_LITERAL)[1:-1]
            case _:
                return self._take(_BARE_KEY)

    def _value(self, path: KeyPath) -> None:
        text, at = self._text, self._at
        if text[at] == "[":
            self._array(path)
        elif text[at] == "{":
            self._inline_table(path)
        elif text.startswith('"""', at):
            self._take(_LONG_BASIC)
        elif text.startswith("'''", at):
            self._take(_LONG_LITERAL)
        elif text[at] == '"':
            self._take(_BASIC)
        elif text[at] == "'":
            self._take(_LITERAL)
        else:
            self._take(_PLAIN)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        self._blank()
        while self._text[self._at] != "]":
            self.lines[(*path, index)] = self._line_here()
            self._value((*path, index))
            index += 1
            self._comma()
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._blank()
        while self._text[self._at] != "}":
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self._blank()
        if self._text[self._at] == ",":
            self._at += 1
            self._blank()

    def _blank(self) -> None:
        self._take(_BLANK)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"line {self._line_here()}: not TOML")
        self._at = found.end()
        return found.group()

    def _note(self, table: KeyPath, keys: KeyPath, line: int) -> None:
        """Notes each key on the way; the first mention of a table is its line."""
        for end in range(1, len(keys) + 1):
            self.lines.setdefault(table + keys[:end], line)
        # an array of tables has put indices between the keys, which nobody writes
        names = [end for end, key in enumerate(keys, 1) if isinstance(key, str)]
        for end, (begin, after) in zip(names, self._written, strict=True):
            self.spans.append(KeySpan(table + keys[:end], begin, after))

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line
