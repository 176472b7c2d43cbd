"""The form of `gatepost explain`; the answer is the same, stage by stage."""

from __future__ import annotations

import shlex
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from nicegui import ui

from gatepost.admin.explain import Case
from gatepost.admin.explain import explain as explained
from gatepost.admin.explain_rows import explanation_row
from gatepost.admin.explain_text import identity_lines, stage_lines, verdict_lines
from gatepost.admin.learn import learning
from gatepost.config.schema import SmtpServer
from gatepost.console.context import Context
from gatepost.console.page import page
from gatepost.console.search import Condition, search
from gatepost.console.table import Text, empty, heading, section
from gatepost.console.texts import looking as words
from gatepost.policy.facts import Peer
from gatepost.policy.principal import PrincipalError, parse_principal

Row = dict[str, Any]
_PATH: Final = "/explain"


@page(_PATH, words.EXPLAIN, "explain")
async def explain(context: Context) -> None:
    """The form, and the answer when it is filled in."""
    heading(words.EXPLAIN, words.ABOUT_EXPLAIN)
    settings, query = context.house.settings(), context.query
    names = list(settings.smtp)
    if not names:
        empty(words.NO_SMTP)
        return
    conditions = [
        Condition("server", words.SERVER, {name: name for name in names[1:]}, otherwise=names[0]),
        Condition("from", words.PEER),
        Condition("tls", words.TLS, {"yes": words.WITH_TLS}, otherwise=words.IN_CLEAR),
        Condition("user", words.LOGIN),
        Condition("certificate", words.CERTIFICATE, hint=words.CERTIFICATE_HINT),
        Condition("mail_from", words.MAIL_FROM),
        Condition("rcpt", words.RCPT),
    ]
    search(_PATH, conditions, query, verb=words.EXPLAIN)
    if not (query.get("from") and query.get("mail_from") and query.get("rcpt")):
        empty(words.FILL_IN, words.FILL_IN_REMEDY)
        return
    peer = _peer(query["from"])
    if peer is None:
        Text("p", words.NO_ADDRESS.format(text=query["from"]), "gp-note bad").props("role=alert")
        return
    server = settings.smtp.get(query.get("server", ""), settings.smtp[names[0]])
    sender, rcpt = query["mail_from"].strip("<>"), query["rcpt"].strip("<>")
    shown = query.get("certificate", "").removeprefix("certificate:")
    if shown and (problem := _no_certificate(shown)):
        Text("p", problem, "gp-note bad").props("role=alert")
        return
    case = Case(peer, query.get("tls") == "yes", query.get("user") or None, sender, rcpt, shown or None)
    _answer(await context.house.work(lambda: _row(context, server, case)))
    section(words.ON_COMMAND_LINE)
    Text("pre", _command(server.name, case), "gp-code gp-mono gp-panel").props("tabindex=0")


def _row(context: Context, server: SmtpServer, case: Case) -> Row:
    settings = context.house.settings()
    with learning(settings, context.house.accounts) as known:
        facts = known.known(server, case)
        answer = explained(settings, server, case, facts)
        return explanation_row(server.name, case, answer, facts.login, known.paths(facts.login))


def _answer(row: Row) -> None:
    kind = "good" if row["allowed"] else "bad"
    with ui.element("div").classes(f"gp-note {kind}").props("role=status"):
        for line in verdict_lines(row):
            Text("div", line, "gp-break")
    if isinstance(row["user"], dict):
        with ui.element("div").classes("gp-panel"):
            for line in identity_lines(row["user"]):
                Text("div", line, "gp-break gp-keep")
    stages_of(row)


def stages_of(row: Row) -> None:
    """Every stage with its answer, and why."""
    with ui.element("ol").classes("gp-steps"):
        for stage in row["stages"]:
            first, *rest = stage_lines(stage)
            kind = {"yes": "good", "no": "bad"}.get(stage["answer"], "warn") if stage["reached"] else ""
            with ui.element("li").classes(kind):
                Text("div", first, f"gp-break gp-keep gp-mono {'' if stage['reached'] else 'gp-quiet'}")
                for line in rest:
                    Text("div", line, "gp-quiet gp-break")


def _peer(text: str) -> Peer | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _no_certificate(name: str) -> str:
    """Why no entry could have that name; empty: one could."""
    try:
        parse_principal(f"certificate:{name}")
    except PrincipalError as problem:
        return str(problem)
    return ""


def _command(server: str, case: Case) -> str:
    words_of_it = ["gatepost", "explain", server, "--from", str(case.peer), *(["--tls"] if case.tls else [])]
    if case.user:
        words_of_it += ["--user", case.user]
    if case.certificate:
        words_of_it += ["--certificate", case.certificate]
    return shlex.join([*words_of_it, "--mail-from", case.sender or "<>", "--rcpt", case.recipient])
