"""run."""

from __future__ import annotations

import os
import sys

import typer


def run(context: typer.Context) -> None:
    """Serve in the foreground. Says "ready" when all listeners are bound; SIGTERM drains."""
    # one process less to signal: the daemon takes this one's place
    os.execv(sys.executable, [sys.executable, "-m", "gatepost.daemon", str(context.obj.file)])  # noqa: S606


def add_to(app: typer.Typer) -> None:
    app.command()(run)
