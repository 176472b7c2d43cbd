"""Settings: what holds for the whole house."""

from __future__ import annotations

from nicegui import ui

from gatepost.config.schema import Limits, Settings
from gatepost.console.context import Context
from gatepost.console.fields import fields, flag
from gatepost.console.page import page
from gatepost.console.parts import heading
from gatepost.console.texts import pages as words
from gatepost.console.working import working

_GUARD = (
    "wrong_passwords_per_address", "wrong_passwords_per_small_network", "wrong_passwords_per_network",
    "wrong_passwords_per_name", "slow_after", "delay_most_seconds", "window_seconds", "refuse_seconds",
    "refuse_most_seconds", "records_days", "guessable", "decoys", "trusted",
)  # fmt: skip
_HABITS = ("messages_per_day", "recipients_per_day", "domains_per_day", "refusals_per_day")


@page("/settings", words.SETTINGS, "settings")
def settings(context: Context) -> None:
    """Host, limits, attempts, guard, mailboxes, log."""
    with working(context) as bench:
        heading(words.SETTINGS, 1)
        ui.label(words.SETTINGS_HELP).classes("gp-quiet")
        heading(words.HOST)
        fields(bench, Settings, (), ("hostname", "workers"))
        heading(words.SHARED_LIMITS)
        ui.label(words.SHARED_LIMITS_HELP).classes("gp-quiet q-mb-sm")
        fields(bench, Limits, ("limits",), Limits.model_fields)
        heading(words.RETRY)
        retry = ("retry.intervals_seconds", "retry.delay_warning_seconds", "retry.give_up_seconds")
        fields(bench, Settings, (), retry)
        heading(words.GUARD)
        fields(bench, Settings, (), (f"guard.{key}" for key in _GUARD))
        heading(words.HABITS)
        flag(bench, Settings, (), "guard.habits.enabled")
        fields(bench, Settings, (), (f"guard.habits.{key}" for key in _HABITS))
        heading(words.MAILBOXES)
        fields(bench, Settings, (), ("mailboxes.quota_bytes", "mailboxes.when_full"))
        heading(words.LOG)
        fields(bench, Settings, (), ("log.level", "log.format", "tracking.days", "tracking.size_bytes"))
        flag(bench, Settings, (), "tracking.subjects")
