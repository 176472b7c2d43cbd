"""gatepost audit: what is weak here. The list of who changed what is another thing (`store/audit.py`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.audit import STALE_DAYS, Survey, subjects, survey
from gatepost.admin.audit_html import html_report
from gatepost.admin.audit_passwords import Outcome, PasswordTrials
from gatepost.admin.audit_weakness import Grade, Weakness
from gatepost.admin.learn import learning
from gatepost.admin.silence import silent_log
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import print_json, print_lines
from gatepost.cli.progress import watched
from gatepost.config.schema import Settings
from gatepost.directory.guesses import common_guesses
from gatepost.directory.password_rules import common_passwords
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

_SHOWN = 8
_LONGEST_LIST_BYTES = 50_000_000


def audit(
    context: typer.Context,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report for people, one HTML file.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="An account without a login for so long is unused.")
    ] = STALE_DAYS,
    no_passwords: Annotated[
        bool, typer.Option("--no-passwords", help="Do not try passwords of local accounts.")
    ] = False,
    password_list: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Further passwords to try, one a line.")
    ] = None,
    password_minutes: Annotated[
        float, typer.Option(min=0.0, max=1440.0, help="How long passwords are tried; the next run goes on.")
    ] = 5.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is weak here, worst first, and who can relay. Exit 3 if anything is critical."""
    here: Context = context.obj
    if no_passwords and password_list is not None:
        raise Failure("audit: --password-list is of no use with --no-passwords", USAGE)
    further = () if password_list is None else _words(password_list)
    with ExitStack() as stack:
        settings, accounts = stack.enter_context(here.accounts())
        tried = None if no_passwords else _try(settings, accounts, further, password_minutes * 60)
        known = stack.enter_context(learning(settings, accounts))
        log = stack.enter_context(silent_log())
        found = survey(settings, known, log, now=datetime.now(UTC), days=days, passwords=tried)
    if html is not None:
        _write(html, html_report(found))
    if json:
        print_json(found.row())
    else:
        print_lines(_lines(found))
        if html is not None:
            print(f"{html} is written")
    raise typer.Exit(NO if found.is_critical else 0)


def _try(settings: Settings, accounts: Accounts, further: Iterable[str], seconds: float) -> Outcome:
    words = common_guesses((*sorted(common_passwords()), *further))
    trials = PasswordTrials(Place(settings.state).password_trials)
    todo = subjects(accounts, year=datetime.now(UTC).year)
    try:
        watched(
            trials.run(todo, words, seconds=seconds),
            f"passwords of {len(todo)} accounts",
            lambda step: f"{step.done:,} of {step.total:,} guesses",
        )
    except KeyboardInterrupt:
        print("gatepost: trying passwords was stopped; the next run goes on there", file=sys.stderr)
    return trials.outcome


def _words(file: Path) -> tuple[str, ...]:
    """The lines of a list of passwords. Raises Failure, OSError."""
    if file.stat().st_size > _LONGEST_LIST_BYTES:
        raise Failure(f"{file} is larger than 50 MB; so much is never tried through, cut it", USAGE)
    lines = file.read_text("utf-8", errors="replace").splitlines()
    return tuple(line for line in lines if line)


def _write(file: Path, text: str) -> None:
    """Readable by its owner alone: it says where to break in."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as out:
        out.write(text)


def _lines(found: Survey) -> Iterable[str]:
    for one in found.weaknesses:
        yield from _weakness(one)
    for server, rows in found.relayers.items():
        may = [row for row in rows if row["may_relay"]]
        yield f"{server}: {len(may)} may relay; `gatepost explain --who-can-relay {server}` names them"
    counts = ", ".join(f"{found.count(grade)} {grade.value}" for grade in Grade)
    yield f"{found.file}: {counts}"


def _weakness(one: Weakness) -> Iterable[str]:
    row = one.row()
    yield f"{one.grade.value.upper()} {one.text}"
    if one.where:
        rest = f" and {len(one.where) - _SHOWN} more" if len(one.where) > _SHOWN else ""
        yield f"    where: {', '.join(one.where[:_SHOWN])}{rest}"
    yield f"    why: {row['why']}"
    yield f"    do: {row['remedy']}"
    yield ""


def add_to(app: typer.Typer) -> None:
    app.command()(audit)
