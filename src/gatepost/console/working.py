"""Around a page that edits the draft: the bench, and the bar below."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from gatepost.console.bar import bar
from gatepost.console.bench import Bench
from gatepost.console.context import Context


@contextmanager
def working(context: Context) -> Iterator[Bench]:
    """What is made inside stands above the bar. Raises ConfigError when there is no file to read."""
    bench = Bench(context)
    with ui.element("div"):
        yield bench
    bar(bench)
