"""Access entries in plain words, for the console, `explain` and `check --diff`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.policy.access import Effect, Entry, Right
from gatepost.policy.principal import Kind, Principal

_RIGHTS = {
    Right.CONNECT: "connect",
    Right.SUBMIT: "hand in mail",
    Right.RELAY: "relay to other domains",
    Right.ANY_SENDER: "use any sender address",
    Right.COLLECT: "collect mail",
}

_SUBJECTS = {
    Kind.ANYONE: "Anyone",
    Kind.ANONYMOUS: "Whoever is not logged in",
    Kind.AUTHENTICATED: "Whoever is logged in",
}


def sentence(entry: Entry) -> str:
    """What the entry does, as one English sentence."""
    verb = "may" if entry.effect is Effect.ALLOW else "may never"
    rights = _listed([words for right, words in _RIGHTS.items() if right in entry.rights])
    return f"{_subject(entry.to)} {verb} {rights}{_narrowing(entry)}."


def _subject(to: Principal) -> str:
    name = to.text.partition(":")[2] or to.name
    match to.kind:
        case Kind.USER:
            return f"The user {name}"
        case Kind.GROUP:
            return f"A member of the group “{name}”"
        case Kind.NET:
            return f"A host in {to.network}"
        case Kind.HOST:
            return f"The host {name}"
        case Kind.CERTIFICATE:
            return f"The holder of the certificate {name}"
        case _:
            return _SUBJECTS[to.kind]


def _narrowing(entry: Entry) -> str:
    words = ""
    if entry.networks is not None:
        words += f" from {_listed(map(str, entry.networks), 'or')}" if entry.networks else " from nowhere"
    return words + (" over TLS" if entry.tls else "")


def _listed(words: Iterable[str], last: str = "and") -> str:
    *front, end = words
    return f"{', '.join(front)} {last} {end}" if front else end
