"""gatepost config set|unset|allow|deny|rename-server: the file is edited as a person would, comments kept."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

import typer

from gatepost.admin.file_edits import BadEdit, BadKey, Edit, Entry, SetKey, UnsetKey, edit, server_path
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import print_lines
from gatepost.cli.service import changes
from gatepost.cli.service import config as app
from gatepost.config.check import check
from gatepost.config.edit import Draft, EditError
from gatepost.config.load import ConfigError
from gatepost.config.renames import rename

Key = Annotated[
    str, typer.Argument(metavar="KEY", help='As smtp.submission.tls or domains."a.example".unknown.')
]
Server = Annotated[
    str, typer.Argument(metavar="NAME", help="A virtual server; pop3.NAME where SMTP has it too.")
]
Rights = Annotated[
    list[str], typer.Argument(metavar="RIGHT...", help="connect submit relay any-sender collect")
]
To = Annotated[str, typer.Option("--to", help="anyone, authenticated, user:NAME, group:NAME, net:CIDR, ...")]
From = Annotated[
    list[str] | None, typer.Option("--from", metavar="CIDR", help="Only from there; may be repeated.")
]


@app.command("set")
def set_key(
    context: typer.Context,
    key: Key,
    value: Annotated[str, typer.Argument(help="As TOML has it; what is none is text.")],
) -> None:
    """A key of the file has the value. `gatepost reload` takes it over."""
    here: Context = context.obj
    draft = _draft(here)
    _edit(draft, SetKey(key, _value(value)))
    _save(here, draft)


@app.command()
def unset(context: typer.Context, key: Key) -> None:
    """A key, a table or an entry (`smtp.NAME.access[0]`) is out of the file."""
    here: Context = context.obj
    draft = _draft(here)
    _edit(draft, UnsetKey(key))
    _save(here, draft)


@app.command()
def allow(context: typer.Context, name: Server, rights: Rights, to: To, source: From = None) -> None:
    """The access table of a virtual server ends with an entry that allows."""
    _enter(context.obj, "allow", name, rights, to, source)


@app.command()
def deny(context: typer.Context, name: Server, rights: Rights, to: To, source: From = None) -> None:
    """The access table of a virtual server ends with an entry that denies; a deny wins over everything."""
    _enter(context.obj, "deny", name, rights, to, source)


@app.command("rename-server")
def rename_server(
    context: typer.Context,
    name: Server,
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="What it is called then: letters, digits, - and _.")
    ],
) -> None:
    """A virtual server is called otherwise; its addresses, rights and whether it is stopped stay."""
    here: Context = context.obj
    draft = _draft(here)
    try:
        protocol, old = server_path(draft, name)
        rename(draft, (protocol, old), new.removeprefix(f"{protocol}."))
    except EditError as problem:
        raise Failure(str(problem), NO) from None
    _save(here, draft)


def _enter(here: Context, word: str, name: str, rights: list[str], to: str, source: list[str] | None) -> None:
    draft = _draft(here)
    _edit(draft, Entry(name, word, rights, to, source or ()))
    _save(here, draft)


def _edit(draft: Draft, one: Edit) -> None:
    try:
        edit(draft, [one])
    except BadEdit as problem:
        raise Failure(str(problem), USAGE if isinstance(problem, BadKey) else NO) from None


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _draft(here: Context) -> Draft:
    here.settings()  # what is not valid is mended by hand first
    return Draft(here.file)


def _save(here: Context, draft: Draft) -> None:
    """The file is as drafted, and it was told what that changes; not if it were invalid or open."""
    try:
        after = draft.settings()
    except ConfigError as problem:
        raise Failure(f"nothing was written: {problem}") from None
    findings = check(after)
    if not findings.is_safe:
        raise Failure(f"nothing was written, a stranger could relay: {findings.errors[0]}", NO)
    said = [change.text for change in changes(here, here.settings(), after)]
    try:
        draft.save()
    except EditError as problem:
        raise Failure(str(problem)) from None
    print_lines(said)
    print(f"{here.file} is written; `gatepost reload` takes it over")
