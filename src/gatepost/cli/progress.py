"""How far something long is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gatepost.store.mailimport import Progress

_LINES = 20


def shown(steps: Iterable[Progress], what: str) -> Progress:
    """The last step. Each was shown on stderr; `what` is said of it, as in `ann@example.org`."""
    return _bar(steps, what) if sys.stderr.isatty() else _lines(steps, what)


def _bar(steps: Iterable[Progress], what: str) -> Progress:
    last = Progress(0, 0)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[messages]:,} messages"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, messages=0)
        for last in steps:
            bar.update(task, completed=last.done, total=last.total, messages=_messages(last))
    return last


def _lines(steps: Iterable[Progress], what: str) -> Progress:
    last, said = Progress(0, 0), 0
    for last in steps:
        twentieth = last.done * _LINES // last.total if last.total else _LINES
        if twentieth > said:
            said = twentieth
            percent = last.done * 100 // last.total if last.total else 100
            print(f"{what}: {percent} %, {_messages(last)} messages", file=sys.stderr, flush=True)
    return last


def _messages(step: Progress) -> int:
    return step.added + step.skipped + step.unread
