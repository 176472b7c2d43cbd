"""init, check."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gatepost.admin.administrators import first_link
from gatepost.admin.directory_check import directory_doubts
from gatepost.admin.init import AlreadyThere, Ports, make_directory
from gatepost.admin.relay_groups import relay_group_doubts
from gatepost.admin.silence import silent_log
from gatepost.cli.context import FAILED, NO, Context, Failure, who
from gatepost.cli.output import print_json, print_lines
from gatepost.cli.service import difference_in_force
from gatepost.config.check import check as check_settings
from gatepost.config.fault import Fault
from gatepost.config.finding import Finding, Findings
from gatepost.config.gateway import container_gateway
from gatepost.config.load import ConfigError
from gatepost.config.schema import DirectoryKind, Settings
from gatepost.store.accounts import Accounts
from gatepost.store.place import Place

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new working directory.")],
    hostname: Annotated[str, typer.Option(help="This host's name in the world, as in mail.example.org.")],
    domain: Annotated[str, typer.Option(help="The first domain whose mail is kept here.")],
    address: Annotated[str, typer.Option(help="The address all virtual servers listen on.")] = "0.0.0.0",
    smtp_port: Annotated[int, typer.Option(help="Port of the Internet virtual server.")] = 25,
    submission_port: Annotated[int, typer.Option(help="Port of the submission virtual server.")] = 587,
    pop3_port: Annotated[int, typer.Option(help="Port of POP3 with STLS.")] = 110,
    pop3s_port: Annotated[int, typer.Option(help="Port of POP3 over TLS.")] = 995,
    console_port: Annotated[
        int, typer.Option(help="Port of the console, on the loopback; 0: no console.")
    ] = 8025,
    state: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Where spool, mailboxes and accounts are, seen from the new file."),
    ] = Path("state"),
    next_hop: Annotated[
        str, typer.Option(help="Where mail for elsewhere goes: mx, smtp://host:port, capture:DIR ...")
    ] = "mx",
) -> None:
    """Make a working directory: the file, a self-signed certificate, the group "POP3 Relay"."""
    console = console_port if importlib.util.find_spec("nicegui") is not None else 0
    ports = Ports(address, smtp_port, submission_port, pop3_port, pop3s_port, console or None)
    try:
        file = make_directory(
            folder,
            hostname=hostname,
            domain=domain,
            ports=ports,
            next_hop=next_hop,
            by=who(),
            state=state,
        )
    except AlreadyThere as problem:
        raise Failure(str(problem)) from None
    print(f"{file} is written: nothing relays but for members of the group POP3 Relay, over TLS.")
    print(f"Next: gatepost -c {file} user add NAME@{domain}")
    print(f'      gatepost -c {file} group join "POP3 Relay" NAME@{domain}')
    print(f"      gatepost -c {file} run")
    if console:
        _print_first_link(Context(file.absolute()))


def _print_first_link(here: Context) -> None:
    with here.accounts() as (settings, accounts):
        link = first_link(settings, accounts, by=who())
    if link is not None:
        print(
            f"While it runs, this link makes the first administrator; it works once, for a day:\n      {link}"
        )


def check(
    context: typer.Context,
    diff: Annotated[
        bool, typer.Option("--diff", help="Say in words what a reload of the file would change.")
    ] = False,
    directory: Annotated[
        bool, typer.Option("--directory", help="Ask the directories too: relay groups, names in two of them.")
    ] = False,
    json: Json = False,
) -> None:
    """Say whether the file is valid and closed: every fault with its line. Exit 3 if it is unsafe."""
    file = context.obj.file
    try:
        settings = context.obj.settings()
    except ConfigError as error:
        _show_faults(file, error, json=json)
    findings = _findings(settings, directory=directory)
    changes = [change.text for change in difference_in_force(context.obj)] if diff else None
    if json:
        print_json({"file": str(file), "valid": True, "safe": findings.is_safe,
                    "findings": [_finding_row(one) for one in findings.items],
                    **({} if changes is None else {"changes": changes})})  # fmt: skip
    else:
        if changes is not None:
            print_lines(changes or ["A reload would change nothing."])
        for finding in findings.items:
            print(finding, file=sys.stderr)
        print(_verdict(file, errors=len(findings.errors), warnings=len(findings.warnings)))
    raise typer.Exit(0 if findings.is_safe else NO)


def _findings(settings: Settings, *, directory: bool) -> Findings:
    """With names looked up where the accounts are there; `directory` asks the other directories too."""
    path = Place(settings.state).accounts
    with ExitStack() as stack:
        accounts = stack.enter_context(closing(Accounts.open(path))) if path.exists() else None
        found = _settings_findings(settings, accounts)
        warnings = [*found.warnings]
        if accounts is not None:
            warnings += relay_group_doubts(settings, accounts)
        if directory:
            warnings += directory_doubts(settings, accounts, stack.enter_context(silent_log()))
    return Findings((*found.errors, *sorted(warnings, key=lambda finding: finding.line)))


def _settings_findings(settings: Settings, accounts: Accounts | None) -> Findings:
    # what is not a local name may be in another directory, which is not asked here
    alone = all(one.kind is DirectoryKind.LOCAL for one in settings.directory.values())
    if accounts is None or not alone:
        return check_settings(settings, gateway=container_gateway())
    return check_settings(
        settings,
        gateway=container_gateway(),
        group_exists=lambda name: accounts.groups.find(name) is not None,
        user_exists=lambda name: accounts.users.find(name, tuple(settings.domains)) is not None,
    )


def _show_faults(file: Path, error: ConfigError, *, json: bool) -> None:
    if json:
        print_json({"file": str(file), "valid": False, "safe": False,
                    "faults": [_fault_row(one) for one in error.faults]})  # fmt: skip
    else:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        print(f"{file}: not valid, {len(error.faults)} fault{'s' if len(error.faults) != 1 else ''}")
    raise typer.Exit(FAILED)


def _fault_row(fault: Fault) -> dict[str, object]:
    return {**asdict(fault), "file": str(fault.file)}


def _finding_row(finding: Finding) -> dict[str, object]:
    return {"severity": finding.severity.value, "file": str(finding.file), "line": finding.line,
            "text": finding.text, "remedy": finding.remedy}  # fmt: skip


def _verdict(file: Path, *, errors: int, warnings: int) -> str:
    warned = f", {warnings} warning{'s' if warnings != 1 else ''}" if warnings else ""
    if errors:
        return f"{file}: valid but NOT SAFE: {errors} error{'s' if errors != 1 else ''}{warned}"
    return f"{file}: valid, and closed: a stranger cannot relay{warned}"


def add_to(app: typer.Typer) -> None:
    for verb in (init, check):
        app.command()(verb)
