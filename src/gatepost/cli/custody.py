"""gatepost contain, release: what is done to a stolen account, and giving everything back."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from gatepost.admin.accounts import whole_name
from gatepost.admin.custody import contained_row
from gatepost.admin.link import NotRunning
from gatepost.cli.context import NO, Context, Failure, who
from gatepost.cli.output import print_lines
from gatepost.store.guarddb import ContainedRow, GuardStore
from gatepost.store.place import Place

User = Annotated[str, typer.Argument(metavar="USER", help="ann, or ann@example.org.")]


def contain(
    context: typer.Context,
    user: User,
    why: Annotated[str, typer.Option(help="For `gatepost user show`.")] = "by hand",
) -> None:
    """The account may not relay, its sessions are closed, its queued mail is held; nothing is lost."""
    here: Context = context.obj
    settings = here.settings()
    name = whole_name(settings, user).lower()
    try:
        row = here.act(lambda acts: acts.guard.contain(name, why=why))
    except NotRunning:
        store = GuardStore(Place(settings.state).guard)
        if any(one.user == name for one in store.contained()):
            raise Failure(f"{name} is contained already", NO) from None
        kept = ContainedRow(name, why, who(), time.time())
        store.keep_contained(kept)
        with here.accounts() as (_, accounts):
            accounts.audit.add(who=who(), what="contain", subject=name, after={"why": why})
        row = contained_row(kept)
    print_lines(
        [f"{name} is contained; {_messages(row)} held. Change its password, then: gatepost release {name}"]
    )


def release(context: typer.Context, user: User) -> None:
    """The account may relay again, and its mail that was held for this goes on."""
    here: Context = context.obj
    name = whole_name(here.settings(), user).lower()
    row = here.act(lambda acts: acts.guard.release(name))
    print_lines([f"{name} is released; {_messages(row)} released"])


def custody_of(place: Place, user: str) -> dict[str, Any] | None:
    """Why and since when the user is contained; None when it is not."""
    if not place.guard.exists():
        return None
    row = next((one for one in GuardStore(place.guard).contained() if one.user == user), None)
    return None if row is None else contained_row(row)


def _messages(row: dict[str, Any]) -> str:
    count = len(row["held"])
    return "1 message is" if count == 1 else f"{count} messages are"


def add_to(app: typer.Typer) -> None:
    for command in (contain, release):
        app.command()(command)
