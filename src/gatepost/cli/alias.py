"""gatepost alias ..."""

from __future__ import annotations

from typing import Annotated

import typer

from gatepost.admin import accounts as admin
from gatepost.cli.context import who
from gatepost.cli.output import print_json, print_table

app = typer.Typer(no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="info@example.org, or @example.org for all that is left.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(
    context: typer.Context,
    address: Address,
    target: Annotated[list[str], typer.Argument(help="Where its mail goes; several may be given.")],
    outside: Annotated[bool, typer.Option("--outside", help="Targets may lie in other domains.")] = False,
) -> None:
    """Mail for the address goes to the targets."""
    with context.obj.accounts() as (settings, accounts):
        alias = accounts.aliases.add(
            address, target, domains=tuple(settings.domains), outside=outside, by=who()
        )
        print(f"{alias.address} goes to {', '.join(alias.targets)}")


@app.command()
def delete(context: typer.Context, address: Address) -> None:
    """The alias is gone."""
    with context.obj.accounts() as (_, accounts):
        accounts.aliases.delete(address, by=who())
        print(f"{address} is gone")


@app.command("list")
def list_aliases(context: typer.Context, json: Json = False) -> None:
    """All aliases."""
    with context.obj.accounts() as (_, accounts):
        rows, page = [], accounts.aliases.page()
        while page:
            rows += [admin.alias_row(alias) for alias in page]
            page = accounts.aliases.page(after=page[-1].address)
    if json:
        print_json(rows)
    else:
        columns = {"address": "ADDRESS", "targets": "GOES TO", "outside": "OUTSIDE"}
        print_table(columns, rows, empty="There is no alias; `gatepost alias add ADDRESS TARGET` makes one.")
