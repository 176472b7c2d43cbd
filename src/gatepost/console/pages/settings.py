"""Settings: what holds for the whole house."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from nicegui import ui

from gatepost.config.schema import Limits, Settings
from gatepost.console.context import Context
from gatepost.console.described import keys_of
from gatepost.console.fields import fields
from gatepost.console.page import page
from gatepost.console.parts import heading
from gatepost.console.texts import pages as words
from gatepost.console.working import working

_ELSEWHERE: Final = ("limits", "guard", "console", "metrics", "acme", "kerberos")
"""Tables that have a page or a part of the page of their own."""


@page("/settings", words.SETTINGS, "settings")
def settings(context: Context) -> None:
    """Host, limits, attempts, mailboxes, log, tracking; other pages have the rest."""
    with working(context) as bench:
        heading(words.SETTINGS, 1)
        ui.label(words.SETTINGS_HELP).classes("gp-quiet")
        keys = list(keys_of(Settings, without=_ELSEWHERE))
        heading(words.HOST)
        fields(bench, Settings, (), [key for key in keys if "." not in key])
        heading(words.SHARED_LIMITS)
        ui.label(words.SHARED_LIMITS_HELP).classes("gp-quiet q-mb-sm")
        fields(bench, Limits, ("limits",), keys_of(Limits))
        for table, inner in groupby(keys, lambda key: key.partition(".")[0] if "." in key else ""):
            if table:
                heading(words.TABLES.get(table, table))
                fields(bench, Settings, (), inner)
