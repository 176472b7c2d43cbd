"""What runs beside the mail: the console itself, numbers for Prometheus, ACME, Kerberos."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from gatepost.config.acme import Acme
from gatepost.config.console import Console
from gatepost.config.kerberos import Kerberos
from gatepost.config.metrics import Metrics
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.section import Section, open_button, open_section, remove, show_facts
from gatepost.console.table import Text, heading
from gatepost.console.texts import pages as tables
from gatepost.console.texts import sections as words
from gatepost.console.working import working

_SECTIONS: Final = (
    (Section(words.CONSOLE, Console, ("console",)), words.ABOUT_CONSOLE),
    (Section(words.ACME, Acme, ("acme",)), words.ABOUT_ACME),
    (Section(words.METRICS, Metrics, ("metrics",)), words.ABOUT_METRICS),
    (Section(words.KERBEROS, Kerberos, ("kerberos",)), words.ABOUT_KERBEROS),
)


@page("/services", words.SERVICES, "services")
def services(context: Context) -> None:
    """A panel for each, whether it is set up or not."""
    with working(context) as bench:
        heading(words.SERVICES, words.ABOUT_SERVICES)
        for section, about in _SECTIONS:
            _draw(bench, section, about)


def _draw(bench: Bench, section: Section, about: str) -> None:
    @ui.refreshable
    def panel() -> None:
        is_there = bench.value(section.path) is not None
        made = ui.element("section").classes("gp-panel")
        made.props["aria-label"] = section.title
        with made:
            with ui.element("div").classes("gp-row"):
                Text("h2", section.title, "gp-grow gp-break").style("margin: 0")
                if bench.may_change:
                    _buttons(is_there)
            Text("p", about, "gp-quiet")
            if is_there:
                show_facts(bench, section)
            else:
                Text("p", words.IS_OFF)

    def _buttons(is_there: bool) -> None:
        verb = words.EDIT if is_there else words.SET_UP
        open_button(verb, lambda: open_section(bench, section, panel.refresh), section.title)
        if is_there:
            button = ui.button(icon="o_delete", on_click=take_out).props("flat dense round")
            button.props["aria-label"] = tables.REMOVE.format(name=section.title)

    def take_out() -> None:
        remove(bench, section.path)
        panel.refresh()

    panel()
