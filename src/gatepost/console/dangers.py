"""Faults and findings as notes: what it is, the line that causes it, what to do."""

from __future__ import annotations

from collections.abc import Iterable

from nicegui import ui

from gatepost.admin.preview import Preview
from gatepost.config.fault import Fault
from gatepost.config.finding import Finding, Severity
from gatepost.console.texts import review as words


def show_faults(seen: Preview) -> None:
    """Why the text is not valid."""
    for fault in seen.faults:
        _note("bad", words.NOT_VALID, _sentence(fault), fault.remedy, fault.line, seen.line(fault.line))


def show_findings(findings: Iterable[Finding], seen: Preview) -> None:
    """What is dangerous or doubtful, errors in red."""
    for one in findings:
        is_error = one.severity is Severity.ERROR
        title = words.DANGEROUS if is_error else words.DOUBTFUL
        _note("bad" if is_error else "warn", title, one.text, one.remedy, one.line, seen.line(one.line))


def _sentence(fault: Fault) -> str:
    return f"{fault.key}: {fault.problem}" if fault.key else fault.problem


def _note(kind: str, title: str, text: str, remedy: str, number: int, line: str) -> None:
    with ui.element("div").classes(f"gp-note {kind}").props("role=alert" if kind == "bad" else "role=status"):
        ui.label(title).classes(f"text-weight-bold gp-{kind}")
        ui.label(text).classes("gp-break")
        if line:
            with ui.element("pre").classes("gp-mono"):
                ui.label(words.LINE.format(number=number, line=line))
        if remedy:
            ui.label(words.REMEDY.format(remedy=remedy)).classes("gp-quiet gp-break")
