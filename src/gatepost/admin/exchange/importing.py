"""Exports of Exchange and IIS read, and made into one configuration file that is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatepost.admin.exchange.connector_limits import dropped, hostname, limits
from gatepost.admin.exchange.connectors import received
from gatepost.admin.exchange.iis import from_metabase
from gatepost.admin.exchange.jsonfile import Thing, things
from gatepost.admin.exchange.metabase import metabase
from gatepost.admin.exchange.outbound import accepted, sent
from gatepost.admin.exchange.permissions import anonymous_relay
from gatepost.admin.exchange.plan import Fate, ImportFault, Plan
from gatepost.admin.exchange.writing import written

_LARGEST: Final = 64 * 1024 * 1024
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Imported:
    """The new file. `needs_certificate`: it names certs/mail.pem and certs/mail.key beside it."""

    text: str
    plan: Plan
    hostname: str
    needs_certificate: bool


def imported(files: Sequence[Path]) -> Imported:
    """One file made of all the exports. Raises ImportFault, OSError."""
    plan = Plan()
    exported: list[Thing] = []
    for file in files:
        content = _content(file)
        if _is_xml(content):
            from_metabase(metabase(content, file), plan)
        else:
            exported += things(content, file)
    _from_powershell(plan, exported)
    _completed(plan)
    needs = any(
        section.value("tls") not in (None, "off")
        for section in plan.sections.values()
        if _is_door(section.path)
    )
    if needs:
        certificate = plan.section(("certificates", "default"), "")
        certificate.set("chain", "certs/mail.pem", Fate.NEW, "replace it: `gatepost cert import FILE.pfx`")
        certificate.set("key", "certs/mail.key", Fate.NEW, "keys are not in the exports")
    plan.sections = dict(sorted(plan.sections.items(), key=lambda one: _ORDER.index(one[0][0])))
    host = plan.top.value("hostname")
    names = [file.name for file in files]
    return Imported(written(plan, names), plan, str(host), needs)


_ORDER: Final = ("domains", "certificates", "smtp", "pop3", "routes", "retry")


def _is_door(path: tuple[str, ...]) -> bool:
    return path[0] in ("smtp", "pop3")


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ImportFault(file, 1, "larger than 64 MiB", "name an export of Exchange or IIS")
    if not content.strip():
        raise ImportFault(file, 1, "empty", "export it again")
    return content


def _is_xml(content: bytes) -> bool:
    """Whether it begins as XML does, in whatever encoding."""
    for mark in _MARKS:
        content = content.removeprefix(mark)
    return content[:200].replace(b"\0", b"").lstrip().startswith(b"<")


def _from_powershell(plan: Plan, exported: Sequence[Thing]) -> None:
    kinds: dict[str, list[Thing]] = {}
    for thing in exported:
        kinds.setdefault(_kind(thing), []).append(thing)
    sent(plan, kinds.get("send", ()))
    permissions = anonymous_relay(kinds.get("permission", ()))
    for section, together in received(plan, kinds.get("receive", ()), permissions):
        hostname(plan, together)
        limits(section, together)
        dropped(section, together)
    accepted(plan, kinds.get("domain", ()))


def _kind(thing: Thing) -> str:
    """What was exported, by what it has. Raises ImportFault."""
    has = thing.properties.keys()
    if {"bindings", "remoteipranges"} <= has:
        return "receive"
    if "addressspaces" in has:
        return "send"
    if "domainname" in has and "domaintype" in has:
        return "domain"
    if "extendedrights" in has and "user" in has:
        return "permission"
    problem = "an object of an unknown kind"
    remedy = "export Get-ReceiveConnector, Get-SendConnector, Get-AcceptedDomain or Get-ADPermission whole"
    raise ImportFault(thing.file, thing.line, problem, remedy)


def _completed(plan: Plan) -> None:
    """What every file needs, and the exports may not have said."""
    if not any(map(_is_door, plan.sections)):
        plan.top.note(
            Fate.DECIDE, "no virtual server was found in the exports: name MetaBase.xml or receive connectors"
        )
    if plan.top.value("hostname") is None:
        domain = next((path[1] for path in plan.sections if path[0] == "domains"), "example.org")
        text = "the name by which this machine is known in the world was not in the exports"
        plan.top.set("hostname", f"mail.{domain}", Fate.DECIDE, text)
    plan.top.set(
        "state", "state", Fate.NEW, "spool, mailboxes, accounts, records; on a server /var/lib/gatepost"
    )
    if not any(path[0] == "domains" for path in plan.sections):
        plan.top.note(
            Fate.DECIDE, 'no local domain was found: mail for [domains."NAME"] is taken, other mail is relay'
        )
    if any(section.value("auth") for section in plan.sections.values()):
        text = (
            'people log in: name the directory their accounts are in, [directory.ad] with kind = "ldap" and '
            'url = "ldaps://DC", or make local ones with `gatepost user add`; until then nobody can'
        )
        plan.top.note(Fate.DECIDE, text)
    if not plan.has("routes", "*"):
        section = plan.section(("routes", "*"), "")
        section.set("via", "mx", Fate.NEW, "no smart host for everything: each domain's own servers")
