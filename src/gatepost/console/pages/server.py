"""A virtual server: its property sheet."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.parts import dialog_frame, heading
from gatepost.console.sheet import tabs
from gatepost.console.sheet.access import AccessTab
from gatepost.console.texts import access as buttons
from gatepost.console.texts import servers as words
from gatepost.console.working import working


@page("/servers/{protocol}/{name}", "Virtual server", "{protocol}.{name}")
def server(context: Context) -> None:
    """General, Access, Messages or Mailboxes, Delivery."""
    with working(context) as bench:
        path = (context.parameters["protocol"], context.parameters["name"])
        if path[0] not in words.KIND or bench.value(path) is None:
            ui.label(words.NOT_THERE.format(server=".".join(path))).classes("gp-note warn")
            return
        _head(context, bench, path)
        _tabs(bench, path, context.query.get("tab", "general"))


def _head(context: Context, bench: Bench, path: Server) -> None:
    with ui.element("div").classes("gp-row"):
        with ui.element("div").classes("gp-grow"):
            heading(path[1], 1)
            where = ", ".join(map(str, bench.value((*path, "listen")) or ()))
            ui.label(f"{words.KIND[path[0]]}. {words.LISTENS.format(where=where)}").classes(
                "gp-quiet gp-break"
            )
        if bench.may_change:
            ui.button(words.DELETE, on_click=lambda: _delete(bench, path)).props("flat aria-haspopup=dialog")


def _tabs(bench: Bench, path: Server, chosen: str) -> None:
    names = {"general": words.GENERAL, "access": words.ACCESS}
    names |= {"messages": words.MESSAGES, "delivery": words.DELIVERY} if path[0] == "smtp" else {}
    names |= {"mailboxes": words.MAILBOXES} if path[0] == "pop3" else {}
    with ui.tabs().props("align=left no-caps inline-label outside-arrows mobile-arrows") as bar:
        for key, name in names.items():
            ui.tab(key, name)
    chosen = chosen if chosen in names else "general"
    with ui.tab_panels(bar, value=chosen, animated=False, on_change=_remember).classes("full-width"):
        with ui.tab_panel("general"):
            tabs.general(bench, path)
        with ui.tab_panel("access"):
            AccessTab(bench, path).draw()
        if path[0] == "smtp":
            with ui.tab_panel("messages"):
                tabs.messages(bench, path)
            with ui.tab_panel("delivery"):
                tabs.delivery(bench)
        else:
            with ui.tab_panel("mailboxes"):
                tabs.mailboxes(bench, path)


def _remember(event: Any) -> None:
    """The tab stands in the address, for reloading and for links."""
    ui.navigate.history.replace(f"?tab={event.value}")


def _delete(bench: Bench, path: Server) -> None:
    name = ".".join(path)
    with dialog_frame(words.DELETE_TITLE.format(server=name), narrow=True) as frame:
        with frame.body:
            ui.label(words.DELETE_TEXT)

        def delete() -> None:
            frame.dialog.close()
            draft = bench.work.draft()
            draft.delete(path)
            bench.take(draft)
            ui.navigate.to("/")

        with frame.foot:
            ui.button(buttons.CANCEL, on_click=frame.dialog.close).props("flat")
            ui.button(buttons.REMOVE, on_click=delete)
