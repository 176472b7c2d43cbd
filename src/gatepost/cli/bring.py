"""gatepost import ...: the settings of other mail servers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.certificate import self_signed, write_pair
from gatepost.admin.exchange.importing import Imported, imported
from gatepost.admin.exchange.plan import Fate, ImportFault
from gatepost.cli.context import FAILED, NO, Failure
from gatepost.cli.output import print_lines
from gatepost.config.check import check
from gatepost.config.load import ConfigError, load

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _import() -> None:
    """Settings of other mail servers, as a file of ours."""


@app.command()
def exchange(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="MetaBase.xml of IIS or Exchange 2000/2003; JSON of Get-ReceiveConnector, "
            "Get-SendConnector, Get-AcceptedDomain, Get-ADPermission.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write here. Default: print what would be written.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also when FILE is there already.")] = False,
) -> None:
    """Make a configuration file of what Exchange or IIS exported. An open relay is never written open.

    Exit 3 if `gatepost check` would not take the file that was written.
    """
    try:
        found = imported(files)
    except ImportFault as fault:
        raise Failure(str(fault), FAILED) from None
    except OSError as problem:
        text = f"{problem.filename}: cannot be read: {problem.strerror}; name an export of Exchange or IIS"
        raise Failure(text, FAILED) from None
    if out is None:
        sys.stdout.write(found.text)
        return
    if out.exists() and not overwrite:
        raise Failure(f"{out} is there already; say --overwrite, or name another file", FAILED)
    _write(out, found)
    _tell(out, found)


def _write(out: Path, found: Imported) -> None:
    """The file is there, and a certificate to begin with where it names one."""
    out.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(found.text)
    chain, key = out.parent / "certs" / "mail.pem", out.parent / "certs" / "mail.key"
    if found.needs_certificate and not chain.exists() and not key.exists():
        chain.parent.mkdir(exist_ok=True, mode=0o700)
        write_pair(self_signed([found.hostname, "localhost"]), chain, key)
        print(f"{chain} and {key} are written: self-signed, to begin with")


def _tell(out: Path, found: Imported) -> None:
    counts = {fate: sum(note.fate is fate for note in found.plan.notes()) for fate in Fate}
    undecided = list(dict.fromkeys(found.plan.undecided()))
    for note in undecided:
        print_lines([f"DECIDE: {note.text}{f' ({note.origin})' if note.origin else ''}"])
    numbers = ", ".join(
        f"{counts[fate]} {fate.value}" for fate in Fate if fate not in (Fate.DECIDE, Fate.NEW)
    )
    print(f"{out} is written: {numbers}, {len(undecided)} to decide")
    try:
        findings = check(load(out))
    except ConfigError as problem:
        raise Failure(str(problem), NO) from None
    if not findings.is_safe:
        raise Failure("\n".join(map(str, findings.errors)), NO)
    print(f"It is valid, and closed: a stranger cannot relay. Next: gatepost -c {out} check")
