"""A virtual server: its property sheet."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.config.edit import EditError
from gatepost.config.renames import rename
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.fields import mark_text
from gatepost.console.page import page
from gatepost.console.parts import dialog_frame, heading
from gatepost.console.sheet import tabs
from gatepost.console.sheet.access import AccessTab
from gatepost.console.texts import access as buttons
from gatepost.console.texts import servers as words
from gatepost.console.tree import server_path
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
        if "rename" in context.query and bench.may_change:
            _rename(bench, path)


def _head(context: Context, bench: Bench, path: Server) -> None:
    with ui.element("div").classes("gp-row"):
        with ui.element("div").classes("gp-grow"):
            heading(path[1], 1)
            where = ", ".join(map(str, bench.value((*path, "listen")) or ()))
            ui.label(f"{words.KIND[path[0]]}. {words.LISTENS.format(where=where)}").classes(
                "gp-quiet gp-break"
            )
        if bench.may_change:
            again = ui.button(words.RENAME, on_click=lambda: _rename(bench, path))
            again.props("flat aria-haspopup=dialog")
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


def _rename(bench: Bench, path: Server) -> None:
    with dialog_frame(words.RENAME_TITLE.format(server=".".join(path)), narrow=True) as frame:
        with frame.body:
            ui.label(words.RENAME_TEXT)
            field = ui.input(words.NEW_NAME, value=path[1]).props("outlined dense autofocus autocomplete=off")

        def take() -> None:
            name = str(field.value or "").strip()
            draft = bench.work.draft()
            try:
                rename(draft, path, name)
            except EditError as problem:
                mark_text(field, str(problem))
                return
            frame.dialog.close()
            bench.take(draft)
            ui.navigate.to(server_path(path[0], name))

        field.on("keydown.enter", take)
        with frame.foot:
            ui.button(buttons.CANCEL, on_click=frame.dialog.close).props("flat")
            ui.button(buttons.OK, on_click=take)


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
