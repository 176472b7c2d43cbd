"""A page of the console: its address, its title, its node in the tree, and what fills it.

    @page("/queues", "Queues", "queues")
    async def queues(context: Context) -> None:
        ui.label(...)

`pages/__init__.py` lists them all; `frame.py` draws what is around them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gatepost.console.context import Context

Build = Callable[[Context], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Page:
    """`path` may hold {parameters}. `node` is what the tree shows as chosen; it may hold them too."""

    path: str
    title: str
    node: str
    build: Build


def page(path: str, title: str, node: str) -> Callable[[Build], Page]:
    """Makes the page out of the function that fills it."""
    return lambda build: Page(path, title, node, build)
