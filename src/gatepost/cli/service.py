"""reload, start, stop, pause, sessions, config: what changes a running Gatepost."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatepost.admin.difference import Change, difference
from gatepost.admin.generation import Generations
from gatepost.admin.identities import identities
from gatepost.cli.context import NO, Context, Failure
from gatepost.cli.output import print_json, print_lines, print_table
from gatepost.config.check import check
from gatepost.config.load import ConfigError, load_text
from gatepost.config.schema import Settings
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place
from gatepost.wholefile import replace_file

if TYPE_CHECKING:
    from gatepost.admin.acts import Acts

_STATE = re.compile(r'^state\s*=\s*"([^"]+)"', re.MULTILINE)
_NOTED = 50
config = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Server = Annotated[str, typer.Argument(metavar="NAME", help="The virtual server, or pop3.NAME.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The generation, as in `config history`.", min=1)]


def reload(context: typer.Context) -> None:
    """Take over the edited file in all workers; open sessions go on. All or nothing."""
    here: Context = context.obj
    applied = here.act(lambda acts: acts.config.reload())
    print(f"generation {applied.generation} is in force")
    if applied.after_restart:
        print(f"from the next start: {', '.join(applied.after_restart)}")


def start(context: typer.Context, name: Server) -> None:
    """Let a virtual server accept connections again."""
    _switch(context, lambda acts: acts.server.start(name))


def stop(context: typer.Context, name: Server) -> None:
    """Close a virtual server's addresses; open sessions go on. It stays so over a restart."""
    _switch(context, lambda acts: acts.server.stop(name))


def pause(context: typer.Context, name: Server) -> None:
    """Answer new connections with 421; open sessions go on. It stays so over a restart."""
    _switch(context, lambda acts: acts.server.pause(name))


def _switch(context: typer.Context, act: Callable[[Acts], Coroutine[Any, Any, dict[str, Any]]]) -> None:
    here: Context = context.obj
    answer = here.act(act)
    print(f"{answer['virtual_server']} is {answer['state']}")


def sessions(
    context: typer.Context,
    action: Annotated[str, typer.Argument(metavar="[close]", help="close: end sessions.")] = "",
    session: Annotated[str, typer.Argument(metavar="[ID]", help="The session to close.")] = "",
    user: Annotated[str | None, typer.Option(help="With close: all sessions of this user.")] = None,
    json: Json = False,
) -> None:
    """Who is connected: user, source, virtual server, TLS, since when, messages. Or close sessions."""
    if action == "close":
        if not session and user is None:
            raise Failure("say which: `gatepost sessions close ID`, or `--user NAME`", 2)
        here: Context = context.obj
        closed = here.act(lambda acts: acts.session.close(session=session or None, user=user))
        print_lines([f"{one} is closed" for one in closed])
        if not closed:
            raise Failure("there is no such session", NO)
        return
    if action:
        raise Failure(f"{action!r} is no action here: say close, or nothing", 2)
    rows = context.obj.ask("sessions")
    if json:
        print_json(rows)
        return
    columns = {"id": "ID", "protocol": "PROTOCOL", "virtual_server": "SERVER", "peer": "FROM", "user": "USER",
               "device": "DEVICE", "tls": "TLS", "since": "SINCE", "messages": "MESSAGES"}  # fmt: skip
    for row in rows:
        row["user"] = row["user"] or (f"certificate:{row['certificate']}" if row["certificate"] else None)
    print_table(columns, rows, empty="Nobody is connected.")


def changes(context: Context, before: Settings, after: Settings) -> list[Change]:
    """What `after` changes, asked for every local user."""
    path = Place(after.state).accounts
    if not path.exists():
        return difference(before, after)
    accounts = Accounts.open(path)
    try:
        return difference(before, after, identities(after, accounts))
    finally:
        accounts.close()


def difference_in_force(context: Context) -> list[Change]:
    """What a reload of the file would change. Raises Failure when nothing has run here yet."""
    after = context.settings()
    generations = Generations(Place(after.state).generations)
    history = generations.history()
    if not history:
        raise Failure("nothing has run with this file yet, so there is nothing to compare it with", NO)
    before = load_text(generations.text(history[-1].number), context.file)
    return changes(context, before, after)


@config.command()
def history(context: typer.Context, json: Json = False) -> None:
    """Every configuration that was taken over: number, when, by whom."""
    rows = [
        {"generation": one.number, "taken_over_at": one.at, "by": one.by}
        for one in _generations(context.obj).history()
    ]
    if json:
        print_json(rows)
        return
    columns = {"generation": "N", "taken_over_at": "TAKEN OVER AT", "by": "BY"}
    print_table(columns, rows, empty="Nothing has run with this file yet.")


@config.command()
def show(context: typer.Context, number: Number, json: Json = False) -> None:
    """The file as it was in that generation."""
    text = _text(context.obj, number)
    if json:
        print_json({"generation": number, "text": text})
    else:
        print(text, end="")


@config.command()
def undo(
    context: typer.Context,
    number: Number,
    only_show: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Make the file what it was in that generation. Then `gatepost reload` takes it over."""
    here: Context = context.obj
    text = _text(here, number)
    after = load_text(text, here.file)
    findings = check(after)
    if not findings.is_safe:
        raise Failure(f"generation {number} would not be safe: {findings.errors[0]}", NO)
    try:
        said = [change.text for change in changes(here, here.settings(), after)]
    except ConfigError:
        said = ["The file as it is now is not valid; every setting comes from the generation."]
    print_lines(said)
    if not only_show:
        kept = here.file.with_name(here.file.name + ".before-undo")
        replace_file(kept, here.file.read_bytes())
        replace_file(here.file, text.encode())
        here.note(after.state, "config-undo", "configuration", {"file_of": number, "changes": said[:_NOTED]})
        print(f"{here.file} is generation {number} again, what it was is in {kept.name};")
        print("`gatepost reload` takes it over")


def _generations(context: Context) -> Generations:
    return Generations(Place(_state(context)).generations)


def _state(context: Context) -> Path:
    """The state folder, also where the file is broken: undo is how it is mended."""
    try:
        return context.settings().state
    except ConfigError:
        found = _STATE.search(context.file.read_text("utf-8", "replace"))
        if found is None:
            raise
        return context.file.parent / found[1]


def _text(context: Context, number: int) -> str:
    try:
        return _generations(context).text(number)
    except FileNotFoundError:
        raise Failure(f"there is no generation {number}; `gatepost config history` lists them", NO) from None


def add_to(app: typer.Typer) -> None:
    for verb in (reload, start, stop, pause, sessions):
        app.command()(verb)
