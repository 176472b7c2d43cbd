"""gatepost directory ..."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from gatepost.admin.directory import Step, steps
from gatepost.admin.silence import silent_log
from gatepost.cli.context import NO, Context
from gatepost.cli.output import print_json, print_lines
from gatepost.config.schema import DirectoryKind, Settings
from gatepost.log import Log

app = typer.Typer(no_args_is_help=True)
_SIGNS = {True: "ok  ", False: "FAIL", None: "    "}


@app.callback()
def _directory() -> None:
    """Directories that accounts are in beside Gatepost's own."""


@app.command("test")
def try_steps(
    context: typer.Context,
    user: Annotated[
        str | None, typer.Option("--user", metavar="U", help="Also who that is, and through which groups.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try each step to each directory: name, connection, TLS, login, groups. Exit 3 if one fails."""
    here: Context = context.obj
    settings = here.settings()
    with silent_log() as log:
        told = asyncio.run(_told(settings, log, user, show=not json))
    if json:
        print_json([asdict(step) for step in told])
    elif not any(one.kind is DirectoryKind.LDAP for one in settings.directory.values()):
        print('There is no directory but the local accounts; [directory.NAME] with kind = "ldap" adds one.')
    raise typer.Exit(NO if any(step.good is False for step in told) else 0)


async def _told(settings: Settings, log: Log, user: str | None, *, show: bool) -> list[Step]:
    told: list[Step] = []
    async for step in steps(settings, log, user):
        told.append(step)
        if show:
            print_lines([f"{_SIGNS[step.good]} {step.directory}: {step.step}: {step.text}"])
    return told
