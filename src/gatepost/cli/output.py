"""How answers are printed: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def print_json(value: object) -> None:
    """`value` on stdout, two spaces deep."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def is_terminal() -> bool:
    """Whether somebody reads what is printed, and no program."""
    return sys.stdout.isatty()


def print_table(columns: Mapping[str, str], rows: Sequence[Row], *, empty: str) -> None:
    """The rows under headings; `columns` maps keys to headings. `empty` is said when there is none.

    On a terminal a table; elsewhere tab-separated lines, whole, for other programs.
    """
    if not rows:
        print(empty)
    elif is_terminal():
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in columns.values():
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row.get(key)) for key in columns))
        Console(highlight=False, markup=False).print(table)
    else:
        for row in rows:
            print("\t".join(_cell(row.get(key)) for key in columns))


def print_fields(fields: Mapping[str, Any]) -> None:
    """One `name: value` a line, aligned; lists below each other."""
    width = max((len(name) for name in fields), default=0) + 1
    for name, value in fields.items():
        lines = _lines(value)
        print(f"{name.replace('_', ' ') + ':':<{width}} {lines[0]}")
        for line in lines[1:]:
            print(" " * (width + 1) + line)


def print_lines(lines: Iterable[str]) -> None:
    """The lines, with nothing in them that could move a cursor."""
    for line in lines:
        print(_clean(line.replace("\t", "    ")))


def local_time(text: str) -> str:
    """An ISO time as a clock on the wall of this machine shows it, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(size_bytes: int) -> str:
    """`812 B`, `4.1 kB`, `25.0 MB`: of a thousand each."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1_000:.1f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def _lines(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [_cell(one) for one in value] or ["-"]
    return [_cell(value)]


def _cell(value: object) -> str:
    """What peers said is shown as text: nothing that could move a cursor gets through."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_cell(one) for one in value) or "-"
    return _clean(str(value))


def _clean(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
