"""gatepost selftest"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gatepost.admin.probe import Probe, Result
from gatepost.admin.selftest import selftest as probes
from gatepost.admin.selftest_round import announced
from gatepost.cli.context import NO, Context
from gatepost.cli.output import print_json, print_lines


def selftest(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Try each running virtual server as a stranger and as an account. Exit 3 if anything gets through."""
    here: Context = context.obj
    settings, status = here.settings(), here.ask("status")
    with announced(here.ask) as announce:
        found = list(probes(settings, status["listeners"], announce))
    if json:
        print_json([asdict(one) | {"result": one.result.value} for one in found])
    else:
        print_lines(_line(one) for one in found if one.result is not Result.PASSED)
        print_lines(_sums(found))
    raise typer.Exit(NO if any(one.result is Result.FAILED for one in found) else 0)


def _line(probe: Probe) -> str:
    return f"{probe.result.value.upper()} {probe.server} {probe.address}: {probe.name}: {probe.detail}"


def _sums(found: list[Probe]) -> list[str]:
    servers = dict.fromkeys(one.server for one in found)
    rows = []
    for server in servers:
        mine = [one.result for one in found if one.server == server]
        passed, failed = mine.count(Result.PASSED), mine.count(Result.FAILED)
        rows.append(f"{server}: {passed} tries refused as they should be, {failed} got through")
    return rows


def add_to(app: typer.Typer) -> None:
    app.command()(selftest)
