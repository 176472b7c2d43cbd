"""gatepost user ..."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from gatepost.admin import accounts as admin
from gatepost.admin.app_passwords import app_password_rows
from gatepost.admin.devices import with_uses
from gatepost.cli import app_password
from gatepost.cli.context import USAGE, Failure, who
from gatepost.cli.custody import custody_of
from gatepost.cli.output import local_time, print_fields, print_json, print_table
from gatepost.secret import Secret
from gatepost.store.place import Place

app = typer.Typer(no_args_is_help=True)
app_password.add_to(app)
Name = Annotated[str, typer.Argument(help="bob, or bob@example.org.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
EvenSo = Annotated[
    bool, typer.Option("--even-so", help="Take a password that is short, or that attackers try.")
]


def _password(*, from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise Failure("no password: say --password-stdin and give it on standard input", USAGE)
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise Failure("the two passwords differ; nothing was changed")
    return Secret(password)


@app.command()
def add(
    context: typer.Context,
    name: Name,
    address: Annotated[list[str] | None, typer.Option(help="A further address; may be repeated.")] = None,
    full_name: Annotated[str, typer.Option(help="As in Bob Builder.")] = "",
    administrator: Annotated[
        bool, typer.Option("--administrator", help="May administer; then no group gives it relay.")
    ] = False,
    quota_bytes: Annotated[
        int | None, typer.Option(help="Mailbox size; default as in [mailboxes].", min=0)
    ] = None,
    password_stdin: FromStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Only its devices log in, with app passwords.")
    ] = False,
    even_so: EvenSo = False,
) -> None:
    """A new user with a mailbox and a password."""
    if no_password and password_stdin:
        raise Failure("--no-password and --password-stdin do not go together", USAGE)
    with context.obj.accounts() as (settings, accounts):
        whole = admin.whole_name(settings, name)
        credential = None
        if not no_password:
            credential = admin.new_credential(
                whole, _password(from_stdin=password_stdin), full_name=full_name, even_so=even_so
            )
        user = admin.add_user(
            settings, accounts, whole, by=who(), credential=credential, full_name=full_name,
            addresses=address or (), administrator=administrator, quota_bytes=quota_bytes, even_so=even_so,
        )  # fmt: skip
        print(f"{user.name} is there")
        if admin.is_guessable(settings, user.name):
            print(
                f"Note: {user.name} is a name that attackers try; it relays only where an access entry "
                f'says to = "user:{user.name}"',
                file=sys.stderr,
            )


@app.command()
def passwd(
    context: typer.Context, name: Name, password_stdin: FromStdin = False, even_so: EvenSo = False
) -> None:
    """A new password; open sessions go on, the old password is dead at once."""
    with context.obj.accounts() as (settings, accounts):
        user = accounts.users.get(name, tuple(settings.domains))
        password = _password(from_stdin=password_stdin)
        admin.set_password(accounts, user, password, even_so=even_so, by=who())
        print(f"{user.name} has a new password")


@app.command()
def disable(context: typer.Context, name: Name) -> None:
    """No login any more; mail still comes in. Open sessions lose their rights within a second."""
    _set_disabled(context, name, disabled=True)


@app.command()
def enable(context: typer.Context, name: Name) -> None:
    """May log in again."""
    _set_disabled(context, name, disabled=False)


def _set_disabled(context: typer.Context, name: str, *, disabled: bool) -> None:
    with context.obj.accounts() as (settings, accounts):
        user = accounts.users.get(name, tuple(settings.domains))
        accounts.users.set_disabled(user.name, disabled=disabled, by=who())
        print(f"{user.name} is {'disabled' if disabled else 'enabled'}")


@app.command()
def quota(
    context: typer.Context,
    name: Name,
    size_bytes: Annotated[int | None, typer.Argument(help="Bytes; left out: as in [mailboxes].")] = None,
) -> None:
    """How much the mailbox may hold."""
    with context.obj.accounts() as (settings, accounts):
        user = accounts.users.get(name, tuple(settings.domains))
        accounts.users.set_quota(user.name, size_bytes, by=who())
        print(f"{user.name}: {'the default quota' if size_bytes is None else f'{size_bytes} bytes'}")


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    with_mailbox: Annotated[
        bool, typer.Option("--with-mailbox", help="Delete the mailbox and all mail in it, too.")
    ] = False,
) -> None:
    """The user is gone, also from groups. The mailbox stays unless you say otherwise."""
    with context.obj.accounts() as (settings, accounts):
        user = accounts.users.get(name, tuple(settings.domains))
        accounts.users.delete(user.name, by=who())
        if with_mailbox:
            admin.mailboxes(settings).delete(user.name)
        print(f"{user.name} is gone" + ("" if with_mailbox else "; the mailbox is still there"))


@app.command("list")
def list_users(
    context: typer.Context,
    containing: Annotated[str, typer.Argument(help="Only those with this in their name.")] = "",
    json: Json = False,
) -> None:
    """All users."""
    with context.obj.accounts() as (settings, accounts):
        rows = []
        page = accounts.users.page(containing=containing)
        while page:
            rows += [admin.user_row(settings, accounts, user) for user in page]
            page = accounts.users.page(after=page[-1].name, containing=containing)
    if json:
        print_json(rows)
        return
    columns = {"name": "NAME", "full_name": "FULL NAME", "addresses": "ALSO", "disabled": "DISABLED",
               "administrator": "ADMINISTRATOR"}  # fmt: skip
    print_table(columns, rows, empty="There is no user; `gatepost user add NAME` makes one.")


@app.command()
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """One user: addresses, groups (also the nested ones), mailbox, devices."""
    with context.obj.accounts() as (settings, accounts):
        user = accounts.users.get(name, tuple(settings.domains))
        row = admin.user_row(settings, accounts, user, whole=True)
        row["contained"] = custody_of(Place(settings.state), user.name)
        row["app_passwords"] = with_uses(settings, app_password_rows(settings, accounts, user.name))
    if json:
        print_json(row)
        return
    box = row.pop("mailbox")
    if row["contained"] is not None:
        row["contained"] = f"{row['contained']['why']} (by {row['contained']['by']})"
    row["app_passwords"] = [_device(one) for one in row["app_passwords"]]
    print_fields(row | {"mailbox": f"{box['messages']} messages, {box['size_bytes']} bytes"})


def _device(row: admin.Row) -> str:
    used = "never used"
    if row["last_used"]:
        used = f"last used {local_time(row['last_used'])} from {row['last_source']}"
    return f"{row['label']}: {row['watch'] or row['state']}, {used}"
