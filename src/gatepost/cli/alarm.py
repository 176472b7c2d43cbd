"""gatepost alarm: whether those who are to be told of trouble can be reached."""

from __future__ import annotations

from typing import Annotated

import typer

from gatepost.cli.context import Context, Failure
from gatepost.cli.output import print_json, print_table

app = typer.Typer(no_args_is_help=True)


@app.command("test")
def tell_all(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of [alarms.NAME]; else all.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tells everybody that this is a test, and says what came of it."""
    here: Context = context.obj
    rows = here.ask("alarm-test", **({} if name is None else {"name": name}))
    if json:
        print_json(rows)
    else:
        columns = {"alarm": "alarm", "way": "way", "told": "told", "problem": "problem"}
        print_table(columns, rows, empty="there are no alarms: see [alarms.NAME] in the manual")
    failed = [row for row in rows if not row["told"]]
    if failed:
        raise Failure(f"{len(failed)} of {len(rows)} were not told")
