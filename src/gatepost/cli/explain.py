"""gatepost explain."""

from __future__ import annotations

import typer


def explain(context: typer.Context) -> None:
    """The verdict on a session, stage by stage."""


def add_to(app: typer.Typer) -> None:
    app.command()(explain)
