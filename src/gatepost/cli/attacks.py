"""gatepost attacks, ban, pardon: who guesses here, and who is shut out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin import attacks as admin
from gatepost.admin.trace import NoTime
from gatepost.admin.trace import since as time_since
from gatepost.cli.context import USAGE, Context, Failure
from gatepost.cli.output import local_time, print_json, print_lines, print_table
from gatepost.cli.span import seconds
from gatepost.guard.bans import NotASource
from gatepost.store.place import Place

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Export(Enum):
    """What `--export` prints."""

    NAMES = "names"
    ADDRESSES = "addresses"
    NFTABLES = "nftables"


def attacks(
    context: typer.Context,
    since: Annotated[str, typer.Option(metavar="T", help="30m, 2h, 3d, or a date and time.")] = "24h",
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines of each list.")] = 20,
    export: Annotated[
        Export | None, typer.Option(help="A list for other programs; nftables: who is shut out now.")
    ] = None,
    json: Json = False,
) -> None:
    """Names tried without success, the most tried first, from where, and when."""
    place, begins = _place(context), _since(since)
    if export is not None:
        print_lines(_exported(place, export, begins))
        return
    found = admin.attacks(place, begins, time.time() + 1, limit=limit)
    if json:
        print_json(found.row())
        return
    row = found.row()
    if found.offences:
        rows = [{**one, "last": local_time(one["last"])} for one in row["offences"]]
        print_table({one: one for one in ("offence", "source", "count", "last")}, rows, empty="")
        print()
    if not found.names:
        print(f"no failed login since {since}")
        return
    counts = {"attempts": "attempts", "refused": "refused", "last": "last"}
    for what, more in (("name", "addresses"), ("source", "names"), ("network", "addresses")):
        rows = [{**one, "last": local_time(one["last"])} for one in row[f"{what}s"]]
        print_table({what: what, more: more, **counts}, rows, empty="")
        print()
    first, last = row["timeline"][0]["begins"], row["timeline"][-1]["begins"]
    print(f"{local_time(first)} [{admin.bar(found.timeline)}] {local_time(last)}")


def ban(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="An address or network.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Who is shut out, by whom and until when.")] = False,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="30m, 2h, 3d; else for ever.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why, for the list.")] = "",
    load: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="All sources in it, one a line.")
    ] = None,
    export: Annotated[bool, typer.Option("--export", help="The list as --import takes it.")] = False,
    json: Json = False,
) -> None:
    """Connections from the source are refused, whatever it does."""
    place = _place(context)
    if listing or export:
        _show_bans(admin.bans(place), as_list=export, json=json)
        return
    try:
        wanted = [*(sources or []), *(admin.imported(load) if load is not None else [])]
        if not wanted:
            raise Failure("say whom: an address, a network, --import FILE, or --list", USAGE)
        lasts = None if for_ is None else seconds(for_)
        here: Context = context.obj
        rows = here.act(lambda acts: acts.guard.ban_all(wanted, seconds=lasts, note=note))
    except NotASource as problem:
        raise Failure(str(problem), USAGE) from None
    if json:
        print_json(rows)
        return
    for row in rows:
        until = f"until {local_time(row['until'])}" if row["until"] else "until pardoned"
        print_lines([f"{row['source']} is shut out {until}"])


def pardon(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="An address or network; a name with --name.")
    ],
    name: Annotated[bool, typer.Option("--name", help="SOURCE is a name that is under attack.")] = False,
) -> None:
    """The source is neither banned nor refused any more."""
    here: Context = context.obj
    try:
        here.act(lambda acts: acts.guard.pardon_name(source) if name else acts.guard.pardon(source))
    except NotASource as problem:
        raise Failure(str(problem), USAGE) from None
    print_lines([f"{source} is pardoned"])


def _place(context: typer.Context) -> Place:
    here: Context = context.obj
    return Place(here.settings().state)


def _exported(place: Place, export: Export, since: float) -> Iterator[str]:
    if export is Export.NAMES:
        return admin.exported_names(place, since)
    if export is Export.ADDRESSES:
        return admin.exported_addresses(place, since)
    return admin.exported_nftables(row["source"] for row in admin.bans(place))


def _show_bans(rows: list[admin.Row], *, as_list: bool, json: bool) -> None:
    if json:
        print_json(rows)
    elif as_list:
        ours = [row for row in rows if row["by"] != "guard"]
        print_lines(f"{row['source']}  # {row['note']}" if row["note"] else row["source"] for row in ours)
    else:
        shown = [{**row, "until": local_time(row["until"]) if row["until"] else "pardoned"} for row in rows]
        columns = {"source": "source", "until": "until", "by": "by", "note": "note"}
        print_table(columns, shown, empty="nobody is shut out")


def _since(text: str) -> float:
    try:
        return time_since(text, datetime.now(UTC))
    except NoTime as problem:
        raise Failure(f"--since: {problem}", USAGE) from None


def add_to(app: typer.Typer) -> None:
    for command in (attacks, ban, pardon):
        app.command()(command)
