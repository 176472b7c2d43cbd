"""gatepost user app-password: one secret for one device, shown once."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from gatepost.admin import app_passwords as admin
from gatepost.admin.devices import with_uses
from gatepost.cli.context import USAGE, Context, Failure, who
from gatepost.cli.output import local_time, print_json, print_lines, print_table
from gatepost.policy.allotment import Allotment
from gatepost.store.app_password import (
    LENGTH,
    AppPasswordChange,
    NewAppPassword,
    grouped,
    networks_of,
    senders_of,
    without_zeros,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Most = Annotated[
    int | None, typer.Option(min=0, help="At most so many, within what the account may; 0: as the account.")
]
_ANYWHERE, _ANY, _NEVER = "anywhere", "any", "never"


def app_password(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The account, local or of a directory.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Which device it is: Scanner, 2nd floor.")] = None,
    from_: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="CIDR", help="Good from here alone; may be repeated. Or: anywhere."),
    ] = None,
    sender: Annotated[
        list[str] | None,
        typer.Option(metavar="A", help="May send as this alone; may be repeated. Or: any, of the account's."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DATE|DAYS", help="2027-01-31, 90 for ninety days, or never.")
    ] = None,
    length: Annotated[
        int, typer.Option(min=1, help="Characters of the secret, 12 to 64, dashes not counted.")
    ] = LENGTH,
    collect: Annotated[
        bool | None, typer.Option("--collect/--no-collect", help="Also for fetching mail by POP3.")
    ] = None,
    messages_per_minute: Most = None,
    recipients_per_hour: Most = None,
    recipients_per_day: Most = None,
    listing: Annotated[
        bool, typer.Option("--list", help="What is there; of all accounts without NAME.")
    ] = False,
    over: Annotated[bool, typer.Option("--revoked", help="With --list: also what was revoked.")] = False,
    change: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The secret stays; what else is said is different.")
    ] = None,
    revoke: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The device may not log in any more.")
    ] = None,
    json: Json = False,
) -> None:
    """One secret for one device, shown once; or the list of them, or the change or end of one."""
    if sum((listing, change is not None, revoke is not None, label is not None)) > 1:
        raise Failure("one of --label, --list, --change and --revoke at a time", USAGE)
    if listing:
        _list(context.obj, name, over=over, json=json)
        return
    if name is None:
        raise Failure("say whose device it is: gatepost user app-password NAME --label L", USAGE)
    if revoke is not None:
        _revoke(context.obj, name, revoke, json=json)
        return
    limits = Allotment(messages_per_minute, recipients_per_hour, recipients_per_day)
    wanted = AppPasswordChange(
        None if from_ is None else networks_of(from_ if from_ != [_ANYWHERE] else ()),
        None if sender is None else senders_of(sender if sender != [_ANY] else ()),
        limits,
        collect,
        None if expires in (None, _NEVER) else admin.expiry_of(expires, datetime.now(UTC)),
        unending=expires == _NEVER,
    )
    if change is not None:
        _change(context.obj, name, change, wanted, json=json)
    elif label is not None:
        new = NewAppPassword(
            label, wanted.networks or (), wanted.senders or (), without_zeros(limits), bool(collect),
            wanted.expires,
        )  # fmt: skip
        _add(context.obj, name, new, length, json=json)
    else:
        raise Failure("say which device it is: --label L (or --list, --change or --revoke LABEL)", USAGE)


def _change(here: Context, name: str, label: str, wanted: AppPasswordChange, *, json: bool) -> None:
    with here.accounts() as (settings, accounts):
        now = admin.change_app_password(settings, accounts, name, label, wanted, by=who())
    if json:
        print_json(admin.app_password_row(now))
    else:
        print_lines([f"{now.label} of {now.account} is changed; its secret is the same"])


def _add(here: Context, name: str, new: NewAppPassword, length: int, *, json: bool) -> None:
    with here.accounts() as (settings, accounts):
        issued = admin.add_app_password(settings, accounts, name, new, by=who(), length=length)
    if json:
        print_json(issued.row())
        return
    one = issued.app_password
    for note in issued.notes:
        print(f"Note: {note}", file=sys.stderr)
    print_lines([f"{one.label} may log in as {one.account} with", "", f"    {grouped(issued.secret)}", ""])
    print("It is shown this once. The dashes may be typed or left out.")


def _list(here: Context, name: str | None, *, over: bool, json: bool) -> None:
    with here.accounts() as (settings, accounts):
        rows = with_uses(settings, admin.app_password_rows(settings, accounts, name, over=over))
    if json:
        print_json(rows)
        return
    times = ("expires", "last_used")
    shown = [{**row, **{key: local_time(row[key]) for key in times if row[key]}} for row in rows]
    columns = {"account": "ACCOUNT", "label": "LABEL", "state": "STATE", "networks": "GOOD FROM",
               "senders": "SENDERS", "expires": "EXPIRES", "last_used": "LAST USED",
               "last_source": "LAST FROM"}  # fmt: skip
    print_table(columns, shown, empty="There is no app password; --label L makes one.")


def _revoke(here: Context, name: str, label: str, *, json: bool) -> None:
    with here.accounts() as (settings, accounts):
        gone = admin.revoke_app_password(settings, accounts, name, label, by=who())
    if json:
        print_json(admin.app_password_row(gone))
    else:
        print_lines([f"{gone.label} may not log in as {gone.account} any more"])


def add_to(app: typer.Typer) -> None:
    app.command("app-password")(app_password)
