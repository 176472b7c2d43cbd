"""When the guard slows, shuts out and contains: everything of `[guard]`."""

from __future__ import annotations

from typing import Final

from gatepost.config.schema import Settings
from gatepost.console.context import Context
from gatepost.console.described import keys_of
from gatepost.console.fields import fields
from gatepost.console.page import page
from gatepost.console.parts import heading as part
from gatepost.console.table import heading
from gatepost.console.texts import sections as words
from gatepost.console.working import working

_PARTS: Final = (
    (words.NAMES, ("guessable", "decoys", "trusted")),
    (words.PASSWORDS, (
        "wrong_passwords_per_address", "wrong_passwords_per_small_network", "wrong_passwords_per_network",
        "wrong_passwords_per_name", "wrong_passwords_per_known_source", "window_seconds",
    )),
    (words.ANSWERS, ("slow_after", "delay_most_seconds", "refuse_seconds", "refuse_most_seconds")),
    (words.HARVEST, ("harvest.",)),
    (words.HABITS, ("habits.",)),
    (words.DEVICES, ("devices.", "directory_down_seconds")),
    (words.RECORDS, ("records_days", "known_sources_days")),
    (words.SPRAYS, ("",)),
)  # fmt: skip
"""What begins with one of these stands under the title; a new key is among the last by itself."""


@page("/guard-settings", words.GUARD, "guard-settings")
def guard_settings(context: Context) -> None:
    """In parts, all of it."""
    with working(context) as bench:
        heading(words.GUARD, words.ABOUT_GUARD)
        left = [key.removeprefix("guard.") for key in keys_of(Settings) if key.startswith("guard.")]
        for title, wanted in _PARTS:
            keys = [key for key in left if _is_one_of(key, wanted)]
            left = [key for key in left if key not in keys]
            part(title)
            fields(bench, Settings, (), [f"guard.{key}" for key in keys])


def _is_one_of(key: str, wanted: tuple[str, ...]) -> bool:
    return any(key == one or (one.endswith(".") and key.startswith(one)) or not one for one in wanted)
