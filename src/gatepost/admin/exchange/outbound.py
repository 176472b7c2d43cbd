"""Send connectors and accepted domains: the ways out, and the domains that are local."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatepost.admin.exchange.jsonfile import Thing, as_list, as_text
from gatepost.admin.exchange.plan import Fate, Plan, Section
from gatepost.admin.exchange.values import number
from gatepost.config.value import ascii_domain

_VERIFYING = ("certificatevalidation", "domainvalidation")


@dataclass(frozen=True, slots=True)
class _Space:
    """An address space of a send connector: a pattern of domains, and what it costs."""

    pattern: str
    cost: int
    thing: Thing


def sent(plan: Plan, connectors: Iterable[Thing]) -> None:
    """A route for each address space; the cheapest of several."""
    spaces: list[_Space] = []
    for thing in connectors:
        name = thing.text("Name")
        if thing.text("Enabled").lower() == "false":
            plan.top.note(Fate.DROPPED, f"{name}: the send connector was disabled", thing.origin)
            continue
        spaces += _spaces(plan, thing)
    for space in sorted(spaces, key=lambda one: (one.pattern == "*", one.pattern, one.cost)):
        path = ("routes", space.pattern)
        if plan.has(*path):
            text = f"{space.thing.text('Name')}: another send connector to {space.pattern} costs less"
            plan.section(path, "").note(Fate.DROPPED, text, space.thing.origin)
        else:
            _route(plan.section(path, f"Send connector {space.thing.text('Name')!r}"), space.thing)


def _spaces(plan: Plan, thing: Thing) -> Iterator[_Space]:
    """`SMTP:*;1`, `example.org;5`, `--.example.org` of old, or objects with Domain, Type and Cost."""
    for value in as_list(thing.get("AddressSpaces")):
        if isinstance(value, dict):
            named = {str(key).lower(): one for key, one in value.items()}
            domain, kind = as_text(named.get("domain")), as_text(named.get("type"))
            cost = number(named.get("cost"))
        else:
            kind, colon, rest = as_text(value).rpartition(":")
            domain, _, price = rest.partition(";")
            cost, kind = number(price), kind if colon else "SMTP"
        domain = domain.strip().lower().replace("--.", "*.")
        pattern = domain if domain == "*" else _pattern(domain)
        if kind.lower() not in ("smtp", "") or pattern is None:
            text = (
                f"{thing.text('Name')}: the address space {as_text(value) or value!r} is none of mail domains"
            )
            plan.top.note(Fate.DROPPED, text, thing.origin)
        else:
            yield _Space(pattern, 1 if cost is None else cost, thing)


def _pattern(domain: str) -> str | None:
    name = ascii_domain(domain.removeprefix("*."))
    return None if name is None else f"*.{name}" if domain.startswith("*.") else name


def _route(section: Section, thing: Thing) -> None:
    hosts = [host for one in as_list(thing.get("SmartHosts")) if (host := as_text(one).strip("[] "))]
    port = number(thing.get("Port")) or 25
    if hosts and ascii_domain(hosts[0]) is not None:
        section.set("via", f"smtp://{hosts[0].lower()}:{port}", Fate.CARRIED, "SmartHosts", thing.origin)
        if len(hosts) > 1:
            text = f"further smart hosts {', '.join(hosts[1:])}: use one name that has several addresses"
            section.note(Fate.DROPPED, text, thing.origin)
    else:
        section.set("via", "mx", Fate.CARRIED, "DNSRoutingEnabled", thing.origin)
    level = thing.text("TlsAuthLevel").lower()
    if level in _VERIFYING:
        section.set("tls", "verify", Fate.CARRIED, f"TlsAuthLevel {thing.text('TlsAuthLevel')}", thing.origin)
    elif thing.text("RequireTLS").lower() == "true":
        section.set("tls", "require", Fate.CARRIED, "RequireTLS", thing.origin)
    how = thing.text("SmartHostAuthMechanism").lower()
    if how not in ("", "none", "0"):
        text = (
            f"SmartHostAuthMechanism {thing.text('SmartHostAuthMechanism')}: its password is not in here. "
            'Write it into a file, then login = { user = "...", password_file = "..." } and tls = "verify"'
        )
        section.note(Fate.DECIDE, text, thing.origin)
    if thing.text("MaxMessageSize"):
        text = "MaxMessageSize: size is bounded where mail comes in"
        section.note(Fate.DROPPED, text, thing.origin)


def accepted(plan: Plan, domains: Iterable[Thing]) -> None:
    """A local domain for each that Exchange accepted; where its mail goes is for a person to say."""
    for thing in domains:
        raw = (thing.text("DomainName") or thing.text("Name")).strip().lower()
        name = ascii_domain(raw)
        if name is None:
            text = f"the accepted domain {raw!r} stands for many: name each in [domains]"
            plan.top.note(Fate.DECIDE, text, thing.origin)
            continue
        section = plan.section(("domains", name), "")
        kind = thing.text("DomainType").lower()
        via = _routed(plan, name)
        if kind in ("authoritative", "0", ""):
            text = (
                'Authoritative: mailboxes are here. Do they stay in Exchange? deliver = "smtp://EXCHANGE:25"'
            )
            section.set("deliver", "mailbox", Fate.CHANGED, text, thing.origin)
        elif via is not None:
            text = f"{thing.text('DomainType')}: on to what the send connector named"
            section.set("deliver", via, Fate.CARRIED, text, thing.origin)
        else:
            section.set("deliver", "mailbox", Fate.CHANGED, "until it is decided", thing.origin)
            kind = thing.text("DomainType")
            text = f'{kind}: where is its mail? write deliver, or unknown, as "smtp://HOST:25"'
            section.note(Fate.DECIDE, text, thing.origin)


def _routed(plan: Plan, name: str) -> str | None:
    """The smart host of a route to the domain."""
    path = ("routes", name)
    via = plan.sections[path].value("via") if plan.has(*path) else None
    return via if isinstance(via, str) and via.startswith("smtp://") else None
