"""The console, mounted: every page a route behind the sign-in."""

from __future__ import annotations

from fastapi import FastAPI
from nicegui import ui

from gatepost.console.drafts import Drafts
from gatepost.console.frame import route
from gatepost.console.office import Office
from gatepost.console.pages import PAGES
from gatepost.console.texts.frame import PRODUCT


def mount_console(app: FastAPI, office: Office) -> None:
    """The console answers at every address of `app` that nothing else answers at: mount it last.

    Requests come with a Visitor in their scope (visitor.VISITOR), or are sent to the sign-in.
    """
    drafts = Drafts(office.house.file, office.store)
    for page in PAGES:
        route(page, office, drafts)
    ui.run_with(
        app,
        title=PRODUCT,
        dark=None,
        language="en-US",
        tailwind=False,
        favicon="📮",
        show_welcome_message=False,
        reconnect_timeout=10.0,
    )
