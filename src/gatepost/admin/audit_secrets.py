"""Weak points of what else opens doors: sign-ins of administrators, tokens of the API, app passwords."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gatepost.admin.audit_meanings import Weak
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.config.console import SecondFactor
from gatepost.config.schema import Settings
from gatepost.store.accounts import Accounts
from gatepost.store.administrators import ADMINISTRATOR


def secret_weaknesses(settings: Settings, accounts: Accounts, now: datetime) -> Iterator[Weakness]:
    """Those of secrets beside the accounts' own passwords."""
    yield from _second_factors(settings, accounts)
    yield from _tokens(accounts)
    yield from _app_passwords(accounts, now)


def _second_factors(settings: Settings, accounts: Accounts) -> Iterator[Weakness]:
    console = settings.console
    if console is None or console.second_factor is SecondFactor.REQUIRE:
        return
    names = tuple(
        f"{one.name} ({one.role})"
        for one in accounts.administrators.all()
        if one.role is not None and one.password_hash is not None and not one.has_second_factor
    )
    if names:
        text = f"a password alone opens the console for {_count(len(names), 'administrator')}"
        grade = Grade.LOW if console.is_loopback else Grade.MEDIUM
        yield Weakness(Weak.NO_SECOND_FACTOR, grade, text, names)


def _tokens(accounts: Accounts) -> Iterator[Weakness]:
    endless = [one for one in accounts.tokens.all() if one.expires is None]
    if endless:
        grade = Grade.MEDIUM if any(one.role == ADMINISTRATOR for one in endless) else Grade.LOW
        text = f"{_count(len(endless), 'token')} of the API never {'ends' if len(endless) == 1 else 'end'}"
        where = tuple(f"{one.label} ({one.role})" for one in endless)
        yield Weakness(Weak.ENDLESS_TOKEN, grade, text, where)


def _app_passwords(accounts: Accounts, now: datetime) -> Iterator[Weakness]:
    good = [one for one in accounts.app_passwords.all() if one.expires is None or one.expires > now]
    anywhere = tuple(f"{one.account}/{one.label}" for one in good if not one.networks)
    if anywhere:
        text = f"{_count(len(anywhere), 'app password')} may be used from anywhere"
        yield Weakness(Weak.APP_PASSWORD_ANYWHERE, Grade.LOW, text, anywhere)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
