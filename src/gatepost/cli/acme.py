"""gatepost acme ..."""

from __future__ import annotations

import contextlib
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.certfiles import Places, put, service_owner
from gatepost.admin.generation import Generations
from gatepost.admin.link import NotRunning, Refused, ask_daemon
from gatepost.cli.context import NO, Context, Failure
from gatepost.config.acme import Acme
from gatepost.config.certificates import leaf_of
from gatepost.config.load import load_text
from gatepost.config.schema import Certificate, Settings
from gatepost.server.bind import CannotListen, listening_socket
from gatepost.store.place import Place

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Certificates from an authority that speaks ACME."""


@app.command()
def run(
    context: typer.Context,
    even_so: Annotated[bool, typer.Option("--even-so", help="Also when it is not due.")] = False,
    listen_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    in_force: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Fetch the certificate of [acme] when it is due; what runs takes it up. The daemon does so by itself."""
    here: Context = context.obj
    settings = _in_force(here) if in_force is None else load_text(in_force.read_text("utf-8"), here.file)
    if settings.acme is None:
        raise Failure(f"{here.file}: there is no [acme]; docs/certificates.md shows one")
    # the extra's libraries are large, and wanted here alone
    from gatepost.admin.acme import AcmeFailed, due, fetched

    acme, certificate = settings.acme, settings.certificates[settings.acme.certificate]
    reason = due(leaf_of(certificate), acme, datetime.now(UTC))
    if reason is None and not even_so:
        print(f"[certificates.{acme.certificate}] is not due; --even-so fetches a new one")
        return
    owner = service_owner(settings.state)
    try:
        end = _door(acme, listen_fd)
        pair = fetched(acme, Place(settings.state).acme, end, datetime.now(UTC))
    except (AcmeFailed, CannotListen) as problem:
        raise Failure(f"no certificate for {', '.join(acme.names)}: {problem}", NO) from None
    put(pair, _places(certificate), owner)
    with contextlib.suppress(NotRunning, Refused):  # what starts later sees the new one anyway
        ask_daemon(Place(settings.state).control, "certificates-look")
    print(f"[certificates.{acme.certificate}] is new ({reason or 'it was asked for'})")


def _in_force(here: Context) -> Settings:
    """What runs goes by, which may be older than the file; the file where nothing runs."""
    settings = here.settings()
    try:
        number = int(here.ask("status")["generation"])
    except (NotRunning, Refused):
        return settings
    return load_text(Generations(Place(settings.state).generations).text(number), here.file)


def _door(acme: Acme, number: int | None) -> socket.socket:
    if number is not None:
        return socket.socket(fileno=number)
    return listening_socket(acme.door.host, acme.door.port)


def _places(certificate: Certificate) -> Places:
    assert certificate.chain is not None  # a rule of the configuration
    assert certificate.key is not None
    return Places(certificate.chain, certificate.key)
