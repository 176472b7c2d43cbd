"""New virtual server: a wizard of three steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from nicegui import ui

from gatepost.config.edit import Draft
from gatepost.config.fault import Fault, written
from gatepost.console.bench import Bench
from gatepost.console.context import Context
from gatepost.console.fields import mark
from gatepost.console.page import page
from gatepost.console.parts import heading
from gatepost.console.texts import servers as words
from gatepost.console.tree import server_path
from gatepost.console.working import working

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SAFE_AUTH: Final = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
_PORTS: Final = {"smtp": "0.0.0.0:587", "pop3": "0.0.0.0:110"}
_ANYONE: Final = "anyone"


@page("/new-server/{protocol}", words.NEW_TITLE, "{protocol}")
def new_server(context: Context) -> None:
    """Name and addresses, what it is for, ready."""
    with working(context) as bench:
        heading(words.NEW_TITLE, 1)
        protocol = context.parameters["protocol"]
        _Wizard(bench, protocol if protocol in words.PROTOCOLS else "smtp").draw()


class _Wizard:
    """Nothing is in the draft before the last step."""

    def __init__(self, bench: Bench, protocol: str) -> None:
        self._bench = bench
        self._protocol = protocol
        self._purpose = next(iter(words.PURPOSES[protocol]))

    def draw(self) -> None:
        with ui.stepper().props("vertical flat").classes("full-width") as self._steps:
            with ui.step("name", words.STEP_NAME):
                self._name_step()
            with ui.step("purpose", words.STEP_PURPOSE):
                self._purpose_step()

    def _name_step(self) -> None:
        ui.label(words.PROTOCOLS[self._protocol]).classes("gp-quiet")
        self._name = ui.input(words.NAME).props(f'outlined dense autofocus hint="{words.NAME_HINT}"')
        self._name.classes("full-width q-mb-sm").style("max-width: 420px")
        self._address = ui.input(words.ADDRESS, value=_PORTS[self._protocol])
        self._address.props(f'outlined dense hint="{words.ADDRESS_HINT}"')
        self._address.classes("full-width q-mb-md").style("max-width: 420px")
        with ui.stepper_navigation():
            ui.button(words.NEXT, on_click=self._named)

    def _named(self) -> None:
        name = (self._name.value or "").strip()
        if not _NAME.fullmatch(name):
            _wrong(self._name, words.NAME_WRONG)
        elif self._bench.value((self._protocol, name)) is not None:
            _wrong(self._name, words.NAME_TAKEN.format(name=name))
        else:
            mark(self._name, ())
            self._steps.next()

    def _purpose_step(self) -> None:
        ui.radio(words.PURPOSES[self._protocol], value=self._purpose, on_change=self._choose).props(
            f'aria-label="{words.STEP_PURPOSE}"'
        )
        self._network = ui.input(words.DEVICE_NETWORK).props(
            f'outlined dense hint="{words.DEVICE_NETWORK_HINT}"'
        )
        self._network.set_visibility(False)
        self._problem = ui.label("").classes("gp-note bad").props("role=alert")
        self._problem.set_visibility(False)
        with ui.stepper_navigation():
            ui.button(words.MAKE, on_click=self._make)
            ui.button(words.BACK, on_click=self._steps.previous).props("flat")

    def _choose(self, event: Any) -> None:
        self._purpose = str(event.value)
        self._network.set_visibility(self._purpose == "devices")

    async def _make(self) -> None:
        name = (self._name.value or "").strip()
        path = (self._protocol, name)
        table, access = _CONTENT[self._protocol, self._purpose](self._network.value or "")
        table = {"listen": [(self._address.value or "").strip()], **table}

        def edit(draft: Draft) -> None:
            for key, value in table.items():
                draft.set((*path, key), value)
            if not access:
                draft.set((*path, "access"), [])
            for entry in access:
                draft.append_access(path, entry)
            draft.space(path)

        faults = await self._bench.change(edit)
        if faults:
            self._problem.text = "; ".join(_said(fault, path) for fault in faults)
            self._problem.set_visibility(True)
            return
        ui.navigate.to(server_path(*path) + "?tab=access")


def _said(fault: Fault, path: tuple[str, str]) -> str:
    key = fault.key.removeprefix(written(path)).lstrip(".")
    return f"{key}: {fault.problem}; {fault.remedy}"


def _wrong(field: ui.input, problem: str) -> None:
    field.props["error-message"] = problem
    field.props("error")


Content = tuple[dict[str, Any], list[dict[str, Any]]]


def _internet(network: str) -> Content:
    return {"tls": "offer", "auth": []}, [{"allow": ["connect", "submit"], "to": _ANYONE}]


def _submission(network: str) -> Content:
    return {"tls": "require", "auth": _SAFE_AUTH}, [
        {"allow": ["connect"], "to": _ANYONE},
        {"allow": ["submit"], "to": "authenticated"},
    ]


def _devices(network: str) -> Content:
    return {"tls": "offer", "auth": []}, [
        {"allow": ["connect", "submit", "relay"], "to": f"net:{network.strip()}"}
    ]


def _collecting(network: str) -> Content:
    return {"tls": "require"}, [{"allow": ["connect", "collect"], "to": _ANYONE}]


def _collecting_tls(network: str) -> Content:
    return {"tls": "implicit"}, [
        {"allow": ["connect"], "to": _ANYONE},
        {"allow": ["collect"], "to": "authenticated"},
    ]


def _empty(network: str) -> Content:
    return {"tls": "offer"}, []


_CONTENT: Final[dict[tuple[str, str], Callable[[str], Content]]] = {
    ("smtp", "internet"): _internet,
    ("smtp", "submission"): _submission,
    ("smtp", "devices"): _devices,
    ("smtp", "empty"): _empty,
    ("pop3", "mail"): _collecting,
    ("pop3", "mail-tls"): _collecting_tls,
    ("pop3", "empty"): _empty,
}
