"""gatepost cert ..."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.certificate import certificate_rows, self_signed, write_pair
from gatepost.cli.context import FAILED, Failure
from gatepost.cli.output import print_fields, print_json

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
