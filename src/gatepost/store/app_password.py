"""One secret of one device: what it is good for, and the form it is typed in.

A secret is drawn by us, never chosen, so it needs no slow hash against guessing: 12 characters of 31 are
59 bits, 16 are 79. It is kept as BLAKE2b under a key of the database, found with one look-up, and a
hundred devices log in for the price of one argon2id.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Row

from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.policy.allotment import NOTHING_SAID, Allotment
from gatepost.policy.facts import Peer
from gatepost.policy.principal import Network, PrincipalError, parse_network
from gatepost.secret import Secret
from gatepost.store.account_error import BadName

# No 0, 1, i, l, o: they are misread. Lower case and digits alone: a printer's keypad has no easy shift.
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH: Final = 16
LENGTH_LEAST, LENGTH_MOST = 12, 64
_LETTERS: Final = frozenset(ALPHABET)
_GROUP: Final = 4
_LABEL_CHARACTERS: Final = 64
_LISTED_MOST: Final = 50
_BETWEEN_GROUPS: Final = str.maketrans("", "", "- ")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewAppPassword:
    """What a secret is to be good for. No networks: anywhere. No senders: every address of the account.

    `collects`: also for fetching mail. `expires` None: never.
    """

    label: str
    networks: tuple[Network, ...] = ()
    senders: tuple[Address, ...] = ()
    limits: Allotment = NOTHING_SAID
    collects: bool = False
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class AppPasswordChange:
    """What is to be different, the secret staying; None: stays as it is. `unending`: it never expires.

    Of the limits those that are 0 are taken away.
    """

    networks: tuple[Network, ...] | None = None
    senders: tuple[Address, ...] | None = None
    limits: Allotment | None = None
    collects: bool | None = None
    expires: datetime | None = None
    unending: bool = False

    def of(self, now: AppPassword) -> NewAppPassword:
        """What it is good for then."""
        return NewAppPassword(
            now.label,
            now.networks if self.networks is None else self.networks,
            now.senders if self.senders is None else self.senders,
            now.limits if self.limits is None else without_zeros(self.limits.or_else(now.limits)),
            now.collects if self.collects is None else self.collects,
            None if self.unending else self.expires or now.expires,
        )


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A secret as it is kept, without itself. `account` is the canonical name of somebody in `directory`."""

    number: int
    account: str
    directory: str
    label: str
    networks: tuple[Network, ...]
    senders: tuple[Address, ...]
    limits: Allotment
    collects: bool
    created: datetime
    made_by: str
    expires: datetime | None = None
    revoked: datetime | None = None
    own_senders: frozenset[Address] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        folded = frozenset(Address(one.local.lower(), one.domain) for one in self.senders)
        object.__setattr__(self, "own_senders", folded or None)

    def is_near(self, peer: Peer) -> bool:
        """Whether it is good at this address."""
        return not self.networks or any(
            peer.version == network.version and peer in network for network in self.networks
        )


def drawn(length: int = LENGTH) -> Secret:
    """A new secret. Raises ValueError for a length that is no protection or fits nowhere."""
    if not LENGTH_LEAST <= length <= LENGTH_MOST:
        raise ValueError(f"a length from {LENGTH_LEAST} to {LENGTH_MOST}")
    return Secret("".join(secrets.choice(ALPHABET) for _ in range(length)))


def grouped(secret: Secret) -> str:
    """The secret as it is read from the screen: `k7m2-9xqp-h4tz-w8ne`. The dashes may be typed or not."""
    text = secret.reveal()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def bare(password: Secret) -> str | None:
    """What was drawn, of what was typed: dashes, blanks and capitals do not matter. None: none of ours."""
    text = password.reveal()
    if len(text) > 2 * LENGTH_MOST or not text.isascii():
        return None
    text = text.translate(_BETWEEN_GROUPS).lower()
    if LENGTH_LEAST <= len(text) <= LENGTH_MOST and set(text) <= _LETTERS:
        return text
    return None


def digest(secret: str, key: bytes) -> bytes:
    """What is kept of a bare secret."""
    return hashlib.blake2b(secret.encode("ascii"), key=key, digest_size=32).digest()


def label_of(text: str) -> str:
    """The label, single blanks. Raises BadName."""
    label = " ".join(text.split())
    if not label or len(label) > _LABEL_CHARACTERS or not label.isprintable():
        raise BadName(
            f"{text[:_LABEL_CHARACTERS]!r} cannot be a label",
            f"say which device it is, in 1 to {_LABEL_CHARACTERS} printable characters",
        )
    return label


def label_key(label: str) -> str:
    """Two labels that differ only in case are one."""
    return " ".join(label.split()).casefold()


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks, each once; an address is one. Raises BadName."""
    try:
        return _few(dict.fromkeys(parse_network(text.strip()) for text in texts), "networks")
    except PrincipalError as problem:
        raise BadName(str(problem), "give an address, or a network") from None


def senders_of(texts: Iterable[str]) -> tuple[Address, ...]:
    """The addresses, each once. Raises BadName."""
    try:
        return _few(dict.fromkeys(parse_address(text.strip()) for text in texts), "senders")
    except AddressError as problem:
        raise BadName(f"a sender is no address: {problem}", 'write "scanner@example.org"') from None


def _few(found: Iterable[T], what: str) -> tuple[T, ...]:
    values = tuple(found)
    if len(values) > _LISTED_MOST:
        raise BadName(f"{len(values)} {what}", f"at most {_LISTED_MOST}")
    return values


def without_zeros(limits: Allotment) -> Allotment:
    """The same, nothing being said where it said 0."""
    return Allotment(**{key: value or None for key, value in numbers_of(limits).items()})


# rows


def columns(new: NewAppPassword) -> dict[str, Any]:
    limits = {key: value for key, value in numbers_of(new.limits).items() if value is not None}
    return {
        "label": new.label,
        "label_key": label_key(new.label),
        "networks": json.dumps([str(network) for network in new.networks]),
        "senders": json.dumps([str(sender) for sender in new.senders]),
        "limits": json.dumps(limits),
        "collects": new.collects,
        "expires": None if new.expires is None else new.expires.isoformat(timespec="seconds"),
    }


def numbers_of(limits: Allotment) -> dict[str, int | None]:
    """The numbers of an allotment by their names."""
    return {one.name: getattr(limits, one.name) for one in fields(Allotment) if one.init}


def of_row(row: Row[Any]) -> AppPassword:
    return AppPassword(
        number=row.id,
        account=row.account,
        directory=row.directory,
        label=row.label,
        networks=tuple(parse_network(text) for text in json.loads(row.networks)),
        senders=tuple(parse_address(text) for text in json.loads(row.senders)),
        limits=Allotment(**json.loads(row.limits)),
        collects=row.collects,
        created=datetime.fromisoformat(row.created),
        made_by=row.made_by,
        expires=None if row.expires is None else datetime.fromisoformat(row.expires),
        revoked=None if row.revoked is None else datetime.fromisoformat(row.revoked),
    )
