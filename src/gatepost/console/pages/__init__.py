"""All pages of the console, in no order that matters."""

from __future__ import annotations

from typing import Final

from gatepost.console.page import Page
from gatepost.console.pages.message import message
from gatepost.console.pages.queues import queues
from gatepost.console.pages.server import server
from gatepost.console.pages.sessions import sessions, sessions_of

PAGES: Final[tuple[Page, ...]] = (
    message,
    queues,
    server,
    sessions,
    sessions_of,
)
