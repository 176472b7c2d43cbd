"""What can be done with a virtual server, at its menu button and at the right mouse button."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gatepost.console.acting import doing
from gatepost.console.context import Context
from gatepost.console.texts import servers as words
from gatepost.console.tree import server_path


def server_menu(context: Context, server: str, state: str) -> None:
    """Built inside what it belongs to: a button that opens it, and the right mouse button."""
    with (
        ui.button(icon="more_vert").props(
            f'flat dense round size=sm aria-haspopup=menu aria-label="{words.MENU_OF.format(server=server)}"'
        ),
        ui.menu(),
    ):
        _items(context, server, state)
    with ui.context_menu():
        _items(context, server, state)


def _items(context: Context, server: str, state: str) -> None:
    for verb, word, useless_when in (
        ("start", words.START, "running"),
        ("pause", words.PAUSE, "paused"),
        ("stop", words.STOP, "stopped"),
    ):
        item = ui.menu_item(word, _switching(context, server, verb)).props("role=menuitem")
        if state == useless_when or not context.acts.may(f"server-{verb}"):
            item.props("disable")
    ui.separator()
    protocol, _, name = server.partition(".")
    sheet = ui.menu_item(words.PROPERTIES, lambda: ui.navigate.to(server_path(protocol, name)))
    sheet.props("role=menuitem")
    if context.acts.may("config-apply"):
        again = ui.menu_item(
            words.RENAME, lambda: ui.navigate.to(server_path(protocol, name) + "?rename=yes")
        )
        again.props("role=menuitem")
        new = ui.menu_item(words.NEW, lambda: ui.navigate.to(f"/new-server/{protocol}"))
        new.props("role=menuitem")


def _switching(context: Context, server: str, verb: str) -> Callable[[], Awaitable[None]]:
    async def switch() -> None:
        act = getattr(context.acts.server, verb)
        done = await doing(words.SWITCHING[verb].format(server=server), lambda: act(server))
        if done is not None:
            ui.navigate.reload()

    return switch
