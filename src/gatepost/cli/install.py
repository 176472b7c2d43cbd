"""gatepost install-service"""

from __future__ import annotations

import pwd
import sys
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.unit import UNIT_FILE, unit
from gatepost.cli.context import Context, Failure


def install_service(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="Whose rights the service has.")] = "gatepost",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the unit, write nothing.")] = False,
) -> None:
    """Write the systemd unit for this file: hardened, watched, with no right but to bind low ports."""
    here: Context = context.obj
    settings = here.settings()
    text = unit(settings, file=here.file, program=_program(), user=user)
    if dry_run:
        print(text, end="")
        return
    try:
        UNIT_FILE.write_text(text, "utf-8")
    except OSError as problem:
        raise Failure(f"{UNIT_FILE}: {problem.strerror}; be root, or say --dry-run to see the unit") from None
    print(f"{UNIT_FILE} is written. Next, as root:")
    if not _exists(user):
        print(f"  useradd --system --no-create-home --shell /usr/sbin/nologin {user}")
    print(f"  chown -R {user}: {settings.state}")
    print(f"  chgrp -R {user} {here.file.parent} && chmod -R g+rX,o-rwx {here.file.parent}")
    print("  systemctl daemon-reload && systemctl enable --now gatepost")


def _program() -> Path:
    """The command beside the interpreter, as it was installed."""
    beside = Path(sys.executable).with_name("gatepost")
    return beside if beside.exists() else Path(sys.argv[0]).resolve()


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def add_to(app: typer.Typer) -> None:
    app.command("install-service")(install_service)
