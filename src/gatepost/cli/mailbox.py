"""gatepost mailbox ...: what lies in the mailboxes, and old mail in and out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin import accounts as people
from gatepost.admin import mailbox as admin
from gatepost.cli.context import FAILED, NO, USAGE, Context, Failure
from gatepost.cli.output import local_time, print_fields, print_json, print_table, size
from gatepost.cli.progress import shown
from gatepost.config.schema import Settings
from gatepost.store.account_error import NotFound
from gatepost.store.mailboxes import Mailboxes
from gatepost.store.maildelivery import Undelivered
from gatepost.store.maildir import MailboxError, MailboxInUse
from gatepost.store.mailimport import ImportRunning, ImportStopped, Progress
from gatepost.store.mbox import MboxError

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="bob, or bob@example.org.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_STOPPED = {
    Undelivered.DISK_FULL: "the disk is full",
    Undelivered.DISK_FAILED: "the disk failed",
    Undelivered.OVER_QUOTA: "the mailbox is full",
}


@app.command("list")
def list_mailboxes(context: typer.Context, json: Json = False) -> None:
    """All mailboxes and how full they are."""
    here: Context = context.obj
    with _told(), here.accounts() as (settings, accounts):
        rows = admin.rows(settings, accounts, admin.mailboxes(settings))
    if json:
        print_json(rows)
        return
    columns = {"account": "ACCOUNT", "messages": "MESSAGES", "size": "SIZE", "quota": "QUOTA", "user": "USER"}
    print_table(columns, [_listed(row) for row in rows], empty="There is no mailbox.")


def _listed(row: admin.Row) -> admin.Row:
    quota_bytes = row["quota_bytes"]
    return row | {
        "size": size(row["size_bytes"]),
        "quota": "none" if quota_bytes is None else size(quota_bytes),
        "user": row["has_user"],
    }


@app.command()
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """One mailbox: how full it is, where it lies, from when its mail is."""
    here: Context = context.obj
    with _told(), here.accounts() as (settings, accounts):
        boxes = admin.mailboxes(settings)
        account = admin.account_of(settings, accounts, boxes, name)
        row = admin.row(settings, accounts, boxes, account)
    if json:
        print_json(row)
        return
    listed = _listed(row)
    print_fields(
        {
            "account": account,
            "messages": row["messages"],
            "size": f"{listed['size']} of {listed['quota']}" if row["quota_bytes"] else listed["size"],
            "oldest": row["oldest"] and local_time(row["oldest"]),
            "newest": row["newest"] and local_time(row["newest"]),
            "folder": row["folder"],
            "subfolders": row["subfolders"],
            "other files": row["no_messages"],
        }
    )


@app.command("import")
def import_mail(
    context: typer.Context,
    name: Name,
    source: Annotated[Path, typer.Argument(help="An mbox file, or a Maildir.")],
    create: Annotated[
        bool, typer.Option("--create", help="Make the mailbox, though there is no such user here.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Bring back what was imported before and is gone since.")
    ] = False,
) -> None:
    """Old mail into a mailbox. May be broken off and run again: nothing comes twice."""
    here: Context = context.obj
    with here.accounts() as (settings, accounts):
        boxes = admin.mailboxes(settings)
        try:
            account = admin.account_of(settings, accounts, boxes, name)
        except NotFound:
            if not create:
                raise Failure(
                    f"{name} has neither an account nor a mailbox; --create makes the mailbox", NO
                ) from None
            account = people.whole_name(settings, name.strip()).lower()
    with _told():
        if again:
            boxes.importer(account).forget()
        try:
            last = shown(admin.import_from(boxes, account, source), account)
        except OSError as problem:
            raise Failure(
                f"{problem}: what came in is safe; put it right and run the same again", FAILED
            ) from None
    print(f"{account}: {_counted(last, 'imported')}")
    _say_what_is_left(source)


def _say_what_is_left(source: Path) -> None:
    left = admin.subfolders(source) if source.is_dir() else []
    if left:
        print(f"Note: not imported, each is a Maildir of its own: {', '.join(left)}", file=sys.stderr)


@app.command()
def export(
    context: typer.Context,
    name: Name,
    target: Annotated[
        Path,
        typer.Argument(help="The mbox file to write, - for standard output; or a folder, see --maildir."),
    ],
    maildir: Annotated[bool, typer.Option("--maildir", help="Write a Maildir, flags and all.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Even if the file is there.")] = False,
) -> None:
    """All mail of a mailbox into a file; the mailbox stays as it is."""
    here: Context = context.obj
    with here.accounts() as (settings, accounts):
        boxes = admin.mailboxes(settings)
        account = admin.account_of(settings, accounts, boxes, name)
    boxes.create(account)
    with _told():
        if maildir:
            last = shown(_into_maildir(settings, boxes, account, target), account)
        elif str(target) == "-":
            last = shown(admin.export_to_mbox(boxes, account, sys.stdout.buffer), account)
        else:
            last = _into_file(boxes, account, target, overwrite=overwrite)
    print(f"{account}: {_counted(last, 'exported')}", file=sys.stderr if str(target) == "-" else sys.stdout)


def _into_file(boxes: Mailboxes, account: str, target: Path, *, overwrite: bool) -> Progress:
    if target.is_dir():
        raise Failure(f"{target} is a folder; name a file, or say --maildir", USAGE)
    if target.exists() and not overwrite:
        raise Failure(f"{target} is there already; name another file, or say --overwrite", USAGE)
    with admin.written_whole(target) as file:
        return shown(admin.export_to_mbox(boxes, account, file), account)


def _into_maildir(settings: Settings, boxes: Mailboxes, account: str, target: Path) -> Iterator[Progress]:
    if target.exists() and not (target.is_dir() and (not any(target.iterdir()) or (target / "cur").is_dir())):
        raise Failure(f"{target} is no Maildir and not empty; name a new folder", USAGE)
    return admin.export_to_maildir(settings, boxes, account, target)


def _counted(last: Progress, done: str) -> str:
    parts = [f"{last.added} messages {done}"]
    if last.skipped:
        parts.append(f"{last.skipped} were there already")
    if last.unread:
        parts.append(f"{last.unread} could not be read")
    return ", ".join(parts)


@contextmanager
def _told() -> Iterator[None]:
    """What may go wrong with mailboxes ends the verb with one line."""
    try:
        yield
    except ImportStopped as stopped:
        added = _counted(stopped.progress, "imported")
        raise Failure(
            f"{_STOPPED[stopped.why]}: {added}; put it right and run the same again", FAILED
        ) from None
    except ImportRunning:
        raise Failure("another import into this mailbox is under way; wait for it", FAILED) from None
    except MailboxInUse:
        raise Failure("somebody is collecting from this mailbox now; try again in a moment", FAILED) from None
    except (MboxError, MailboxError, admin.NotImportable) as problem:
        raise Failure(str(problem), FAILED) from None
