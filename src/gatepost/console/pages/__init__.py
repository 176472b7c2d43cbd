"""All pages of the console, in no order that matters."""

from __future__ import annotations

from typing import Final

from gatepost.console.page import Page
from gatepost.console.pages.server import server

PAGES: Final[tuple[Page, ...]] = (server,)
