"""The queue as an operator sees it, and which part of it he means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from gatepost.policy.principal import Network, PrincipalError, parse_network
from gatepost.store.orders import Item
from gatepost.wire.dots import unstuff

_HEADER_SHOWN_BYTES = 64 * 1024


class BadFilter(ValueError):
    """What was given names nothing; the message says what would."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Narrows to messages of which everything given is true; nothing given means all.

    `user` is canonical or without its domain, `peer` an address or network, `sender` and `rcpt`
    whole addresses (an empty sender is the null sender), `domain` of a remaining recipient, `state`
    one of active, deferred, held.

    Raises:
        BadFilter: `peer` is no network.
    """

    user: str | None = None
    peer: str | None = None
    sender: str | None = None
    rcpt: str | None = None
    domain: str | None = None
    state: str | None = None

    def __post_init__(self) -> None:
        if self.peer is not None:
            _network(self.peer)

    def fields(self) -> dict[str, str]:
        """What was given, to be sent over a link."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def lets(self, item: Item) -> bool:
        recipients = item.recipients
        return (
            (self.user is None or _is_named(item.user, self.user.lower()))
            and (self.peer is None or ip_address(item.peer) in _network(self.peer))
            and (self.sender is None or _text(item.sender) == self.sender.strip("<>").lower())
            and (self.rcpt is None or self.rcpt.strip("<>").lower() in map(_text, recipients))
            and (self.domain is None or self.domain.lower() in {one.domain for one in recipients})
            and (self.state is None or item.state.value == self.state)
        )


def _is_named(user: str | None, name: str) -> bool:
    return user is not None and name in (user, user.rpartition("@")[0])


@lru_cache(maxsize=8)
def _network(text: str) -> Network:
    try:
        return parse_network(text)
    except PrincipalError as problem:
        raise BadFilter(str(problem)) from None


def item_row(item: Item) -> dict[str, Any]:
    """One message for a list or a page. Times are ISO 8601, UTC."""
    origin = item.envelope.origin
    return {
        "id": item.id,
        "state": item.state.value,
        "sender": _text(item.sender),
        "recipients": [str(recipient) for recipient in item.recipients],
        "size_bytes": item.size_bytes,
        "attempts": item.attempts,
        "received_at": origin.received_at.isoformat(timespec="seconds"),
        "next_attempt": _time(item.next_attempt),
        "user": origin.user,
        "peer": origin.peer,
        "virtual_server": origin.virtual_server,
        "session": origin.session_id,
        "last_outcomes": [
            {
                "recipient": str(item.envelope.recipients[outcome.recipient].address),
                "disposition": outcome.disposition.value,
                "code": outcome.code,
                "enhanced": outcome.enhanced,
                "text": outcome.text,
                "host": outcome.host,
            }
            for outcome in item.last_outcomes
        ],
    }


def header_text(header: bytes) -> str:
    """The header of a message as text, at most 64 KiB of it, with no control characters but line ends."""
    text = unstuff(header[:_HEADER_SHOWN_BYTES]).decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "?" for c in text)


def _text(address: object) -> str:
    return "" if address is None else str(address).lower()


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
