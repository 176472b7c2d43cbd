"""Attempts and what is said of them, as one worker's guard tells another process. Pure.

What comes in is what our own processes wrote; it is read strictly all the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gatepost.guard.attempt import Attempt, Rejected, Tried, Welcome
from gatepost.guard.limits import OPEN, Treatment
from gatepost.guard.source import peer_of
from gatepost.policy.facts import Device, Identity
from gatepost.policy.reasons import Reason

Fields = dict[str, Any]


_heard_peer = lru_cache(4_096)(peer_of)  # of each try twice


def attempt_fields(attempt: Attempt, name: str, proof: bytes | None) -> Fields:
    return {
        "peer": str(attempt.peer),
        "server": attempt.virtual_server,
        "mechanism": attempt.mechanism,
        "tls": attempt.tls,
        "session": attempt.session_id,
        "name": name[:254],
        "proof": None if proof is None else proof.hex(),
    }


def attempt_of(fields: Fields) -> Attempt:
    return Attempt(
        fields["mechanism"], fields["server"], _heard_peer(fields["peer"]), fields["tls"], fields["session"]
    )


def proof_of(fields: Fields) -> bytes | None:
    return None if fields["proof"] is None else bytes.fromhex(fields["proof"])


def tried_fields(tried: Tried) -> Fields:
    outcome = tried.outcome
    return attempt_fields(tried.attempt, tried.name, tried.proof) | {
        "reason": outcome.reason.value if isinstance(outcome, Rejected) else None,
        "account": outcome.identity.name if isinstance(outcome, Welcome) else None,
        "device": outcome.device if isinstance(outcome, Welcome) else None,
    }


def tried_of(fields: Fields) -> Tried:
    """The try; of an identity only its name and its device are there."""
    if fields["account"] is not None:
        account, name = fields["account"], fields["device"]
        device = None if name is None else Device(name)
        outcome: Welcome | Rejected = Welcome(
            Identity(account, frozenset({account}), frozenset(), frozenset(), device=device)
        )
    else:
        outcome = Rejected(Reason(fields["reason"]))
    return Tried(attempt_of(fields), fields["name"], outcome, proof_of(fields))


def treatment_fields(treatment: Treatment) -> Fields:
    return {"delay": treatment.delay_seconds, "refused": treatment.refused, "later": treatment.later}


def treatment_of(fields: Fields) -> Treatment:
    if not (fields["delay"] or fields["refused"] or fields["later"]):
        return OPEN
    return Treatment(fields["delay"], fields["refused"], fields["later"])
