"""gatepost devices: who sends here without being a person, and whether it still does."""

from __future__ import annotations

from typing import Annotated

import typer

from gatepost.admin import devices as admin
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import local_time, print_json, print_lines, print_table
from gatepost.guard.rhythms import span_text

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def devices(
    context: typer.Context,
    forget: Annotated[
        str | None, typer.Option(metavar="NAME", help="It is not missed any more, until it sends again.")
    ] = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="Only those that are missed; exit 3 if any.")
    ] = False,
    json: Json = False,
) -> None:
    """Devices by app password, account and address: when each was last seen, how often it usually sends."""
    here: Context = context.obj
    if forget is not None:
        if silent:
            raise Failure("--forget and --silent do not go together", USAGE)
        row = admin.forget_device(here.settings(), forget)
        if json:
            print_json(row)
        else:
            print_lines([f"{row['name']} is forgotten; when it sends again it is a new device"])
        return
    with here.accounts() as (settings, accounts):
        rows = admin.device_rows(settings, accounts)
    if silent:
        rows = [row for row in rows if row["state"] == "silent"]
    if json:
        print_json(rows)
    else:
        _show(rows, silent=silent)
    if silent and rows:
        raise typer.Exit(NO)


def _show(rows: list[admin.Row], *, silent: bool) -> None:
    shown = [
        row
        | {
            "last_used": local_time(row["last_used"]) if row["last_used"] else "never",
            "usual": f"every {span_text(row['usual_seconds'])}" if row["usual_seconds"] else None,
        }
        for row in rows
    ]
    columns = {"name": "NAME", "kind": "KIND", "last_used": "LAST SEEN", "source": "FROM", "usual": "USUALLY",
               "state": "STATE"}  # fmt: skip
    none = "No device is missed." if silent else "No device was seen yet."
    print_table(columns, shown, empty=none)


def add_to(app: typer.Typer) -> None:
    app.command()(devices)
