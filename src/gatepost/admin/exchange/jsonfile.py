"""What `ConvertTo-Json` of PowerShell writes: in UTF-8 or UTF-16, one object or many."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.admin.exchange.plan import ImportFault

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of an export, with the line it begins in. Names of properties in lower case."""

    file: Path
    line: int
    properties: Mapping[str, Any]

    def get(self, name: str) -> Any:
        return self.properties.get(name.lower())

    def text(self, name: str) -> str:
        """A value as text; empty without one. Objects say theirs in `Name`, `Value` or the like."""
        return as_text(self.get(name))

    @property
    def origin(self) -> str:
        return f"{self.file.name}:{self.line}"

    def fault(self, name: str, problem: str) -> ImportFault:
        return ImportFault(self.file, self.line, f"{name}: {problem}", "export it again, or mend the value")


def decoded(content: bytes, file: Path) -> str:
    """The text, whatever PowerShell's redirection made of it. Raises ImportFault."""
    marked = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), None)
    if marked is not None:
        content, encoding = content[len(marked[0]) :], marked[1]
    else:
        # without a mark the zero bytes of UTF-16 tell it: the first character is ASCII
        zeros = (content[1:2] == b"\0", content[:1] == b"\0")
        encoding = {(True, False): "utf-16-le", (False, True): "utf-16-be"}.get(zeros, "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        remedy = "write it with `| Out-File -Encoding utf8`"
        raise ImportFault(file, line, f"not {encoding.upper()}", remedy) from None


def things(content: bytes, file: Path) -> list[Thing]:
    """Every object of the export. Raises ImportFault."""
    text = decoded(content, file)
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        remedy = "export it with `| ConvertTo-Json -Depth 4`, and copy it whole"
        raise ImportFault(file, error.lineno, f"not JSON: {error.msg}", remedy) from None
    except RecursionError:
        raise ImportFault(file, 1, "nested too deeply", "export it with -Depth 4") from None
    lines = _lines(text)
    return [
        Thing(file, next(lines, 1), {str(name).lower(): value for name, value in one.items()})
        for one in _objects(whole, file)
    ]


def _objects(whole: object, file: Path) -> Iterator[Mapping[str, Any]]:
    if isinstance(whole, dict) and set(whole) == {
        "value",
        "Count",
    }:  # an array as Windows PowerShell may wrap it
        whole = whole["value"]
    for one in whole if isinstance(whole, list) else [whole]:
        if not isinstance(one, dict):
            problem = f"{str(one)[:30]!r} is no object"
            raise ImportFault(file, 1, problem, "export the objects themselves, with `| ConvertTo-Json`")
        yield one


def _lines(text: str) -> Iterator[int]:
    """Where each object of the outermost array begins, or the only one."""
    deepest = 1 if text.lstrip()[:1] == "{" else 2
    depth, line, in_text, escaped = 0, 1, False, False
    for char in text:
        if char == "\n":
            line += 1
        if in_text:
            in_text = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            in_text = True
        elif char in "[{":
            depth += 1
            if char == "{" and depth == deepest:
                yield line
        elif char in "]}":
            depth -= 1


def as_text(value: Any) -> str:
    """A value that may be an object of Exchange as the text it is known by."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, dict):
        named = {str(name).lower(): one for name, one in value.items()}
        for name in ("ipaddresstostring", "expression", "rawidentity", "domain", "name", "value", "address"):
            if not isinstance(named.get(name), dict | list) and named.get(name) is not None:
                return str(named[name])
        return ""
    return str(value)


def as_list(value: Any) -> list[Any]:
    """Many values, one, or none; a text may hold many with commas between them."""
    if value is None or value == "":
        return []
    if isinstance(value, dict) and {str(name).lower() for name in value} == {"value", "count"}:
        value = next(one for name, one in value.items() if str(name).lower() == "value")
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, list) else [value]


def flags(value: Any, words: Mapping[str, int]) -> frozenset[str]:
    """The names of flags that are set, lower case: of a number, a text with commas, or a list."""
    if isinstance(value, int) and not isinstance(value, bool):
        return frozenset(word for word, bit in words.items() if bit and value & bit)
    found = {as_text(one).strip().lower() for one in as_list(value)}
    numbers = [int(one) for one in found if one.isdecimal()]
    if numbers:
        return flags(numbers[0], words)
    return frozenset(found) - {"none", ""}
