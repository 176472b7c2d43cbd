"""Communication...: whether the channel must be encrypted, and how old TLS may be."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.config.servers import TLS_VERSIONS
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.texts import access as words

_DEFAULT_OLDEST = "1.2"


async def open_communication(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    dialog = AccessDialog(bench, server, origin)

    async def channel(event: Any) -> None:
        dialog.candidate.set((*server, "tls"), str(event.value))
        await dialog.show()

    async def oldest(event: Any) -> None:
        path = (*server, "tls_min")
        if event.value != _DEFAULT_OLDEST:
            dialog.candidate.set(path, str(event.value))
        elif dialog.candidate.value(path) is not None:
            dialog.candidate.delete(path)
        await dialog.show()

    def fill() -> None:
        value = dialog.candidate.value
        ui.label(words.CHANNEL).props('id="channel"').classes("text-weight-bold")
        ui.radio(words.TLS_MODES, value=value((*server, "tls")) or "offer", on_change=channel).props(
            'aria-labelledby="channel"'
        )
        ui.select(
            list(TLS_VERSIONS),
            label=words.OLDEST,
            value=value((*server, "tls_min")) or _DEFAULT_OLDEST,
            on_change=oldest,
        ).props("outlined dense").style("width: 220px").classes("q-mt-md")
        ui.label(words.OLDEST_HELP).classes("gp-quiet")

    await dialog.open(words.COMMUNICATION_TITLE, fill)
