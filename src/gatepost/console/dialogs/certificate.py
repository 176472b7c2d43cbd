"""Certificate...: which certificates a virtual server shows."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from gatepost.admin.certificate import certificate_rows
from gatepost.config.fault import ConfigError
from gatepost.console.access.writing import Server
from gatepost.console.bench import Bench
from gatepost.console.dialogs.frame import AccessDialog, Origin
from gatepost.console.texts import access as words

_DEFAULT = ["default"]


async def open_certificate(bench: Bench, server: Server, origin: Origin) -> None:
    """The dialog is open."""
    dialog = AccessDialog(bench, server, origin)
    rows = await bench.context.house.work(lambda: _rows(dialog))
    path = (*server, "certificate")

    def chosen() -> list[str]:
        there = dialog.candidate.value(path)
        return _DEFAULT if there is None else [there] if isinstance(there, str) else list(there)

    async def set_names(names: list[str]) -> None:
        if not names:
            return
        dialog.candidate.set(path, names[0] if len(names) == 1 else names)
        await dialog.show()

    def ticking(name: str) -> Any:
        async def tick(event: Any) -> None:
            others = [one for one in chosen() if one != name]
            await set_names([*others, name] if event.value else others)

        return tick

    def naming(key: str) -> Any:
        async def named(event: Any) -> None:
            text = str(event.sender.value or "").strip()
            if text:
                dialog.candidate.set((*server, key), text)
            elif dialog.candidate.value((*server, key)) is not None:
                dialog.candidate.delete((*server, key))
            await dialog.show()

        return named

    def fill() -> None:
        ui.label(words.CERTIFICATES_SHOWN).classes("text-weight-bold")
        ui.label(words.CERTIFICATES_HELP).classes("gp-quiet")
        if not rows:
            ui.label(words.NO_CERTIFICATE).classes("gp-note")
        for row in rows:
            _row(row, row["name"] in chosen(), ticking(row["name"]))
        for key, label, hint in (
            ("client_ca_file", words.CLIENT_CA, words.CLIENT_CA_HINT),
            ("client_crl_file", words.CLIENT_CRL, words.CLIENT_CRL_HINT),
        ):
            field = ui.input(label, value=dialog.candidate.value((*server, key)) or "")
            field.props(f'outlined dense hint="{hint}"').on("change", naming(key)).classes(
                "q-mt-md full-width"
            )

    await dialog.open(words.CERTIFICATE_TITLE, fill)


def _rows(dialog: AccessDialog) -> list[dict[str, Any]]:
    """The certificates of the draft. Blocks."""
    try:
        return certificate_rows(dialog.candidate.settings())
    except ConfigError:
        names = dialog.candidate.value(("certificates",)) or {}
        return [{"name": name, "problem": ""} for name in names]


def _row(row: dict[str, Any], ticked: bool, tick: Any) -> None:
    with ui.element("div").classes("gp-panel"):
        ui.checkbox(row["name"], value=ticked, on_change=tick)
        if "problem" in row:
            ui.label(row["problem"]).classes("gp-bad gp-break")
        else:
            line = words.CERTIFICATE_LINE.format(
                names=", ".join(row["names"]), until=row["not_after"][:10], days=row["days_left"]
            )
            ui.label(line).classes("gp-quiet gp-break")
