"""Who is connected, as it changes, and the button that ends a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from nicegui import ui

from gatepost.admin.link import NotRunning, Refused
from gatepost.console.acting import doing
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.table import Text, empty, heading
from gatepost.console.texts import mail as words
from gatepost.console.visitor import SignedOut

Row = dict[str, Any]
_SHOWN: Final = 200
_LOOK_SECONDS: Final = 2.0


@page("/sessions", words.SESSIONS, "sessions")
async def sessions(context: Context) -> None:
    """All of them."""
    heading(words.SESSIONS, words.ABOUT_SESSIONS)
    await _Live(context, "", "").begin()


@page("/sessions/{protocol}/{name}", words.SESSIONS, "{protocol}.{name}/sessions")
async def sessions_of(context: Context) -> None:
    """Those of one virtual server."""
    protocol, name = context.parameters["protocol"], context.parameters["name"]
    heading(words.SESSIONS_OF.format(server=f"{protocol}.{name}"), words.ABOUT_SESSIONS)
    await _Live(context, protocol, name).begin()


class _Live:
    """A table that is changed where sessions came, went, or did something; the rest stays as it is."""

    def __init__(self, context: Context, protocol: str, name: str) -> None:
        self._context = context
        self._protocol = protocol
        self._name = name
        self._rows: dict[str, ui.element] = {}
        self._cells: dict[str, list[Text]] = {}

    async def begin(self) -> None:
        with ui.element("table").classes("gp-table gp-cards") as self._table:
            Text("caption", words.SESSIONS, "gp-hidden")
            with ui.element("thead"), ui.element("tr"):
                for title in _TITLES:
                    Text("th", title).props("scope=col")
                if self._may_close:
                    Text("th", words.CLOSE).props("scope=col")
            self._body = ui.element("tbody")
        self._more = Text("p", "", "gp-quiet")
        with ui.element("div") as self._nobody:
            empty(words.SESSIONS_EMPTY, words.SESSIONS_EMPTY_REMEDY)
        await self._look()
        ui.timer(_LOOK_SECONDS, self._look, immediate=False)

    @property
    def _may_close(self) -> bool:
        return self._context.acts.may("session-close")

    async def _look(self) -> None:
        try:
            found = await self._context.acts.session.all()
        except (NotRunning, Refused):
            found = []
        except SignedOut:
            ui.navigate.to("/sign-in")
            return
        wanted = [row for row in found if self._is_meant(row)]
        self._show(wanted[:_SHOWN])
        self._more.set_text(
            words.SHOWN_OF.format(shown=_SHOWN, all=len(wanted)) if len(wanted) > _SHOWN else ""
        )
        self._table.set_visibility(bool(wanted))
        self._nobody.set_visibility(not wanted)

    def _is_meant(self, row: Row) -> bool:
        return not self._name or (row["protocol"] == self._protocol and row["virtual_server"] == self._name)

    def _show(self, rows: Iterable[Row]) -> None:
        there = {row["id"]: row for row in rows}
        for gone in [one for one in self._rows if one not in there]:
            self._rows.pop(gone).delete()
            del self._cells[gone]
        for session, row in there.items():
            texts = self._texts(row)
            if session not in self._rows:
                self._add(session, texts)
            for cell, text in zip(self._cells[session], texts, strict=True):
                if cell.text != text:
                    cell.set_text(text)

    def _texts(self, row: Row) -> list[str]:
        return [
            row["id"],
            row["protocol"],
            row["virtual_server"],
            row["peer"],
            row["user"] or words.ANONYMOUS,
            row["tls"] or words.IN_CLEAR,
            self._context.local_time(row["since"]),
            str(row["messages"]),
        ]

    def _add(self, session: str, texts: list[str]) -> None:
        with self._body, ui.element("tr") as self._rows[session]:
            cells = []
            for title, text in zip(_TITLES, texts, strict=True):
                with ui.element("td") as cell:
                    cell.props["data-label"] = title
                    cells.append(Text("span", text))
            self._cells[session] = cells
            if self._may_close:
                with ui.element("td"):
                    button = ui.button(words.CLOSE, on_click=lambda: self._close(session))
                    button.props("flat dense")
                    button.props["aria-label"] = words.CLOSE_THIS.format(id=session)

    async def _close(self, session: str) -> None:
        closed = await doing(
            words.CLOSING.format(id=session), lambda: self._context.acts.session.close(session=session)
        )
        if closed is not None:
            ui.notify((words.CLOSED if closed else words.GONE).format(id=session))
            await self._look()


_TITLES: Final = (
    words.SESSION,
    words.PROTOCOL,
    words.VIRTUAL_SERVER,
    words.FROM,
    words.LOGGED_IN,
    words.TLS,
    words.SINCE,
    words.MESSAGES_TITLE,
)
