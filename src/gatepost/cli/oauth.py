"""gatepost oauth ..."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.admin.learn import Learning, learning
from gatepost.admin.silence import silent_log
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import print_json, print_lines
from gatepost.secret import Secret

if TYPE_CHECKING:
    from gatepost.admin.oauth import Step

app = typer.Typer(no_args_is_help=True)
_SIGNS = {True: "ok  ", False: "FAIL", None: "    "}


@app.callback()
def _oauth() -> None:
    """Issuers of tokens, for people who log in and for smart hosts."""


@app.command("test")
def try_steps(
    context: typer.Context,
    token_file: Annotated[
        str | None,
        typer.Option("--token-file", metavar="F", help="Also what the token in it is good for; - is stdin."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try each step to each issuer: discovery, keys, a token of our own. Exit 3 if one fails."""
    here: Context = context.obj
    token = None if token_file is None else _token(token_file)
    with here.accounts() as (settings, accounts), learning(settings, accounts) as known:
        openid = None if settings.console is None else settings.console.openid
        told = _told(known, token) if settings.oauth or openid else []
    if json:
        print_json([asdict(step) for step in told])
    elif not told:
        print("There is no issuer; [oauth.NAME] and [console.openid] add one.")
    else:
        print_lines([f"{_SIGNS[step.good]} {step.issuer}: {step.step}: {step.text}" for step in told])
    raise typer.Exit(NO if any(step.good is False for step in told) else 0)


def _told(known: Learning, token: Secret | None) -> list[Step]:
    from gatepost.admin.oauth import judged, steps  # an extra

    async def run() -> list[Step]:
        with silent_log() as log:
            told = [step async for step in steps(known.settings, log)]
            if token is not None:
                told += await judged(known.settings, known.directories, token, log)
            return told

    return known.runner.run(run())


def _token(file: str) -> Secret:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Failure(f"--token-file: {file} cannot be read: {problem}", USAGE) from None
    return Secret(text.strip())
