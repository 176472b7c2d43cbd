"""A day of guessing against the guard itself, by somebody who sees at once what is refused.

Every address is alone in its network, which no real attacker can have: what is counted is the most
there is to get.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from ipaddress import IPv4Address

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.attempt import Attempt, Rejected, Tried
from gatepost.guard.guard import Guard
from gatepost.policy.reasons import Reason
from guard.posts import Clock

DAY_SECONDS = 86_400
_STEP_SECONDS = 600


def guesses_of_a_day(addresses: int, names: int) -> int:
    """How many passwords are tried on `names` accounts from so many addresses on the first day."""
    clock = Clock()
    guard = Guard(GuardSettings(), clock=clock, wall=clock, domains=["example.org"])
    fresh = deque(_addresses(addresses))
    refused: deque[tuple[float, IPv4Address]] = deque()
    tried = 0
    ends = clock.now + DAY_SECONDS
    while clock.now < ends:
        while refused and refused[0][0] <= clock.now:
            fresh.append(refused.popleft()[1])
        for number in range(names):
            name = f"user{number}"
            while fresh and not guard.is_under_attack(name):
                tried += 1
                peer = fresh[0]
                if not _guess(guard, peer, name, tried):
                    tried -= 1
                    fresh.popleft()
                    refused.append((clock.now + 3_600, peer))
        clock.now += _STEP_SECONDS
    return tried


def _guess(guard: Guard, peer: IPv4Address, name: str, number: int) -> bool:
    """Whether the password was looked at."""
    attempt = Attempt("PLAIN", "submission", peer, tls=True, session_id="S")
    proof = number.to_bytes(16, "little")
    if guard.refuses(peer) or guard.admit(attempt, name, proof).refused:
        return False
    guard.note(Tried(attempt, name, Rejected(Reason.WRONG_PASSWORD), proof))
    return True


def _addresses(count: int) -> Iterator[IPv4Address]:
    """One in each /24."""
    for number in range(count):
        yield IPv4Address((20 << 24) + (number << 8) + 1)


def fail2ban_guesses_of_a_day(addresses: int) -> int:
    """Five tries, then ten minutes of nothing, for each address by itself and for every name alike."""
    return addresses * 5 * (DAY_SECONDS // 600)
