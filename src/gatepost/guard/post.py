"""The guard's post in one worker: it knows whom to turn away, and asks the one guard of all workers.

A password that was right a moment ago from the same machine is no guess: it goes on without a
question. Connections are judged by a copy of what the guard last said. When the guard cannot be
asked the post decides by its own counts: a login never waits for a link.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard import told
from gatepost.guard.attempt import Attempt, Tried, Welcome
from gatepost.guard.bans import Ban, Bans, network
from gatepost.guard.guard import Guard
from gatepost.guard.ledger import BOUNDS, Offence, Scope
from gatepost.guard.limits import OPEN, Treatment
from gatepost.guard.source import host, peer_of
from gatepost.policy.facts import Peer
from gatepost.policy.reasons import Reason

_ANSWER_SECONDS: Final = 2.0
_LATER_SECONDS: Final = (0.05, 0.5)  # between two questions: the first, and at most
_LATER_AT_MOST_SECONDS: Final = 15.0
_FLOOD, _FLOOD_OF_ONE = 300, 10  # refused connections a second
_KNOCKS_TOLD: Final = 4_000
_REFUSED_AT_MOST: Final = BOUNDS[Scope.HOST]
_WELCOME_AT_MOST: Final = 10_000
_PROVEN_AT_MOST: Final = 10_000
_TELL_AGAIN_SECONDS: Final = 86_400.0


class Line(Protocol):
    """The way to the guard. `ask` raises when there is no answer."""

    async def ask(self, verb: str, **fields: Any) -> Any: ...
    def tell(self, verb: str, **fields: Any) -> None: ...


@dataclass(slots=True)
class _Proven:
    proof: bytes
    told_at: float


class Post:
    """Before `join` it stands alone, and after `part` again. `clock` counts seconds."""

    def __init__(
        self,
        own: Guard,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        note: Callable[[float, str, str], None] = lambda at, peer, what: None,
    ) -> None:
        """`note` writes offences down."""
        self._own = own
        self._note = note
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._line: Line | None = None
        self._refused: dict[bytes, float] = {}
        self._bans = Bans()
        self._proven: OrderedDict[tuple[str, bytes], _Proven] = OrderedDict()
        self._asked: set[str] = set()
        self._knocks: Counter[bytes] = Counter()
        self._vanished = 0
        self._welcome: set[str] = set()  # until somebody is refused

    def change(self, settings: GuardSettings, domains: Collection[str]) -> None:
        """These settings hold from now on."""
        self._own.change(settings, domains)
        self._welcome.clear()

    # the line

    def join(self, line: Line) -> None:
        """From now on the guard at the other end decides."""
        self._line = line

    def part(self) -> None:
        """The line is dead."""
        self._line = None
        self._welcome.clear()

    def hear(self, fields: dict[str, Any]) -> None:
        """What the guard says to all its posts.

        `hosts`: machines refused for so many seconds, 0 for no more; `all`: these and no others.
        `bans`: the administrator's, all of them. `pairs`: names that guessed on their own machines.
        """
        self._welcome.clear()
        if fields.get("all"):
            self._refused.clear()
        now = self._clock()
        for key, seconds in fields.get("hosts", ()):
            if seconds > 0:
                self._refused.pop(bytes.fromhex(key), None)  # the latest last
                self._refused[bytes.fromhex(key)] = now + seconds
            else:
                self._refused.pop(bytes.fromhex(key), None)
        if "bans" in fields:
            self._bans = Bans(Ban(network(text), until) for text, until in fields["bans"])
        for name, key in fields.get("pairs", ()):
            self._proven.pop((name, bytes.fromhex(key)), None)
        if len(self._refused) > 1_000 and self._refused and next(iter(self._refused.values())) <= now:
            self._refused = {key: until for key, until in self._refused.items() if until > now}
        while len(self._refused) > _REFUSED_AT_MOST:
            del self._refused[next(iter(self._refused))]

    # connections

    @property
    def is_watchful(self) -> bool:
        """Whether anybody is refused at all."""
        return bool(self._refused or self._bans) or self._line is None

    def turns_away(self, text: str) -> bool:
        """Whether the connection from the address is not heard at all. Asked for every connection."""
        if text in self._welcome:
            return False
        refused = self.refuses(peer_of(text))
        if not refused and self._line is not None:
            if len(self._welcome) >= _WELCOME_AT_MOST:
                self._welcome.clear()
            self._welcome.add(text)
        return refused

    def refuses(self, peer: Peer) -> bool:
        """The same of a peer."""
        if self._line is None:
            return self._own.refuses(peer)
        if self._refused:
            until = self._refused.get(host(peer))
            if until is not None and until > self._clock():
                return True
        if not self._bans or self._bans.covering(peer, self._wall()) is None:
            return False
        return not self._own.trusts(peer)

    def knocked(self, peer: Peer) -> None:
        """Somebody was turned away."""
        self._knocks[host(peer)] += 1

    def vanished(self) -> None:
        """Somebody was gone before we came to the door, nobody knows who."""
        self._vanished += 1

    def flush(self) -> None:
        """Call it about once a second: who was turned away too often is told."""
        knocks, self._knocks = self._knocks, Counter()
        vanished, self._vanished = self._vanished, 0
        if self._line is None:
            return
        flood = knocks.total() + vanished >= _FLOOD
        least = 1 if flood else _FLOOD_OF_ONE
        hosts = [key.hex() for key, count in knocks.most_common(_KNOCKS_TOLD) if count >= least]
        if hosts or flood:
            self._line.tell("guard-knocks", hosts=hosts, flood=flood)

    def offend(self, offence: Offence, peer: Peer) -> None:
        """It is counted, some time soon."""
        self._note(self._wall(), str(peer), offence.value)
        if self._line is None:
            self._own.offend(offence, peer)
        else:
            self._line.tell("guard-offence", offence=offence.value, peer=str(peer))

    async def unknown_recipient(self, peer: Peer) -> Treatment:
        """It is counted; how the answer is to be treated."""
        self._note(self._wall(), str(peer), Offence.UNKNOWN_RECIPIENT.value)
        answer = await self._answer("guard-unknown-recipient", peer=str(peer))
        if answer is None:
            return self._own.offend(Offence.UNKNOWN_RECIPIENT, peer)
        return told.treatment_of(answer)

    # logins

    def admit(self, attempt: Attempt, name: str, proof: bytes | None) -> Treatment | Awaitable[Treatment]:
        """How the try is treated; `note` or `gone` follows when it goes on."""
        if proof is not None and self._proven:
            proven = self._proven.get((self._own.name_key(name), host(attempt.peer)))
            if proven is not None and hmac.compare_digest(proven.proof, proof):
                return OPEN
        return self._asked_for(attempt, name, proof)

    async def _asked_for(self, attempt: Attempt, name: str, proof: bytes | None) -> Treatment:
        self._asked.add(attempt.session_id)
        waited, (pause, longest) = 0.0, _LATER_SECONDS
        while True:
            answer = await self._answer("guard-admit", **told.attempt_fields(attempt, name, proof))
            own = answer is None
            treatment = self._own.admit(attempt, name, proof) if own else told.treatment_of(answer)
            if not treatment.later or waited >= _LATER_AT_MOST_SECONDS:
                return treatment
            await self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, longest)

    def note(self, tried: Tried) -> None:
        """The try counts from now on."""
        was_asked = tried.attempt.session_id in self._asked
        self._asked.discard(tried.attempt.session_id)
        if tried.reason is Reason.LOGIN_REFUSED_BY_GUARD:
            return
        key = (self._own.name_key(tried.name), host(tried.attempt.peer))
        now = self._clock()
        if isinstance(tried.outcome, Welcome):
            proven = self._proven.get(key)
            if not was_asked and proven is not None and now - proven.told_at < _TELL_AGAIN_SECONDS:
                self._proven.move_to_end(key)
                return
            if tried.proof is not None:
                self._remember(key, _Proven(tried.proof, now))
        else:
            proven = self._proven.get(key)
            if proven is not None and proven.proof == tried.proof:
                del self._proven[key]  # it was right once and is not any more
        if self._line is None:
            self._own.note(tried)
        else:
            self._line.tell("guard-tried", **told.tried_fields(tried))

    def gone(self, session_id: str) -> None:
        """The session ended, or what it tried is not to be decided."""
        if session_id in self._asked:
            self._asked.discard(session_id)
            if self._line is None:
                self._own.gone(session_id)
            else:
                self._line.tell("guard-gone", session=session_id)

    def _remember(self, key: tuple[str, bytes], proven: _Proven) -> None:
        self._proven[key] = proven
        self._proven.move_to_end(key)
        if len(self._proven) > _PROVEN_AT_MOST:
            self._proven.popitem(last=False)

    async def _answer(self, verb: str, **fields: Any) -> Any:
        """What the guard says; None when it cannot be asked."""
        if self._line is None:
            return None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._line.ask(verb, **fields)
        except Exception:  # whatever is wrong with the line, logins go on
            return None
