"""A guard with a clock of its own, and workers' posts joined to it by a line without wires."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.attempt import Attempt, Rejected, Tried, Welcome
from gatepost.guard.event import Event
from gatepost.guard.guard import Guard
from gatepost.guard.limits import Treatment
from gatepost.guard.post import Post
from gatepost.guard.seat import Seat
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def proof(password: str) -> bytes:
    return hashlib.blake2b(password.encode(), digest_size=16).digest()


def attempt(peer: str, session: str = "S") -> Attempt:
    return Attempt("PLAIN", "submission", ip_address(peer), tls=True, session_id=session)


def welcome(name: str) -> Welcome:
    return Welcome(Identity(name, frozenset({name}), frozenset(), frozenset()))


@dataclass(slots=True)
class Line:
    """What goes over it is what JSON can hold."""

    seat: Seat
    number: int
    broken: bool = False

    async def ask(self, verb: str, **fields: Any) -> Any:
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectionError("the other side is gone")
        return json.loads(json.dumps(self.seat.hear(self.number, verb, json.loads(json.dumps(fields)))))

    def tell(self, verb: str, **fields: Any) -> None:
        self.seat.hear(self.number, verb, json.loads(json.dumps(fields)))


@dataclass(slots=True)
class Rig:
    """One guard and `posts`. `passwords` are the right ones by name."""

    settings: GuardSettings
    workers: int = 0
    passwords: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    events: list[Event] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    guard: Guard = field(init=False)
    seat: Seat = field(init=False)
    posts: list[Post] = field(init=False, default_factory=list)
    lines: list[Line] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.seat = Seat(self._broadcast, on_event=self.events.append)
        self.guard = Guard(
            self.settings,
            clock=self.clock,
            wall=self.clock,
            domains=["example.org"],
            listener=self.seat,
        )
        self.seat.seated(self.guard)
        for number in range(self.workers):
            own = Guard(self.settings, clock=self.clock, wall=self.clock, domains=["example.org"])
            post = Post(own, clock=self.clock, wall=self.clock, sleep=self._sleep)
            line = Line(self.seat, number)
            self.posts.append(post)
            self.lines.append(line)
            post.hear(self.seat.everything())
            post.join(line)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def _broadcast(self, fields: dict[str, Any]) -> None:
        for post in self.posts:
            post.hear(json.loads(json.dumps(fields)))

    def outcome(self, name: str, password: str) -> Welcome | Rejected:
        key = self.guard.name_key(name)
        if key not in self.passwords:
            return Rejected(Reason.UNKNOWN_USER)
        return welcome(key) if self.passwords[key] == password else Rejected(Reason.WRONG_PASSWORD)

    def login(self, name: str, password: str, peer: str) -> Treatment | Welcome | Rejected:
        """One whole login at the guard itself; the treatment when it was not let go on."""
        this = attempt(peer)
        treatment = self.guard.admit(this, name, proof(password))
        if treatment.refused:
            return treatment
        if treatment.delay_seconds:
            self.slept.append(treatment.delay_seconds)
        outcome = self.outcome(name, password)
        self.guard.note(Tried(this, name, outcome, proof(password), treatment))
        return outcome

    async def post_login(
        self, post: Post, name: str, password: str, peer: str, session: str = "S"
    ) -> Treatment | Welcome | Rejected:
        this = attempt(peer, session)
        treatment = post.admit(this, name, proof(password))
        if not isinstance(treatment, Treatment):
            treatment = await treatment
        if treatment.refused:
            return treatment
        await asyncio.sleep(0)
        outcome = self.outcome(name, password)
        post.note(Tried(this, name, outcome, proof(password), treatment))
        return outcome
