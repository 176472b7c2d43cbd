"""gatepost group ..."""

from __future__ import annotations

from typing import Annotated

import typer

from gatepost.admin import accounts as admin
from gatepost.cli.context import NO, Failure, who
from gatepost.cli.output import print_fields, print_json, print_table
from gatepost.store.account_error import ProtectedMember

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help='The group, as in "POP3 Relay".')]
Member = Annotated[str, typer.Argument(help="A user, or another group.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(context: typer.Context, name: Name) -> None:
    """A new group."""
    with context.obj.accounts() as (_, accounts):
        print(f"{accounts.groups.add(name, by=who()).name} is there")


@app.command()
def delete(context: typer.Context, name: Name) -> None:
    """The group is gone; its members stay."""
    with context.obj.accounts() as (_, accounts):
        accounts.groups.delete(name, by=who())
        print(f"{name} is gone")


@app.command()
def join(
    context: typer.Context,
    group: Name,
    member: Member,
    even_so: Annotated[
        bool, typer.Option("--even-so", help="Also an administrator, or a name that attackers try.")
    ] = False,
) -> None:
    """A user or a group becomes a member. Those who should not relay are refused."""
    with context.obj.accounts() as (settings, accounts):
        try:
            admin.join(settings, accounts, group, member, by=who(), even_so=even_so)
        except ProtectedMember as problem:
            raise Failure(str(problem), NO) from None
        print(f"{member} is in {group}")


@app.command()
def leave(context: typer.Context, group: Name, member: Member) -> None:
    """A member leaves. Running sessions know within a second."""
    with context.obj.accounts() as (settings, accounts):
        accounts.groups.leave(group, member, by=who(), domains=tuple(settings.domains))
        print(f"{member} is not in {group} any more")


@app.command("list")
def list_groups(context: typer.Context, json: Json = False) -> None:
    """All groups, and which of them give relay."""
    with context.obj.accounts() as (settings, accounts):
        groups, page = [], accounts.groups.page()
        while page:
            groups += page
            page = accounts.groups.page(after=page[-1].name)
        rows = admin.group_rows(settings, groups)
    if json:
        print_json(rows)
    else:
        columns = {"name": "NAME", "users": "USERS", "groups": "GROUPS IN IT", "relays": "GIVES RELAY"}
        print_table(columns, rows, empty="There is no group; `gatepost group add NAME` makes one.")


@app.command()
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """One group: who is in it, directly and through other groups."""
    with context.obj.accounts() as (settings, accounts):
        row = admin.group_rows(settings, [accounts.groups.get(name)])[0]
        row["members"] = list(admin.members(accounts, name))
        row["members_nested"] = list(admin.members(accounts, name, nested=True))
    if json:
        print_json(row)
    else:
        print_fields(row)
