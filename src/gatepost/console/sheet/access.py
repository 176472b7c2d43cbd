"""The Access tab: the dialogs of old, the table they edit, and who could relay now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.element import Element

from gatepost.config.edit import Draft
from gatepost.console.access.writing import Server, read_entries, write_entries
from gatepost.console.bench import Bench
from gatepost.console.dangers import show_faults, show_findings
from gatepost.console.dialogs.authentication import open_authentication
from gatepost.console.dialogs.certificate import open_certificate
from gatepost.console.dialogs.communication import open_communication
from gatepost.console.dialogs.connection import open_connection
from gatepost.console.dialogs.entry import open_entry
from gatepost.console.dialogs.frame import Origin
from gatepost.console.dialogs.relay import open_relay
from gatepost.console.dialogs.users import open_users
from gatepost.console.meaning import about, answer, show_relay_now
from gatepost.console.parts import heading, progress
from gatepost.console.texts import access as words
from gatepost.policy.access import Effect, Entry
from gatepost.policy.sentence import sentence

Opens = Callable[[Bench, Server, Origin], Awaitable[None]]


class AccessTab:
    """Drawn once; its lower half anew whenever the draft changes."""

    def __init__(self, bench: Bench, server: Server) -> None:
        self._bench = bench
        self._server = server
        self._asked = 0
        self._drawn = False
        self._shown: tuple[Entry, ...] | None = None

    def draw(self) -> None:
        """What has to be asked for comes when the page is there."""
        methods = (words.AUTHENTICATION, open_authentication)
        self._group(words.ACCESS_CONTROL, words.ACCESS_CONTROL_HELP, methods)
        self._group(
            words.SECURE,
            words.SECURE_HELP,
            (words.CERTIFICATE, open_certificate),
            (words.COMMUNICATION, open_communication),
        )
        self._group(words.CONNECTION_CONTROL, words.CONNECTION_HELP, (words.CONNECTION, open_connection))
        if self._server[0] == "smtp":
            self._group(words.RELAY_CONTROL, words.RELAY_HELP, (words.RELAY, open_relay))
        else:
            self._group(words.COLLECT_CONTROL, words.COLLECT_HELP, (words.USERS, open_users))
        self._problems: Element = ui.element("div")
        heading(words.TABLE)
        ui.label(words.TABLE_HELP).classes("gp-quiet")
        self._entries: Element = ui.element("div").classes("gp-rows q-my-sm")
        if self._bench.may_change:
            adding = ui.button(words.ADD_ENTRY, on_click=self._opening(open_entry))
            adding.props("outline aria-haspopup=dialog")
        if self._server[0] == "smtp":
            heading(words.WHO)
        panel = ui.element("section").classes("gp-side").props('aria-live="polite"')
        panel.set_visibility(self._server[0] == "smtp")
        with panel:
            self._now: Element = ui.element("div")
        with self._now:
            progress(words.WORKING)
        self._table()
        self._bench.shows(self._later)
        self._later()

    def _group(self, title: str, text: str, *buttons: tuple[str, Opens]) -> None:
        panel = ui.element("div").classes("gp-panel").props(f'role=group aria-label="{title}"')
        with panel, ui.element("div").classes("gp-row"):
            with ui.element("div").classes("gp-grow"):
                ui.label(title).classes("text-weight-bold")
                ui.label(text).classes("gp-quiet")
            for label, opens in buttons:
                ui.button(label, on_click=self._opening(opens)).props("outline aria-haspopup=dialog")

    def _opening(self, opens: Opens) -> Callable[[], Awaitable[None]]:
        origin = Origin(lambda: self._bench.work.text, self._bench.take)
        return lambda: opens(self._bench, self._server, origin)

    def _later(self) -> None:
        ui.timer(0, self._show, once=True)

    async def _show(self) -> None:
        self._table()
        self._asked += 1
        mine, text = self._asked, self._bench.work.text
        seen = await self._bench.look(text)
        found = await self._bench.context.house.work(lambda: answer(self._bench, text, self._server, seen))
        if mine != self._asked or self._now.is_deleted:
            return
        self._problems.clear()
        with self._problems:
            show_faults(seen)
            show_findings(about(self._server, seen), seen)
        self._now.clear()
        with self._now:
            show_relay_now(found)

    def _table(self) -> None:
        """The entries of the draft, drawn anew when they are others."""
        entries = read_entries(self._bench.work.draft(), self._server)
        if self._drawn and entries == self._shown:
            return
        self._drawn, self._shown = True, entries
        self._entries.clear()
        with self._entries:
            if entries is None:
                ui.label(words.TABLE_BROKEN).classes("gp-note bad")
            elif not entries:
                ui.label(words.TABLE_EMPTY).classes("gp-empty")
            for entry in entries or ():
                self._entry(entry)

    def _entry(self, entry: Entry) -> None:
        said = sentence(entry)
        is_allow = entry.effect is Effect.ALLOW
        with ui.element("div").classes("gp-row"):
            ui.icon("o_check_circle" if is_allow else "o_block", size="18px").classes(
                "gp-good" if is_allow else "gp-bad"
            ).props("aria-hidden=true")
            ui.label(said).classes("gp-grow gp-break")
            if self._bench.may_change:
                button = ui.button(icon="o_delete", on_click=lambda: self._remove(entry))
                button.props("flat dense round size=sm")
                button.props["aria-label"] = words.REMOVE_ENTRY.format(sentence=said)

    def _remove(self, entry: Entry) -> None:
        draft: Draft = self._bench.work.draft()
        entries = read_entries(draft, self._server) or ()
        write_entries(draft, self._server, tuple(one for one in entries if one.line != entry.line))
        self._bench.take(draft)
