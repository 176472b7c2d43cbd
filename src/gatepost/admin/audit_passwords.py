"""Passwords of local accounts, tried as a thief of the database would: offline, within a time.

What was tried is kept by a digest of the stored hash, so that an unchanged password is not tried again
and a run that was cut short goes on. Neither passwords nor guesses are kept. The SCRAM keys are tried
where there are any, since they are what is cheapest to try; else the argon2id hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatepost.admin.certfiles import service_owner
from gatepost.directory.guesses import own_guesses
from gatepost.directory.password import prepared
from gatepost.secret import Secret
from gatepost.store.scram import Salt, scram_keys
from gatepost.store.user import Credential
from gatepost.wholefile import replace_file

_AT_ONCE: Final = 50  # guesses at one account before the next one's turn
_HASHER: Final = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Subject:
    """An account whose password is tried. `year` is the present one."""

    name: str
    credential: Credential
    full_name: str
    year: int

    def own(self) -> tuple[str, ...]:
        """What is tried at it alone, before the common list; made anew, for lists of thousands are large."""
        return own_guesses(self.name, self.full_name, self.year)


@dataclass(frozen=True, slots=True)
class Tried:
    """What was done to one stored password. `digest` is of the guesses done, in their order."""

    password: str
    done: int
    digest: str
    weak: bool


@dataclass(frozen=True, slots=True)
class Step:
    """How far the trying is, in guesses."""

    done: int
    total: int


@dataclass(slots=True)
class Outcome:
    """`weak` are the accounts whose password was found, `left` those not tried to the end."""

    weak: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    tried: int = 0


@dataclass(slots=True)
class _Trial:
    """`total` counts the account's own guesses and the common ones."""

    subject: Subject
    total: int
    done: int
    weak: bool

    @property
    def is_over(self) -> bool:
        return self.weak or self.done >= self.total


class PasswordTrials:
    """`memory` is the file of what was tried, readable by its owner alone."""

    def __init__(
        self, memory: Path, *, threads: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._memory = memory
        self._threads = threads or max(1, (os.cpu_count() or 1) // 2)  # mail goes on meanwhile
        self._clock = clock
        self.outcome = Outcome()

    def run(self, subjects: Sequence[Subject], common: Sequence[str], *, seconds: float) -> Iterator[Step]:
        """Tries, account by account in turns, until all is done or the time is up. Raises OSError."""
        known, prefixes = _remembered(self._memory), _Prefixes(common)
        trials = [_begin(subject, known.get(subject.name), prefixes) for subject in subjects]
        total = sum(trial.total for trial in trials)
        ends = self._clock() + seconds
        try:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="guess") as pool:
                done = sum(map(_counted, trials))
                while (open_ := [one for one in trials if not one.is_over]) and self._clock() < ends:
                    for trial in open_:
                        if self._clock() >= ends:
                            break
                        before = _counted(trial)
                        self._turn(trial, common, pool)
                        done += _counted(trial) - before
                        yield Step(done, total)
        finally:
            self._remember(trials, prefixes)
            self.outcome.weak = [one.subject.name for one in trials if one.weak]
            self.outcome.left = [one.subject.name for one in trials if not one.is_over]

    def _turn(self, trial: _Trial, common: Sequence[str], pool: ThreadPoolExecutor) -> None:
        credential, own = trial.subject.credential, trial.subject.own()
        part = own[trial.done : trial.done + _AT_ONCE]
        if not part:
            begins = trial.done - len(own)
            part = tuple(common[begins : begins + _AT_ONCE])
        trial.weak = any(list(pool.map(lambda guess: fits(credential, guess), part)))
        trial.done += len(part)
        self.outcome.tried += len(part)

    def _remember(self, trials: Iterable[_Trial], prefixes: _Prefixes) -> None:
        rows = {one.subject.name: asdict(_tried(one, prefixes)) for one in trials}
        content = json.dumps(rows, indent=1).encode()
        replace_file(self._memory, content, mode=0o600, owner=service_owner(self._memory.parent))


def still_weak(memory: Path, credential: Callable[[str], Credential | None]) -> list[str]:
    """Whose password was found in an earlier run and has not been changed since; nothing is tried."""
    found = []
    for name, tried in _remembered(memory).items():
        kept = credential(name) if tried.weak else None
        if kept is not None and _fingerprint(kept) == tried.password:
            found.append(name)
    return found


def _remembered(memory: Path) -> dict[str, Tried]:
    try:
        rows = json.loads(memory.read_text("utf-8"))
        return {name: Tried(**row) for name, row in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # never written, or by another version: everything is tried again


class _Prefixes:
    """Digests of beginnings of the common list, each computed once."""

    def __init__(self, common: Sequence[str]) -> None:
        self.common = common
        self._known: dict[int, str] = {}

    def digest(self, own: Sequence[str], done: int) -> str:
        """Of the first `done` guesses at an account with these of its own."""
        shared = max(done - len(own), 0)
        if shared not in self._known:
            self._known[shared] = _digest(self.common[:shared])
        return _digest((*own[:done], self._known[shared]))


def fits(credential: Credential, guess: str) -> bool:
    """Whether the guess is the password."""
    if credential.scram is not None:
        keys = scram_keys(Secret(guess), Salt(credential.scram.salt, credential.scram.iterations))
        return keys is not None and hmac.compare_digest(keys.stored_key, credential.scram.stored_key)
    try:
        return _HASHER.verify(credential.password_hash, prepared(Secret(guess)))
    except (VerificationError, InvalidHashError):
        return False


def _begin(subject: Subject, before: Tried | None, prefixes: _Prefixes) -> _Trial:
    """Where trying goes on. A changed password, or other guesses at the front, begin anew."""
    own = subject.own()
    total = len(own) + len(prefixes.common)
    if before is None or before.password != _fingerprint(subject.credential):
        return _Trial(subject, total, 0, weak=False)
    same = before.digest == prefixes.digest(own, before.done)
    return _Trial(subject, total, before.done if same or before.weak else 0, before.weak)


def _tried(trial: _Trial, prefixes: _Prefixes) -> Tried:
    subject = trial.subject
    digest = prefixes.digest(subject.own(), trial.done)
    return Tried(_fingerprint(subject.credential), trial.done, digest, trial.weak)


def _counted(trial: _Trial) -> int:
    return trial.total if trial.is_over else trial.done


def _fingerprint(credential: Credential) -> str:
    return hashlib.sha256(credential.password_hash.encode()).hexdigest()


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()
