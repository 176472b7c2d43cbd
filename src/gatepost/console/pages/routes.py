"""Where mail for other domains goes: `[routes."PATTERN"]`."""

from __future__ import annotations

import re
from typing import Final

from gatepost.config.schema import Route
from gatepost.console.context import Context
from gatepost.console.named import Named, show_named
from gatepost.console.page import page
from gatepost.console.table import heading
from gatepost.console.texts import pages as words
from gatepost.console.working import working

_PATTERN: Final = re.compile(r"\*|(?:\*\.)?[^\s*\"\\]+")


@page("/routes", words.ROUTES, "routes")
def routes(context: Context) -> None:
    """A panel for each."""
    with working(context) as bench:
        heading(words.ROUTES, words.ROUTES_HELP)
        show_named(bench, _ROUTES)


_ROUTES: Final = Named(
    "routes",
    Route,
    words.NO_ROUTES,
    words.ROUTE,
    words.ROUTE_HINT,
    words.ADD_ROUTE,
    fixed=(("via", "mx"),),
    pattern=_PATTERN,
    wrong=words.ROUTE_HINT,
)
