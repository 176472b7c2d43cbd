"""One try to log in, and what came of it."""

from __future__ import annotations

from gatepost.guard.limits import OPEN, Treatment
from gatepost.policy.access import Right
from gatepost.policy.facts import Identity, Peer
from gatepost.policy.reasons import Reason
from gatepost.value import value


@value
class Attempt:
    """Where and how somebody tries to log in. `in_clear_allowed`: the virtual server says so.

    `use` is what for, where app passwords of devices are good too: SUBMIT or COLLECT.
    """

    mechanism: str
    virtual_server: str
    peer: Peer
    tls: bool
    session_id: str
    in_clear_allowed: bool = False
    use: Right | None = None


@value
class Welcome:
    """The login is good."""

    identity: Identity

    @property
    def device(self) -> str | None:
        """The device whose secret it was, if it was one's."""
        return None if self.identity.device is None else self.identity.device.name


@value
class Rejected:
    """The login is refused. `reason` is for us; the peer is told `reason.shown`."""

    reason: Reason


Outcome = Welcome | Rejected


@value
class Tried:
    """One attempt and what came of it, for guard and records.

    `name` is as the peer gave it, at most 254 characters. `proof` tells two passwords apart and
    says nothing else of them; None where there was none to see (SCRAM).
    """

    attempt: Attempt
    name: str
    outcome: Outcome
    proof: bytes | None
    treatment: Treatment = OPEN

    @property
    def reason(self) -> Reason | None:
        return self.outcome.reason if isinstance(self.outcome, Rejected) else None


GUESSES = frozenset(
    {
        Reason.UNKNOWN_USER,
        Reason.WRONG_PASSWORD,
        Reason.EMPTY_PASSWORD,
        Reason.ACCOUNT_DISABLED,
        Reason.APP_PASSWORD_REVOKED,
        Reason.APP_PASSWORD_EXPIRED,
        Reason.APP_PASSWORD_ELSEWHERE,
        Reason.AUTHORIZATION_IDENTITY,
        Reason.TOKEN_REFUSED,
    }
)
"""The refusals that count as guesses; the others say nothing of the password."""
