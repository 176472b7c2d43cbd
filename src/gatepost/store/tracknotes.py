"""What is noted of messages, and the rows it becomes.

A note is a plain tuple: making an object of a class costs several times as much, and two are made for every
message. What became of a message within the second of its coming stands in its own row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gatepost.mail.address import Address
from gatepost.mail.outcome import Disposition, Outcome
from gatepost.store.trackrows import NOBODY, SAID, SAME, Row, plain

Name = Address | str | None

_RELAYED = Disposition.RELAYED


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that was done with a whole message; nobody answered, so the code is 0."""

    what: str
    text: str


# queue id, session, virtual server, peer, user, sender, recipients, size in bytes, at, subject, device
Accepted = tuple[
    str, str, str, str, str | None, Name, Sequence[Address | str], int, float, str | None, str | None
]
# queue id, recipient, what became of it, at, next hop
Followed = tuple[str, Address | str, Outcome | Happened, float, str | None]
# session, virtual server, peer, user, stage, reason, sender, recipient, reply, at, device
Refused = tuple[str, str, str, str | None, str, str, Name, Name, str, float, str | None]


@dataclass(slots=True)
class Later:
    """What happened to messages, by queue id. Nearly always it is one thing."""

    first: dict[str, Followed] = field(default_factory=dict)
    further: dict[str, list[Followed]] = field(default_factory=dict)

    def add(self, notes: Iterable[Followed]) -> None:
        first, further = self.first.setdefault, self.further
        for note in notes:
            if first(note[0], note) is not note:
                further.setdefault(note[0], []).append(note)

    def rest(self) -> Iterator[Followed]:
        """All of it, message by message."""
        for queue_id, note in self.first.items():
            yield note
            yield from self.further.get(queue_id, ())


def message_row(note: Accepted, later: Later) -> Row:
    """The row of a message; what happened to it in the same batch goes with it, and out of `later`."""
    queue_id, session, server, peer, user, sender, recipients, size_bytes, at, subject, device = note
    only = recipients[0] if len(recipients) == 1 else None
    to = str(only) if only is not None else "\x05".join(map(str, recipients))
    by = str(sender) if sender else NOBODY
    whose = "" if user is None else SAME if user == by else plain(user)
    said = became = ""
    happened = later.first.pop(queue_id, None)
    if happened is not None:
        said, became = _parts(happened, only)
        if later.further:
            for further in later.further.pop(queue_id, ()):
                more = _parts(further, only)
                said, became = said + more[0], became + more[1]
    used = "" if device is None else plain(device)
    about = "" if subject is None else plain(subject)
    words = f"\x01{session}\x02{peer}\x03{whose}\x04{by}\x05{to}\x06{used}{said or SAID}"
    return queue_id, at, words, f"{server}\x1f{size_bytes}\x1f{about}{became}"


def outcome_row(note: Followed) -> Row:
    """The row of what happened later than the message's own batch."""
    said, became = _parts(note, None)
    return note[0], note[3], said, became[1:]


def _parts(note: Followed, only: Name) -> tuple[str, str]:
    """What stands in `words` and in `facts`. An only recipient is not written again."""
    _queue_id, recipient, outcome, at, next_hop = note
    text = outcome.text
    if not text.isprintable():  # a next hop may say anything
        text = plain(text)
    whom = "" if recipient is only or recipient == only else str(recipient)
    if type(outcome) is Outcome:
        # The value of an enum is looked up by a call.
        word = "relayed" if outcome.disposition is _RELAYED else outcome.disposition.value
        return (
            f"\x07{text}\x1f{next_hop or outcome.host or ''}\x1f={word}",
            f"\x07{whom}\x1f{outcome.code}\x1f{outcome.enhanced}\x1f{int(at * 1000)}",
        )
    assert isinstance(outcome, Happened)
    return f"\x07{text}\x1f{next_hop or ''}\x1f={outcome.what}", f"\x07{whom}\x1f0\x1f\x1f{int(at * 1000)}"


def refusal_row(note: Refused) -> Row:
    """The row of a refusal."""
    session, server, peer, user, stage, reason, sender, recipient, reply, at, device = note
    words = (
        f"\x01\x02{peer}\x03{plain(user or '')}\x04{plain(str(sender)) if sender else NOBODY}"
        f"\x05{plain(str(recipient or ''))}\x06{plain(device or '')}\x07{reason}"
    )
    is_named = "" if recipient is None else "1"
    return session, at, words, f"{server}\x1f{stage}\x1f{plain(reply)}\x1f{is_named}"
