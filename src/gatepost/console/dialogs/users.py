"""Users...: for each group and user, Submit and Relay (or Collect), allowed or denied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from gatepost.console.access.grants import Grant, grants, same, with_grant, without_grant
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.dialogs.search import open_search
from gatepost.console.texts import access as words
from gatepost.policy.access import Effect, Kind, Principal, Right


async def open_users(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    await _Users(bench, server, origin).open()


class _Users:
    """Rows stay while the dialog is open, also when nothing is ticked in them any more."""

    def __init__(self, bench: Bench, server: Server, origin: Origin) -> None:
        is_smtp = server[0] == "smtp"
        self._rights = (Right.SUBMIT, Right.RELAY) if is_smtp else (Right.COLLECT,)
        self._title = words.USERS_TITLE if is_smtp else words.COLLECT_TITLE
        self._dialog = AccessDialog(bench, server, origin)
        self._rows = list(grants(self._rights, self._dialog.entries))

    async def open(self) -> None:
        await self._dialog.open(self._title, self._fill)

    def _fill(self) -> None:
        self._table = ui.element("div").classes("gp-scroll")
        self._add_button = ui.button(words.ADD_DOTS, on_click=self._search)
        self._add_button.props("outline aria-haspopup=dialog").classes("q-mt-sm")
        self._draw()

    def _draw(self) -> None:
        self._table.clear()
        with self._table:
            if not self._rows:
                ui.label(words.NO_USERS).classes("gp-empty")
                return
            with ui.element("table").classes("gp-table gp-permissions").props(f'aria-label="{self._title}"'):
                self._head()
                with ui.element("tbody"):
                    for row in self._rows:
                        self._row(row)

    def _head(self) -> None:
        with ui.element("thead"), ui.element("tr"):
            self._cell("th", words.GROUP_OR_USER).props("scope=col")
            for right in self._rights:
                for effect in (words.ALLOW, words.DENY):
                    cell = self._cell("th", f"{words.RIGHTS[right.value]}: {effect}")
                    cell.props("scope=col").classes("gp-tick")
            ui.element("td")

    def _cell(self, tag: str, text: str) -> ui.element:
        with ui.element(tag) as cell:
            ui.label(text)
        return cell

    def _row(self, row: Grant) -> None:
        name = spoken(row.to)
        with ui.element("tr"):
            self._cell("th", name).props("scope=row").classes("gp-break")
            for right in self._rights:
                for effect in Effect:
                    self._box(row, right, effect, name)
            with ui.element("td"):
                button = ui.button(icon="o_delete", on_click=lambda: self._remove(row.to))
                button.props("flat dense round size=sm")
                button.props["aria-label"] = words.REMOVE_ONE.format(name=name)

    def _box(self, row: Grant, right: Right, effect: Effect, name: str) -> None:
        ticked = right in (row.allowed if effect is Effect.ALLOW else row.denied)
        word = words.ALLOW if effect is Effect.ALLOW else words.DENY
        label = words.CELL.format(effect=word, right=words.RIGHTS[right.value], name=name)
        column = f"{words.RIGHTS[right.value]}: {word}"
        with ui.element("td").classes("gp-tick").props(f'data-label="{column}"'):
            box = ui.checkbox(value=ticked, on_change=self._ticking(row.to, right, effect)).props("dense")
            box.props["aria-label"] = label

    def _ticking(self, to: Principal, right: Right, effect: Effect) -> Callable[[Any], Any]:
        async def tick(event: Any) -> None:
            index = next(index for index, row in enumerate(self._rows) if same(row.to, to))
            old = self._rows[index]
            allowed, denied = old.allowed, old.denied
            if effect is Effect.ALLOW:
                allowed = allowed | {right} if event.value else allowed - {right}
            else:
                denied = denied | {right} if event.value else denied - {right}
            self._rows[index] = Grant(old.to, allowed, denied)
            await self._dialog.put(with_grant(self._rights, self._dialog.entries, self._rows[index]))

        return tick

    async def _remove(self, to: Principal) -> None:
        self._rows = [row for row in self._rows if not same(row.to, to)]
        self._draw()
        self._add_button.run_method("$el.focus")
        await self._dialog.put(without_grant(self._rights, self._dialog.entries, to))

    async def _search(self) -> None:
        await open_search(self._dialog.bench, self._add)

    async def _add(self, to: Principal) -> None:
        if any(same(row.to, to) for row in self._rows):
            return
        self._rows.append(Grant(to, frozenset(self._rights[:1])))
        self._draw()
        await self._dialog.put(with_grant(self._rights, self._dialog.entries, self._rows[-1]))


def spoken(to: Principal) -> str:
    """The user or group in words."""
    name = to.text.partition(":")[2] or to.name
    match to.kind:
        case Kind.GROUP:
            return words.GROUP.format(name=name)
        case Kind.USER:
            return words.USER.format(name=name)
        case _:
            return words.AUTHENTICATED_USERS
