"""gatepost explain: why somebody may or may not, before or after he tried."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Annotated, Any

import typer

from gatepost.admin.explain import Case
from gatepost.admin.explain import explain as explained
from gatepost.admin.explain_rows import explanation_row
from gatepost.admin.explain_session import session_explained
from gatepost.admin.house import House
from gatepost.admin.learn import learning
from gatepost.admin.relay_report import relay_report
from gatepost.cli import explained as shown
from gatepost.cli.context import NO, USAGE, Context, Failure
from gatepost.cli.output import print_json
from gatepost.config.schema import Settings, SmtpServer
from gatepost.policy.facts import Peer
from gatepost.policy.principal import PrincipalError, parse_principal
from gatepost.store.place import Place

Row = dict[str, Any]


def explain(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The SMTP virtual server.")] = None,
    peer: Annotated[str | None, typer.Option("--from", metavar="IP", help="The peer's address.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="The peer uses TLS.")] = False,
    user: Annotated[str | None, typer.Option("--user", help="The peer logs in as this user.")] = None,
    certificate: Annotated[
        str | None,
        typer.Option("--certificate", metavar="NAME", help="The peer shows a certificate of this name."),
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--mail-from", metavar="A", help="The sender; <> is the null sender.")
    ] = None,
    rcpt: Annotated[str | None, typer.Option("--rcpt", metavar="B", help="The recipient.")] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="Instead: what is on record of a session.")
    ] = None,
    who: Annotated[
        str | None,
        typer.Option(
            "--who-can-relay", metavar="NAME", help="Instead: everybody who could, and through what."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The verdict on a session, stage by stage, with the entry that decided. Exit 3 if it is no yes."""
    here: Context = context.obj
    if sum(one is not None for one in (name, session, who)) != 1:
        raise Failure("explain: say NAME, or --session ID, or --who-can-relay NAME", USAGE)
    if session is not None:
        _session(here, session, json=json)
    elif who is not None:
        _who(here, who, json=json)
    elif name is None or peer is None or sender is None or rcpt is None:
        raise Failure("explain NAME needs --from IP, --mail-from A and --rcpt B", USAGE)
    else:
        shown = None if certificate is None else _certificate(certificate)
        case = Case(_peer(peer), tls, user, sender.strip("<>"), rcpt.strip("<>"), shown)
        _case(here, name, case, json=json)


def _case(here: Context, name: str, case: Case, *, json: bool) -> None:
    with here.accounts() as (settings, accounts), learning(settings, accounts) as known:
        server = _server(settings, name)
        facts = known.known(server, case)
        answer = explained(settings, server, case, facts)
        row = explanation_row(server.name, case, answer, facts.login, known.paths(facts.login))
    if json:
        print_json(row)
    else:
        shown.show_case(row)
    raise typer.Exit(0 if answer.allowed else NO)


def _who(here: Context, name: str, *, json: bool) -> None:
    with here.accounts() as (settings, accounts), learning(settings, accounts) as known:
        server = _server(settings, name)
        report = relay_report(server, known)
    if json:
        print_json(report)
    else:
        shown.show_relayers(server.name, report)


def _session(here: Context, session: str, *, json: bool) -> None:
    with here.accounts() as (settings, accounts):
        row = session_explained(House(here.file, Place(settings.state), accounts), session, settings)
    if row is None:
        raise Failure(f"nothing is on record of a session {session}; history is kept for a while only", NO)
    if json:
        print_json(row)
    else:
        shown.show_session(row)


def _server(settings: Settings, name: str) -> SmtpServer:
    server = settings.smtp.get(name.removeprefix("smtp."))
    if server is None:
        there = ", ".join(settings.smtp) or "none at all"
        raise Failure(f"there is no SMTP virtual server {name!r}; there is {there}", NO)
    return server


def _peer(text: str) -> Peer:
    try:
        address = ip_address(text)
    except ValueError:
        raise Failure(f"--from: {text!r} is no IP address; write 192.0.2.7 or 2001:db8::7", USAGE) from None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _certificate(name: str) -> str:
    """Raises Failure: no name that an entry could have."""
    name = name.removeprefix("certificate:")
    try:
        parse_principal(f"certificate:{name}")
    except PrincipalError as problem:
        raise Failure(f"--certificate: {problem}", USAGE) from None
    return name


def add_to(app: typer.Typer) -> None:
    app.command()(explain)
