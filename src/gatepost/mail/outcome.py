"""What became of a recipient at one attempt. Pure."""

from __future__ import annotations

from enum import Enum

from gatepost.value import value


class Disposition(Enum):
    """`RELAYED`: handed to a next hop that took it. `DELIVERED`: put into a local mailbox.

    `DEFERRED`: to be tried again. `FAILED`: never; a report may be owed.
    """

    DELIVERED = "delivered"
    RELAYED = "relayed"
    DEFERRED = "deferred"
    FAILED = "failed"

    # Enum hashes its name in Python code; members are single, so identity serves and is cheap.
    __hash__ = object.__hash__

    @property
    def is_final(self) -> bool:
        return self is not Disposition.DEFERRED


@value
class Outcome:
    """The outcome for one recipient.

    `recipient` is its index in the envelope. `code` is an SMTP reply code, `enhanced` an RFC 3463
    status such as `5.1.1`. `text` is the next hop's words, or ours. `host` names the next hop,
    None when no host was reached.
    """

    recipient: int
    disposition: Disposition
    code: int
    enhanced: str
    text: str
    host: str | None = None
