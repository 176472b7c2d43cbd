"""gatepost admin ...: who signs in to the console."""

from __future__ import annotations

from typing import Annotated

import typer

from gatepost.admin import administrators as admin
from gatepost.admin.roles import Role
from gatepost.cli.context import NO, Failure, who
from gatepost.cli.output import print_json, print_table

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The administrator's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ROLES = "administrator, operator or viewer"


@app.command()
def first(context: typer.Context) -> None:
    """Print the one-time link by which the first administrator is made. Exit 3 if there is one."""
    with context.obj.accounts() as (settings, accounts):
        link = admin.first_link(settings, accounts, by=who())
    if link is None:
        raise Failure("there is an administrator already; `gatepost admin list` shows all", NO)
    print(link)


@app.command()
def add(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help=f"{ROLES}.")] = Role.VIEWER,
) -> None:
    """A new administrator; prints the one-time link by which it sets its password."""
    with context.obj.accounts() as (settings, accounts):
        print(admin.add(settings, accounts, name, role, by=who()))


@app.command()
def reset(context: typer.Context, name: Name) -> None:
    """Sign it out everywhere, and print a link for a new password; second factors are gone then."""
    with context.obj.accounts() as (settings, accounts):
        print(admin.reset(settings, accounts, name, by=who()))


@app.command()
def role(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Argument(help=f"{ROLES}.")],
) -> None:
    """Give it another role, from its next request on."""
    with context.obj.accounts() as (_, accounts):
        changed = accounts.administrators.set_role(name, role.value, by=who())
        print(f"{changed.name} is {changed.role}")


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """The administrator is gone, signed out, and its tokens are worth nothing."""
    with context.obj.accounts() as (settings, accounts):
        admin.remove(settings, accounts, name, by=who())
        print(f"{name} is gone")


@app.command("list")
def list_administrators(context: typer.Context, json: Json = False) -> None:
    """All administrators, and people of the directories who have signed in."""
    with context.obj.accounts() as (settings, accounts):
        rows = admin.rows(settings, accounts)
    if json:
        print_json(rows)
    else:
        columns = {"name": "NAME", "role": "ROLE", "totp": "CODE", "security_keys": "SECURITY KEYS",
                   "sessions": "SESSIONS"}  # fmt: skip
        print_table(columns, rows, empty="There is nobody yet; `gatepost admin first` prints a link.")
