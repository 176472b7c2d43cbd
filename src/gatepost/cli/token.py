"""gatepost token ...: what programs show to the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gatepost.admin import administrators as admin
from gatepost.admin.roles import Role
from gatepost.cli.admin import ROLES
from gatepost.cli.context import USAGE, Failure, who
from gatepost.cli.output import print_json, print_table
from gatepost.cli.span import seconds
from gatepost.store.account_error import BadName
from gatepost.store.tokens import NewToken

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help=f"{ROLES}.")] = Role.VIEWER,
    scope: Annotated[
        list[str] | None, typer.Option(help="Only this part of the API, as in queue; may be repeated.")
    ] = None,
    expires: Annotated[str, typer.Option("--for", metavar="SPAN", help="12h, 30d, 52w, or `ever`.")] = "90d",
    json: Json = False,
) -> None:
    """A new token, shown this once."""
    span = None if expires == "ever" else seconds(expires)
    ends = None if span is None else datetime.now(UTC) + timedelta(seconds=span)
    try:
        new = NewToken(label, role.value, admin.areas(scope), ends)
    except BadName as problem:
        raise Failure(str(problem), USAGE) from None
    with context.obj.accounts() as (_, accounts):
        token, secret = accounts.tokens.add(new, by=who())
    if json:
        print_json(admin.token_row(token) | {"token": secret.reveal()})
    else:
        print(secret.reveal())


@app.command("list")
def list_tokens(context: typer.Context, json: Json = False) -> None:
    """All tokens, without their secrets."""
    with context.obj.accounts() as (settings, accounts):
        rows = admin.token_rows(settings, accounts)
    if json:
        print_json(rows)
    else:
        columns = {"id": "ID", "label": "LABEL", "role": "ROLE", "scope": "SCOPE", "expires": "EXPIRES",
                   "made_by": "MADE BY", "last_used": "LAST USED"}  # fmt: skip
        print_table(columns, rows, empty="There is no token; `gatepost token add LABEL` makes one.")


@app.command()
def revoke(
    context: typer.Context,
    token: Annotated[str, typer.Argument(metavar="ID", help="As in `gatepost token list`.")],
) -> None:
    """The token is worth nothing, at once."""
    with context.obj.accounts() as (_, accounts):
        accounts.tokens.revoke(token, by=who())
        print(f"{token} is revoked")
