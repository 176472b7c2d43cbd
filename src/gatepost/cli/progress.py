"""How far something long is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gatepost.store.mailimport import Progress

_LINES = 20


class Step(Protocol):
    """How much of all is done."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


S = TypeVar("S", bound=Step)


def shown(steps: Iterable[Progress], what: str) -> Progress:
    """As `watched`, counting messages: the last step; `what` is said of it, as in `ann@example.org`."""
    return watched(steps, what, lambda step: f"{_messages(step):,} messages") or Progress(0, 0)


def watched(steps: Iterable[S], what: str, note: Callable[[S], str]) -> S | None:
    """The last step. Each was shown on stderr; `what` is said of it, and its `note`: `12 messages`."""
    return _bar(steps, what, note) if sys.stderr.isatty() else _lines(steps, what, note)


def _bar(steps: Iterable[S], what: str, note: Callable[[S], str]) -> S | None:
    last: S | None = None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, note="")
        for last in steps:
            bar.update(task, completed=last.done, total=last.total, note=note(last))
    return last


def _lines(steps: Iterable[S], what: str, note: Callable[[S], str]) -> S | None:
    last: S | None = None
    said = 0
    for last in steps:
        twentieth = last.done * _LINES // last.total if last.total else _LINES
        if twentieth > said:
            said = twentieth
            percent = last.done * 100 // last.total if last.total else 100
            print(f"{what}: {percent} %, {note(last)}", file=sys.stderr, flush=True)
    return last


def _messages(step: Progress) -> int:
    return step.added + step.skipped + step.unread
