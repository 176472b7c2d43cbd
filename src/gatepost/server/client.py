"""The client of a session: its facts, and what it may. One for SMTP and POP3."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from gatepost.mail.address import Address
from gatepost.policy.access import Answer, Right, Table, Verdict, may
from gatepost.policy.facts import UNKNOWN, ClientCertificate, Facts, Identity, Peer, UnknownType
from gatepost.policy.login import Channel
from gatepost.policy.reasons import Reason


@lru_cache(maxsize=4096)
def peer_address(text: str) -> Peer:
    """The address a socket names; an IPv4-mapped IPv6 address is its IPv4 address (RFC 4291 §2.5.5.2)."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


# Many sessions come from the same few hosts; the text is in every line of log and tracking.
_text_of = lru_cache(maxsize=4096)(str)


# What the access table says does not matter then.
DEVICE_BARRED: Final = Verdict(Answer.NO, Reason.DEVICE_SENDER)
# Not any sender that was asked about.
_NOBODY: Final = Address("", "")


class Client:
    """Who is at the other end, for as long as it is connected.

    `generation` is the directory's when `identity` was learnt: when it has moved on, learn it anew.
    `fine_sender` is one that was found to be his to use; forgotten with what was known of him then.
    """

    __slots__ = (
        "_asked", "_began", "_owns_asked", "_table", "_verdicts", "device", "facts", "fine_sender",
        "generation", "id", "identity", "lapses_at", "peer", "peer_text", "senders", "tls", "user",
    )  # fmt: skip

    def __init__(self, session_id: str, peer: Peer, table: Table, *, now: float) -> None:
        self.id = session_id
        self.peer = peer
        self.peer_text = _text_of(peer)
        self._began = now
        self.tls: str | None = None
        self.generation = 0
        # a table that asks for no host name must not be answered UNKNOWN for want of one
        self.facts = Facts(peer, hostnames=UNKNOWN if table.needs_hostnames else frozenset())
        self.identity: Identity | None = None
        self.user: str | None = None  # the identity's name
        self.device: str | None = None  # whose secret it was, and how that narrows it
        self.senders: frozenset[Address] | None = None
        self.lapses_at: float | None = None
        self.fine_sender: Address | None = _NOBODY
        self._asked: Address | None = None  # `owns` was last asked about it, and the answer
        self._owns_asked = False
        self._table = table
        self._verdicts: dict[Right, Verdict] | None = None  # an idle session keeps none

    @property
    def since(self) -> datetime:
        """When it connected, UTC."""
        return datetime.fromtimestamp(self._began, UTC)

    @property
    def certificate_name(self) -> str | None:
        certificate = self.facts.certificate
        return None if certificate is None else certificate.name

    @property
    def channel(self) -> Channel:
        """What logins can rest on. Our TLS can always give channel bindings."""
        facts = self.facts
        return Channel(facts.tls, binding=facts.tls, certificate=facts.certificate is not None)

    @property
    def holder(self) -> str | None:
        """Who is on record for what it does: the user, else the certificate it showed."""
        if self.user is None and self.facts.certificate is not None:
            return f"certificate:{self.facts.certificate.name}"
        return self.user

    def owns(self, address: Address) -> bool:
        """Whether it is one of the identity's own, with or without a tag (`bob+lists@`)."""
        if address is not self._asked:
            self._asked, self._owns_asked = address, self._is_own(address)
        return self._owns_asked

    def _is_own(self, address: Address) -> bool:
        identity, senders = self.identity, self.senders
        if identity is None:
            return False
        return _is_among(address, identity.addresses) and (senders is None or _is_among(address, senders))

    def may_send_as(self, address: Address) -> Verdict:
        """Whether it may send as somebody whose address is not its own; a device's senders narrow that."""
        if self.senders is not None and not _is_among(address, self.senders):
            return DEVICE_BARRED
        return self.may(Right.ANY_SENDER)

    def may(self, right: Right) -> Verdict:
        """The access page's answer; asked once for as long as the facts stay the same."""
        verdicts = self._verdicts
        if verdicts is None:
            verdicts = self._verdicts = {}
        verdict = verdicts.get(right)
        if verdict is None:
            verdict = verdicts[right] = may(right, self.facts, self._table)
        return verdict

    def secured(self, tls: str, certificate: ClientCertificate | None = None) -> None:
        """TLS is on; `certificate` is the client's."""
        self.tls = tls
        self._learn(replace(self.facts, tls=True, certificate=certificate))

    def named(self, hostnames: frozenset[str] | UnknownType) -> None:
        self._learn(replace(self.facts, hostnames=hostnames))

    def logged_in(self, identity: Identity | None, generation: int) -> None:
        self.generation = generation
        self._learn(replace(self.facts, identity=identity))

    def groups_unknown(self) -> None:
        """The directory cannot say any more what the identity is a member of."""
        if self.facts.identity is not None:
            self._learn(replace(self.facts, identity=replace(self.facts.identity, groups=UNKNOWN)))

    def _learn(self, facts: Facts) -> None:
        self.facts = facts
        self.identity = identity = facts.identity
        self.user = None if identity is None else identity.name
        device = None if identity is None else identity.device
        if device is None:
            self.device = self.senders = self.lapses_at = None
        else:
            self.device, self.senders, self.lapses_at = device.name, device.senders, device.lapses_at
        self.fine_sender = _NOBODY
        self._asked = None
        self._verdicts = None


def _is_among(address: Address, own: frozenset[Address]) -> bool:
    """With or without a tag."""
    local = address.local.lower()
    if Address(local, address.domain) in own:
        return True
    base = local.partition("+")[0]
    return base != local and Address(base, address.domain) in own
