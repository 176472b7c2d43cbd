"""gatepost cert ..."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.certfiles import named_in, places, put, service_owner
from gatepost.admin.certificate import certificate_rows, self_signed, write_pair
from gatepost.admin.certimport import (
    CannotImport,
    Imported,
    PasswordNeeded,
    doubts,
    known_roots,
    objections,
    opened,
)
from gatepost.cli.context import FAILED, NO, Context, Failure
from gatepost.cli.output import print_fields, print_json
from gatepost.config.certificates import dns_names
from gatepost.config.edit import Draft, EditError
from gatepost.config.load import ConfigError
from gatepost.secret import Secret

app = typer.Typer(no_args_is_help=True)


@app.command("self-signed")
def make(
    folder: Annotated[Path, typer.Argument(help="Where NAME.pem and NAME.key are written.")],
    hostname: Annotated[list[str], typer.Option(help="A name it is for; may be repeated.")],
    name: Annotated[str, typer.Option(help="The name of the files.")] = "mail",
) -> None:
    """A self-signed certificate and its key. Files that are there already are not touched."""
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    folder.mkdir(parents=True, exist_ok=True)
    if chain.exists() or key.exists():
        raise Failure(f"{chain} or {key} is there already; say --name, or remove them", FAILED)
    write_pair(self_signed(hostname), chain, key)
    print(f"{chain} and {key} are written")


@app.command()
def show(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """The certificates of the file: for which names, until when, who uses them."""
    rows = certificate_rows(context.obj.settings())
    if json:
        print_json(rows)
        return
    if not rows:
        print("The file names no certificate; `gatepost cert self-signed` makes one.")
    for index, row in enumerate(rows):
        if index:
            print()
        print_fields(row)


@app.command("import")
def bring(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PKCS#12 (.pfx, .p12), or PEM.")],
    key: Annotated[Path | None, typer.Option(help="The key's own file, where FILE does not hold it.")] = None,
    name: Annotated[str, typer.Option(help="[certificates.NAME] gets it.")] = "default",
    password_file: Annotated[
        Path | None, typer.Option(help="The password it is locked with, in the first line of this file.")
    ] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Let the running Gatepost take it up.")] = False,
    even_so: Annotated[bool, typer.Option("--even-so", help="Also when it has ended or not begun.")] = False,
) -> None:
    """Check a certificate with its key, put both beside the file, and name them in it."""
    here: Context = context.obj
    try:
        where = places(here.file.parent, name)
        imported = _opened(file, key, password_file)
        _judge(imported, even_so=even_so)
        hostname, state = _of_file(here)
        for kept in put(imported.pair(), where, service_owner(state)):
            print(f"the one before is kept as {kept}")
        named_in(here.file, name, where)
        _note(here, state, name, imported)
    except CannotImport as problem:
        raise Failure(f"{file}: {problem}", NO) from None
    except EditError as problem:
        raise Failure(str(problem), FAILED) from None
    names = ", ".join(dns_names(imported.leaf)) or imported.leaf.subject.rfc4514_string()
    ends = imported.leaf.not_valid_after_utc
    print(f"[certificates.{name}] is for {names}, until {ends:%Y-%m-%d}: {where.chain}, {where.key}")
    for doubt in doubts(imported, hostname, known_roots()):
        print(f"gatepost: warning: {doubt}", file=sys.stderr)
    if reload:
        generation = here.act(lambda acts: acts.config.reload()).generation
        here.ask("certificates-look")
        print(f"taken up, generation {generation}; open sessions go on with the one they know")
    else:
        print(f"`gatepost -c {here.file} reload` takes it up; new connections see it then")


def _note(here: Context, state: Path, name: str, imported: Imported) -> None:
    ends = imported.leaf.not_valid_after_utc.isoformat()
    here.note(state, "cert-import", name, {"names": ", ".join(dns_names(imported.leaf)), "not_after": ends})


def _opened(file: Path, key: Path | None, password_file: Path | None) -> Imported:
    """Asks at the terminal for a password that is needed. Raises CannotImport, OSError."""
    content, key_content = file.read_bytes(), key.read_bytes() if key else None
    password = None
    if password_file is not None:
        password = Secret(password_file.read_text("utf-8").partition("\n")[0].rstrip("\r"))
    try:
        return opened(content, password, key_content)
    except PasswordNeeded:
        if password_file is not None or not sys.stdin.isatty():
            raise
    return opened(content, Secret(getpass(f"Password of {key or file}: ")), key_content)


def _judge(imported: Imported, *, even_so: bool) -> None:
    for objection in objections(imported, datetime.now(UTC)):
        if not even_so:
            raise CannotImport(f"{objection} (--even-so imports it all the same)")
        print(f"gatepost: warning: {objection}", file=sys.stderr)


def _of_file(here: Context) -> tuple[str, Path]:
    """Hostname and state folder, also of a file that is not valid: this may be what mends it."""
    try:
        settings = here.settings()
    except ConfigError:
        draft = Draft(here.file)
        hostname, state = (str(draft.value((key,)) or "") for key in ("hostname", "state"))
        return hostname, here.file.parent / (state or ".")
    return settings.hostname, settings.state
