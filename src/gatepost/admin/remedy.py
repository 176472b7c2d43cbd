"""What to change to get the other answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gatepost.policy.access import Answer, Effect, Entry, Kind, Match, Right, Verdict
from gatepost.policy.facts import UNKNOWN, Facts, Identity
from gatepost.policy.meanings import MEANINGS
from gatepost.policy.reasons import Reason


def remedy_for(reason: Reason) -> str:
    return MEANINGS[reason].remedy


def remedy_for_right(
    right: Right, verdict: Verdict, reason: Reason, found: Sequence[Match], facts: Facts
) -> str:
    """For a yes what would refuse, for a no what would allow."""
    if verdict.answer is Answer.YES:
        lines = _lines(match.entry for match in found if match.holds is Answer.YES)
        return f"To refuse it, take {right.value} out of {lines}, or add a deny entry."
    if verdict.answer is Answer.NO and reason is Reason.ACCESS_DENIED:
        denies = (m.entry for m in found if m.entry.effect is Effect.DENY and m.holds is Answer.YES)
        return f"Narrow {_lines(denies)}, or take it out: a deny wins over every allow."
    ways = list(dict.fromkeys(_ways(found, facts)))
    if ways and verdict.answer is Answer.NO and reason is not Reason.PROTECTED_ACCOUNT:
        return f"One of: {'; '.join(ways)}."
    return remedy_for(reason)


def _lines(entries: Iterable[Entry]) -> str:
    numbers = [str(entry.line) for entry in entries]
    return f"line{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}"


def _ways(found: Iterable[Match], facts: Facts) -> Iterator[str]:
    """How the client could come under an entry that allows and does not hold for it."""
    for match in found:
        if match.entry.effect is Effect.ALLOW and match.holds is Answer.NO:
            steps = list(_steps(match.entry, facts))
            if steps:
                yield f"{' and '.join(steps)} (line {match.entry.line})"


def _steps(entry: Entry, facts: Facts) -> Iterator[str]:
    if entry.networks == ():
        return
    step = _step(entry, facts)
    if step:
        yield step
    if entry.tls and not facts.tls:
        yield "use TLS"
    if entry.networks is not None and not any(facts.peer in network for network in entry.networks):
        yield f"come from {' or '.join(map(str, entry.networks))}"


def _step(entry: Entry, facts: Facts) -> str | None:
    """What would make the principal hold; None when it holds, or cannot be told."""
    name, identity = entry.to.text.partition(":")[2], facts.identity
    match entry.to.kind:
        case Kind.AUTHENTICATED:
            return None if identity else "log in"
        case Kind.ANONYMOUS:
            return "do not log in" if identity else None
        case Kind.USER:
            return None if identity and entry.to.name in identity.names else f"log in as {name}"
        case Kind.GROUP:
            return _join(name, entry.to.name, identity)
        case Kind.NET:
            network = entry.to.network
            return None if network is None or facts.peer in network else f"come from {network}"
        case Kind.HOST:
            names = facts.hostnames
            return None if names is UNKNOWN or entry.to.name in names else f"come from the host {name}"
        case Kind.CERTIFICATE:
            shown = facts.certificate
            holds = shown is not None and entry.to.name in shown.names
            return None if holds else f"show the client certificate {name}"
        case _:
            return None


def _join(name: str, key: str, identity: Identity | None) -> str | None:
    if identity is None:
        return f"log in as a member of the group “{name}”"
    if identity.groups is UNKNOWN or key in identity.groups:
        return None
    return f'`gatepost group join "{name}" {identity.name}`'
