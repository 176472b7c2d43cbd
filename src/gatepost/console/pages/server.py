"""A virtual server: its property sheet."""

from __future__ import annotations

from nicegui import ui

from gatepost.console.context import Context
from gatepost.console.page import page


@page("/servers/{protocol}/{name}", "Virtual server", "{protocol}.{name}")
def server(context: Context) -> None:
    """General, Access, Messages, Delivery."""
    with ui.element("h1"):
        ui.label(context.parameters["name"])
