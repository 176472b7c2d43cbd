"""status."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatepost.admin.status import status_row
from gatepost.cli.context import Context
from gatepost.cli.output import local_time, print_fields, print_json, size

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(context: typer.Context, json: Json = False) -> None:
    """Virtual servers, sessions, queue, certificates. Exit 1 when nothing runs."""
    here: Context = context.obj
    row = status_row(here.settings(), here.ask("status"))
    if json:
        print_json(row)
        return
    queue = row["queue"]
    counts = ", ".join(f"{queue[state]} {state}" for state in ("active", "deferred", "held"))
    print_fields(
        {
            "host": row["hostname"],
            "file": row["file"],
            "running since": local_time(row["started_at"]),
            "generation": row["generation"],
            "workers": f"{row['workers']} ({row['worker_restarts']} restarts)",
            "listening": [_listener(server) for server in row["virtual_servers"]],
            "sessions": row["sessions"],
            "queue": f"{counts}, {size(queue['size_bytes'])}",
            "certificates": [_certificate(one) for one in row["certificates"]],
            "self-test": _selftest(row["selftest"]),
            "trouble": [f"{server}: {why}" for server, why in row["trouble"].items()],
        }
    )


def _listener(server: dict[str, Any]) -> str:
    where = ", ".join(server["listening"]) or "no address"
    state = "" if server["state"] == "running" else f"{server['state'].upper()}, "
    return f"{state}{server['protocol']}.{server['name']} on {where}, {server['sessions']} sessions"


def _selftest(row: dict[str, Any]) -> list[str]:
    if "at" not in row:
        return [row["state"]]
    summary = f"{row['state']}: {row['tried']} tries, {local_time(row['at'])}"
    return [summary, *(f"GOT THROUGH {failed}" for failed in row["failed"])]


def _certificate(one: dict[str, Any]) -> str:
    if "problem" in one:
        return f"{one['name']}: {one['problem']}"
    return f"{one['name']} for {', '.join(one['names'])}, {one['days_left']} days left"


def add_to(app: typer.Typer) -> None:
    app.command()(status)
