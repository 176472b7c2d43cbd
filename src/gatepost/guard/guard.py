"""The guard: who may try, and what every try, offence and connection means for those to come.

It holds the truth of all workers, so a limit of N is N however many sessions try at once: a try that
may still fail is counted while it is under way, and where those fill a limit the next one waits.

Who is on a machine from which the name logged in before is measured by his own tries there alone:
what others do, there or elsewhere, neither slows nor refuses him.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.attempt import GUESSES, Attempt, Tried, Welcome
from gatepost.guard.bans import Bans, Networks
from gatepost.guard.decoys import Decoys
from gatepost.guard.event import Event, EventKind
from gatepost.guard.ledger import MARK_BYTES, Ledger, Offence, Scope, Tally
from gatepost.guard.limits import (
    LATER,
    OPEN,
    Bound,
    Treatment,
    harvest_delay_seconds,
    login_delay_seconds,
    most_of,
    refuse_seconds,
    source_bounds,
    windows,
)
from gatepost.guard.source import Source, host, shown, source
from gatepost.guard.sources import Familiarity, KnownSources
from gatepost.guard.trial import TAG_BYTES, Trial, tag_of
from gatepost.guard.underway import UnderWay
from gatepost.policy.facts import Peer
from gatepost.policy.principal import Network
from gatepost.policy.reasons import Reason
from gatepost.store import naming

_GUESS_BYTES = MARK_BYTES - TAG_BYTES
_NO_GUESS = bytes(_GUESS_BYTES)
_ALL = b"all"
_FAILURES_WORTH_TELLING = 5
_STEP_SECONDS = 3_600.0
UNDER_WAY_SECONDS = 40.0
"""How long a try that is not decided keeps others waiting; a login takes less, or is not heard any more."""


class Listener:
    """Hears what changed; a guard without anybody to tell has this one."""

    def refused(self, host: bytes, seconds: float) -> None:
        """Connections of the machine are refused for so long; 0: no more."""

    def pair_refused(self, name: str, host: bytes) -> None:
        """The name's own machine has guessed too often."""

    def known(self, name: str, host: bytes, at: float) -> None:
        """The name logged in there; worth keeping."""

    def happened(self, event: Event) -> None:
        """Somebody may want to know."""


class Guard:
    """`clock` counts seconds and never matters by itself; `wall` is Unix time."""

    def __init__(
        self,
        settings: GuardSettings,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        domains: Collection[str] = (),
        known: KnownSources | None = None,
        bans: Bans | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._began = wall() - clock()
        self._listener = listener or Listener()
        self.change(settings, domains)
        self._under_way = UnderWay()
        self.ledger = Ledger(windows(settings))
        self.names = Ledger({**windows(settings), Offence.WRONG_PASSWORD: settings.offence_window_seconds})
        self.known = known or KnownSources()
        self.bans = bans or Bans()

    def change(self, settings: GuardSettings, domains: Collection[str]) -> None:
        """These settings hold from now on; the windows stay as they were at the start."""
        self._settings = settings
        self._only_domain = next(iter(domains)) if len(domains) == 1 else None
        self._trusted = Networks(settings.trusted)
        self._decoys = Decoys(settings.guessable, settings.decoys)

    # connections

    def refuses(self, peer: Peer) -> bool:
        """Whether a connection is not heard at all."""
        if self.bans.covering(peer, self._wall()) is not None:
            return peer not in self._trusted
        key = host(peer)
        if not self.ledger.refused_seconds(Scope.HOST, key, self._clock()):
            return False
        return not self.known.is_anybodys(key) and peer not in self._trusted

    def refused_seconds(self, peer: Peer) -> float:
        """For how long its connections are not heard still; 0 when they are."""
        if not self.refuses(peer):
            return 0.0
        ban = self.bans.covering(peer, self._wall())
        if ban is not None:
            return math.inf if ban.until is None else ban.until - self._wall()
        return self.ledger.refused_seconds(Scope.HOST, host(peer), self._clock())

    def trusts_any_of(self, network: Network) -> bool:
        return any(one.overlaps(network) for one in self._settings.trusted if one.version == network.version)

    def trusts(self, peer: Peer) -> bool:
        return peer in self._trusted

    def refused_hosts(self) -> Iterator[tuple[bytes, float]]:
        """Machines whose connections are refused, with the seconds that are left."""
        for key, seconds in self.ledger.refused(Scope.HOST, self._clock()):
            if not self.known.is_anybodys(key):
                yield key, seconds

    # logins

    def admit(self, attempt: Attempt, name: str, proof: bytes | None) -> Treatment:
        """How the try is treated. If it is let go on, `note` or `gone` must follow."""
        now = self._clock()
        self._under_way.gone(attempt.session_id)
        self._under_way.expire(now - UNDER_WAY_SECONDS)
        this = self._trial(attempt, name, proof, now)
        ledger, first = self.ledger, this.bounds[0]
        at = ledger.at(now)
        tally = ledger.find(first.scope, first.key)
        repeat = tally is not None and ledger.has_in(tally, this.mark, at)
        if this.familiarity is Familiarity.HOST:
            is_refused = tally is not None and tally.until > at
        else:
            is_refused = self._is_refused(this, attempt.peer, tally, now, at)
        if is_refused:
            # As slow as before, so that nobody can tell when guessing became pointless.
            return Treatment(self._settings.delay_most_seconds, refused=True)
        treatment = self._measured(this, tally, at, repeat=repeat)
        if not repeat and not treatment.refused and not treatment.later:
            self._under_way.begin(attempt.session_id, this)
        return treatment

    def gone(self, session_id: str) -> None:
        """Nothing more comes of a try that was under way there."""
        self._under_way.gone(session_id)

    def note(self, tried: Tried) -> None:
        """The try counts from now on."""
        this = self._under_way.gone(tried.attempt.session_id)
        if this is None or not this.is_of(tried.name, tried.proof):
            this = self._trial(tried.attempt, tried.name, tried.proof, self._clock())
        if isinstance(tried.outcome, Welcome):
            self._succeeded(this, tried, tried.outcome.identity.name)
        elif tried.reason is Reason.UNKNOWN_USER and self._decoys.lures(tried.name):
            self._refuse_host(
                this.there, Offence.DECOY, tried.attempt.peer, f"tried the decoy {tried.name!r}"
            )
        elif tried.reason in GUESSES:
            self._guessed(this, tried)

    def _is_refused(self, this: Trial, peer: Peer, host: Tally | None, now: float, at: float) -> bool:
        """Somebody who is not on a machine of the name's own."""
        ledger = self.ledger
        _, small, large, name = this.bounds
        if not this.trusted:
            for tally in (host, ledger.find(small.scope, small.key), ledger.find(large.scope, large.key)):
                if tally is not None and tally.until > at:
                    return True
            if this.familiarity is Familiarity.STRANGE:
                tally = ledger.find(name.scope, name.key)
                if tally is not None and tally.until > at:
                    ledger.prolong(name.scope, name.key, now, self._settings.refuse_seconds)
                    self._guessed_in_vain(this, peer, at)
                    return True
        return False

    def _guessed_in_vain(self, this: Trial, peer: Peer, at: float) -> None:
        """A stranger tried a name under attack. It is not looked at, but of two passwords one is wrong."""
        names, pair = self.names, this.there.host + this.key
        if this.proof is not None and names.guessed(Scope.PAIR, pair, names.at(self._clock()), this.mark) > 1:
            self._count(this, this.bounds[:-1], peer, at)

    def _measured(self, this: Trial, first: Tally | None, at: float, *, repeat: bool) -> Treatment:
        """By the counts, and by what is under way."""
        ledger, wrong = self.ledger, self.ledger.wrong(first, at)
        if not repeat and not this.trusted:
            for one in this.bounds:
                tally = first if one is this.bounds[0] else ledger.find(one.scope, one.key)
                waiting = self._under_way.others(one.place, this.mark)
                if ledger.wrong(tally, at) + waiting >= one.most:
                    return LATER if waiting else Treatment(self._settings.delay_most_seconds, refused=True)
        # what is under way may well be right: fifty users behind one address begin the day together
        delay = login_delay_seconds(self._settings, wrong - repeat)
        return Treatment(delay) if delay else OPEN

    def _succeeded(self, this: Trial, tried: Tried, account: str) -> None:
        now, peer = self._clock(), tried.attempt.peer
        failures = self.ledger.count(Scope.HOST, this.there.host, Offence.WRONG_PASSWORD, now)
        at_name = self.ledger.count(Scope.NAME, this.key, Offence.WRONG_PASSWORD, now)
        under_attack = self.ledger.refused_seconds(Scope.NAME, this.key, now) > 0
        there = this.there
        places = ((Scope.HOST, there.host), (Scope.SMALL, there.small), (Scope.LARGE, there.large))
        for scope, key in (*places, (Scope.PAIR, there.host + this.key)):
            self.ledger.forgive(scope, key, this.tag)
        device = tried.outcome.device if isinstance(tried.outcome, Welcome) else None
        who = account if device is None else f"{account} (its device {device})"
        if this.familiarity is not Familiarity.HOST and (
            under_attack or max(failures, at_name) >= _FAILURES_WORTH_TELLING
        ):
            self._tell(
                EventKind.LOGIN_AFTER_FAILURES, account,
                f"{who} logged in from {peer} after {max(failures, at_name)} wrong passwords",
            )  # fmt: skip
        if this.familiarity is Familiarity.STRANGE and self.known.has_name(this.name):
            self._tell(
                EventKind.LOGIN_FROM_NEW_NETWORK, account, f"{who} logged in from {peer}, a new network"
            )
        self.learn(this.name, account, this.there.host)

    def learn(self, name: str, account: str, host: bytes) -> None:
        """The account logged in there, by this name (in the form of `name_key`)."""
        at = self._wall()
        for one in {name, self.name_key(account)}:
            if self.known.add(one, host, at):
                self._listener.known(one, host, at)

    def _guessed(self, this: Trial, tried: Tried) -> None:
        peer, ledger = tried.attempt.peer, self.ledger
        at = ledger.at(self._clock())
        if this.familiarity is Familiarity.HOST:
            (bound,) = this.bounds
            if ledger.guessed(bound.scope, bound.key, at, this.mark) >= bound.most:
                self._refuse(bound.scope, bound.key, Offence.WRONG_PASSWORD)
                self._listener.pair_refused(this.name, this.there.host)
                self._tell(
                    EventKind.ATTACK,
                    this.name,
                    f"{this.name}: {bound.most} wrong passwords from its own {peer}",
                )
            return
        self._count_spray(this)
        self._count(this, this.bounds, peer, at)

    def _count(self, this: Trial, bounds: Iterable[Bound], peer: Peer, at: float) -> None:
        """A wrong password of a strange place."""
        ledger = self.ledger
        for bound in bounds:
            if ledger.guessed(bound.scope, bound.key, at, this.mark) < bound.most:
                continue
            if bound.scope is Scope.HOST:
                self._refuse_host(this.there, Offence.WRONG_PASSWORD, peer, f"{bound.most} wrong passwords")
            elif bound.scope is Scope.NAME or not this.trusted:
                self._refuse_bound(bound, this, peer)

    def _refuse_bound(self, bound: Bound, this: Trial, peer: Peer) -> None:
        self._refuse(bound.scope, bound.key, Offence.WRONG_PASSWORD)
        if bound.scope is Scope.NAME:
            text = f"{this.name} is under attack: {bound.most} wrong passwords; only known sources may try it"
            self._tell(EventKind.ATTACK, this.name, text)
        else:
            text = f"the network of {peer} guessed {bound.most} passwords"
            self._tell(EventKind.ATTACK, bound.key.hex(), text)

    def _count_spray(self, this: Trial) -> None:
        """Names tried with wrong passwords; their marks are the names' tags."""
        mark = this.tag + _NO_GUESS
        at = self.names.at(self._clock())
        before = self.names.wrong(self.names.find(Scope.ALL, _ALL), at)
        if before < self._settings.spray_names <= self.names.guessed(Scope.ALL, _ALL, at, mark):
            self._tell(
                EventKind.ATTACK, "spray", f"{self._settings.spray_names} names are tried from many places"
            )

    # other offences

    def offend(self, offence: Offence, peer: Peer) -> Treatment:
        """It is counted; how the peer is treated for it."""
        there = source(peer)
        if peer in self._trusted:
            return OPEN
        if self.ledger.refused_seconds(Scope.HOST, there.host, self._clock()):
            return Treatment(self._settings.delay_most_seconds, refused=True)
        number = self.ledger.note(Scope.HOST, there.host, offence, self._clock())
        if number >= max(1, most_of(self._settings, offence)):
            self._refuse_host(there, offence, peer, f"{number} times {offence.value}")
        delay = harvest_delay_seconds(self._settings, number) if offence is Offence.UNKNOWN_RECIPIENT else 0.0
        return Treatment(delay) if delay else OPEN

    # what others ask

    @property
    def is_spray(self) -> bool:
        names = self.names
        return names.wrong(names.find(Scope.ALL, _ALL), names.at(self._clock())) >= self._settings.spray_names

    def is_under_attack(self, name: str) -> bool:
        return self.ledger.refused_seconds(Scope.NAME, _bytes(self.name_key(name)), self._clock()) > 0

    def names_under_attack(self) -> list[str]:
        return [key.decode("utf-8", "replace") for key, _ in self.ledger.refused(Scope.NAME, self._clock())]

    def pardon(self, peer: Peer) -> bool:
        """Nothing is known against the machine and its networks; whether there was anything."""
        there = source(peer)
        keys = ((Scope.HOST, there.host), (Scope.SMALL, there.small), (Scope.LARGE, there.large))
        found = [self.ledger.pardon(scope, key) for scope, key in keys]
        self._listener.refused(there.host, 0.0)
        return any(found)

    def pardon_name(self, name: str) -> bool:
        return self.ledger.pardon(Scope.NAME, _bytes(self.name_key(name)))

    def tidy(self) -> None:
        """Call it every minute or so."""
        self.ledger.tidy(self._clock())
        self.known.forget_before(self.forget_before)

    @property
    def forget_before(self) -> float:
        """Known sources older than this are strange again, Unix time.

        A clock that has stepped forward since the start is not believed: a wrong one would make strangers of
        all owners.
        """
        believed = min(self._wall(), self._began + self._clock() + _STEP_SECONDS)
        return believed - self._settings.known_sources_days * 86_400.0

    def name_key(self, name: str) -> str:
        """One form for `bob`, `CORP\\bob` and, where there is one domain, `bob@example.org`."""
        key = naming.canonical(name.strip()[:254]).rpartition("\\")[2]
        local, at, domain = key.rpartition("@")
        return local if at and domain == self._only_domain else key

    # inside

    def _trial(self, attempt: Attempt, name: str, proof: bytes | None, now: float) -> Trial:
        text, there, peer = self.name_key(name), source(attempt.peer), attempt.peer
        key = _bytes(text)
        tag = tag_of(key)
        mark = tag + (proof or secrets.token_bytes(_GUESS_BYTES))[:_GUESS_BYTES]
        familiarity = self.known.familiarity(text, there.host)
        if familiarity is Familiarity.HOST:
            most = self._settings.wrong_passwords_per_known_source
            bounds: tuple[Bound, ...] = (Bound(Scope.PAIR, there.host + key, most),)
        else:
            of_name = Bound(Scope.NAME, key, self._settings.wrong_passwords_per_name)
            bounds = (*source_bounds(self._settings, there, spray=self.is_spray), of_name)
        trusted = peer in self._trusted
        return Trial(name, proof, text, key, there, tag, mark, familiarity, trusted, bounds, now)

    def _refuse(self, scope: Scope, key: bytes, offence: Offence) -> float:
        settings = self._settings
        return self.ledger.refuse(
            scope, key, self._clock(), refuse_seconds(settings, offence), settings.refuse_most_seconds
        )

    def _refuse_host(self, there: Source, offence: Offence, peer: Peer, why: str) -> None:
        if peer in self._trusted:
            return
        seconds = self._refuse(Scope.HOST, there.host, offence)
        if not self.known.is_anybodys(there.host):
            self._listener.refused(there.host, seconds)
        self._tell(EventKind.ATTACK, shown(there.host), f"{peer} is refused for {seconds:.0f} s: {why}")

    def _tell(self, kind: EventKind, about: str, text: str) -> None:
        self._listener.happened(Event(kind, about, text))


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "replace")
