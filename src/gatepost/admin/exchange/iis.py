"""The metabase of IIS and Exchange 2000/2003 as a plan: virtual servers, domains, the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gatepost.admin.exchange.doors import SUBMIT, allow
from gatepost.admin.exchange.iis_doors import Door, connecting, logins, relaying, servers, takes_anonymous
from gatepost.admin.exchange.iis_limits import dropped, limits, retry
from gatepost.admin.exchange.metabase import Metabase, Property
from gatepost.admin.exchange.plan import Fate, Note, Plan, Section
from gatepost.config.value import ascii_domain

# RouteAction, smtpinet.h: what is done with mail for a domain.
_DROP, _SMARTHOST, _SSL, _ALIAS, _DELIVER, _DEFAULT, _DOMAIN_RELAY = 1, 2, 4, 16, 32, 64, 4096
_LOCAL: Final = _DROP | _ALIAS | _DELIVER | _DEFAULT
_TRY_FIRST: Final = 1


def from_metabase(base: Metabase, plan: Plan) -> None:
    """Everything of the export is in the plan. Raises ImportFault."""
    doors = [Door(base, key, plan) for key in base.of_kind("IIsSmtpServer")]
    for door in doors:
        _hostname(door)
        for section in servers(door, "smtp"):
            _smtp(door, section)
    for key in base.of_kind("IIsPop3Server"):
        door = Door(base, key, plan)
        for section in servers(door, "pop3"):
            _pop3(door, section)
    for key in base.of_kind("IIsSmtpDomain"):
        _domain(Door(base, key, plan))
    for door in doors:
        _smart_host(door)
        _default_domain(door)
    retry(plan, doors)


def _smtp(door: Door, section: Section) -> None:
    can_log_in = logins(door, section, "smtp")
    connecting(door, section)
    if takes_anonymous(door):
        note = Note(
            Fate.CARRIED, "AuthFlags: anonymous access; to the domains of this house alone", door.origin()
        )
        allow(section, SUBMIT, "anonymous", note)
    relaying(door, section, can_log_in=can_log_in)
    limits(door, section)
    dropped(door, section)


def _pop3(door: Door, section: Section) -> None:
    logins(door, section, "pop3")
    connecting(door, section)
    note = Note(Fate.CARRIED, "whoever logs in collects", door.origin())
    allow(section, ("collect",), "authenticated", note)
    limits(door, section)
    dropped(door, section)


def _hostname(door: Door) -> None:
    one = door.key.get("FullyQualifiedDomainName")
    if one is None or not one.text:
        return
    name = ascii_domain(one.text.strip())
    if name is None:
        door.plan.top.note(
            Fate.DECIDE, f"FullyQualifiedDomainName {one.text!r} is no host name", door.origin(one)
        )
        return
    if door.plan.top.value("hostname") in (None, name):
        door.plan.top.set("hostname", name, Fate.CARRIED, one.name, door.origin(one))
    else:
        text = f"{one.name} {name}: there is one hostname for all; a further certificate serves other names"
        door.plan.top.note(Fate.DROPPED, text, door.origin(one))


def _domain(door: Door) -> None:
    raw = door.key.location.rpartition("/")[2]
    action = door.key.get("RouteAction")
    bits = action.number if action is not None and not action.inherited else None
    name = ascii_domain(raw.removeprefix("*."))
    if name is None:
        door.plan.top.note(Fate.DECIDE, f"{raw!r} is no domain", door.origin())
    elif bits is None:
        door.plan.top.note(Fate.DECIDE, f"{raw}: no RouteAction says what it is", door.origin())
    elif bits & _LOCAL and not bits & _SMARTHOST and not raw.startswith("*"):
        _local(door, name, bits)
    else:
        _remote(door, f"*.{name}" if raw.startswith("*") else name, bits)


def _local(door: Door, name: str, bits: int) -> None:
    section = door.plan.section(("domains", name), "")
    if bits & _DROP:
        text = "a drop domain: mail was written to DropDirectory; here it lies in mailboxes"
    elif bits & _ALIAS:
        text = "an alias domain: here a local domain of its own; give users addresses in it"
    else:
        text = "a local domain"
    fate = Fate.CARRIED if bits & (_DELIVER | _DEFAULT) and not bits & (_DROP | _ALIAS) else Fate.CHANGED
    section.set("deliver", "mailbox", fate, text, door.origin())


def _remote(door: Door, pattern: str, bits: int) -> None:
    via = _next_hop(door.key.get("RouteActionString")) if bits & _SMARTHOST else None
    section = door.plan.section(("routes", pattern), "")
    origin = door.origin()
    if via is not None:
        section.set("via", via, Fate.CARRIED, "a remote domain with its smart host", origin)
    else:
        section.set("via", "mx", Fate.CARRIED, "a remote domain, by its MX", origin)
    if bits & _SSL:
        section.set("tls", "require", Fate.CARRIED, "TLS encryption was asked for", origin)
    _login(door, section)
    if bits & _DOMAIN_RELAY:
        text = (
            f"incoming mail was relayed to {pattern} for anybody. Write [domains.{pattern!r}] with "
            'deliver = "smtp://HOST:25" to take mail for it'
        )
        section.note(Fate.DECIDE, text, origin)


def _login(door: Door, section: Section) -> None:
    user = door.key.get("RouteUserName")
    if user is not None and user.text:
        text = (
            f"the login {user.text!r}: its password cannot be read here. Write it into a file, then "
            'login = { user = "...", password_file = "..." } and tls = "verify"'
        )
        section.note(Fate.DECIDE, text, door.origin(user))


def _smart_host(door: Door) -> None:
    one = door.key.get("SmartHost")
    via = _next_hop(one, door.key.get("RemoteSmtpPort"))
    if one is None or via is None:
        return
    origin = door.origin(one)
    if door.plan.has("routes", "*"):
        if door.plan.section(("routes", "*"), "").value("via") != via:
            text = f"SmartHost {one.text}: another virtual server's is the route for everything; there is one"
            door.plan.section(("routes", "*"), "").note(Fate.DECIDE, text, origin)
        return
    section = door.plan.section(("routes", "*"), "")
    kind = door.key.get("SmartHostType")
    if kind is not None and kind.number == _TRY_FIRST:
        text = f"SmartHost {one.text}: direct delivery was tried first; here all goes to the smart host"
        section.set("via", via, Fate.CHANGED, text, origin)
    else:
        section.set("via", via, Fate.CARRIED, f"SmartHost {one.text}", origin)
    always = door.key.get("AlwaysUseSsl")
    if always is not None and always.is_true:
        section.set("tls", "require", Fate.CARRIED, "AlwaysUseSsl", door.origin(always))
    _login(door, section)


def _default_domain(door: Door) -> None:
    """The domain of addresses without one, which IIS takes for local where none is named."""
    one = door.key.get("DefaultDomain")
    name = None if one is None else ascii_domain(one.text.strip())
    if one is None or name is None or any(path[0] == "domains" for path in door.plan.sections):
        return
    section = door.plan.section(("domains", name), "")
    section.set("deliver", "mailbox", Fate.CARRIED, "DefaultDomain", door.origin(one))


def _next_hop(one: Property | None, port: Property | None = None) -> str | None:
    """`smtp://host:port` of a smart host; the first of several. An address stands in brackets there."""
    for host in () if one is None else _hosts(one.text):
        number = 25 if port is None or not port.number or port.number > 65_535 else port.number
        return f"smtp://{host}:{number}"
    return None


def _hosts(text: str) -> Iterator[str]:
    for part in re.split(r"[\s;,]+", text):
        host = part.strip("[]")
        if ascii_domain(host) is not None:
            yield host.lower()
