"""Several directories in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import pytest

from gatepost.directory.directory import (
    Directories,
    Mailbox,
    Refusal,
    Resolution,
    Unavailable,
    UnknownRecipient,
)
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.user import ScramKeys

KEYS = ScramKeys(b"salt", 4096, b"stored", b"server")
T = TypeVar("T")


class Fixed:
    """A directory that knows one name, with the password `right`, and may be silent."""

    def __init__(self, where: str, name: str, *, silent: bool = False) -> None:
        self.where = where
        self.name = name
        self.silent = silent
        self.generation = 1
        self.changed = False
        self.asked = 0
        self.pretended = 0
        self.closed = False
        self.catches = False
        self.login_names = {name}

    def refresh(self) -> bool:
        if self.changed:
            self.generation += 1
        changed, self.changed = self.changed, False
        return changed

    def _knows(self, name: str) -> bool:
        self.asked += 1
        if self.silent:
            raise Unavailable(self.where)
        return name == self.name or name in self.login_names

    def _identity(self) -> Identity:
        return Identity(self.name, frozenset({self.name}), frozenset(), frozenset(), directory=self.where)

    def close(self) -> None:
        self.closed = True

    async def knows(self, name: str) -> bool:
        return self._knows(name)

    async def pretend(self, password: Secret) -> None:
        self.pretended += 1

    async def identity(self, name: str) -> Identity | None:
        return self._identity() if self._knows(name) else None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if not self._knows(name):
            return Refusal(Reason.UNKNOWN_USER)
        return self._identity() if password == Secret("right") else Refusal(Reason.WRONG_PASSWORD)

    async def scram_keys(self, name: str) -> ScramKeys | None:
        return KEYS if self._knows(name) else None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        return self._identity() if self._knows(name) else Refusal(Reason.UNKNOWN_USER)

    def resolve(self, address: Address) -> Resolution:
        named = self.named(address)
        if isinstance(named, UnknownRecipient) and self.catches:
            return Mailbox(f"{self.where}:caught")
        return named

    def named(self, address: Address) -> Resolution:
        return Mailbox(f"{self.where}:{self.name}") if self._knows(address.local) else UnknownRecipient()


def run(question: Coroutine[object, object, T]) -> T:
    return asyncio.run(question)


def test_a_name_belongs_to_the_first_that_knows_it() -> None:
    first, second = Fixed("a", "bob"), Fixed("b", "bob")
    several = Directories([first, second])
    for answer in (
        run(several.identity("bob")),
        run(several.verify("bob", Secret("right"))),
        run(several.proven("bob", KEYS)),
    ):
        assert isinstance(answer, Identity)
        assert answer.directory == "a"
    assert several.resolve(Address("bob", "example.org")) == Mailbox("a:bob")
    assert run(several.scram_keys("bob")) == KEYS
    assert second.asked == 0


def test_a_wrong_password_is_not_tried_at_the_next() -> None:
    first, second = Fixed("a", "bob"), Fixed("b", "bob")
    several = Directories([first, second])
    assert run(several.verify("bob", Secret("wrong"))) == Refusal(Reason.WRONG_PASSWORD)
    assert second.asked == 0


def test_who_the_first_does_not_know_may_be_the_seconds() -> None:
    several = Directories([Fixed("a", "ann"), Fixed("b", "bob")])
    answer = run(several.verify("bob", Secret("right")))
    assert isinstance(answer, Identity)
    assert answer.directory == "b"
    assert several.resolve(Address("bob", "example.org")) == Mailbox("b:bob")
    assert run(several.scram_keys("bob")) == KEYS
    assert isinstance(run(several.proven("bob", KEYS)), Identity)


def test_nobody_is_unknown_to_all() -> None:
    several = Directories([Fixed("a", "ann"), Fixed("b", "bob")])
    assert run(several.identity("zoe")) is None
    assert run(several.verify("zoe", Secret("right"))) == Refusal(Reason.UNKNOWN_USER)
    assert run(several.proven("zoe", KEYS)) == Refusal(Reason.UNKNOWN_USER)
    assert run(several.scram_keys("zoe")) is None
    assert several.resolve(Address("zoe", "example.org")) == UnknownRecipient()


def test_a_silent_one_is_not_passed_over() -> None:
    second = Fixed("b", "bob")
    several = Directories([Fixed("a", "ann", silent=True), second])
    with pytest.raises(Unavailable):
        run(several.verify("bob", Secret("right")))
    with pytest.raises(Unavailable):
        run(several.identity("bob"))
    assert second.asked == 0


def test_a_silent_one_behind_is_not_missed() -> None:
    several = Directories([Fixed("a", "ann"), Fixed("b", "bob", silent=True)])
    assert isinstance(run(several.verify("ann", Secret("right"))), Identity)


def test_no_directory_sees_an_empty_password() -> None:
    only = Fixed("a", "bob")
    assert run(Directories([only]).verify("bob", Secret(""))) == Refusal(Reason.EMPTY_PASSWORD)
    assert only.asked == 0


def test_a_change_in_any_is_a_change() -> None:
    first, second = Fixed("a", "ann"), Fixed("b", "bob")
    several = Directories([first, second])
    generation = several.generation
    assert not several.refresh()
    first.changed = second.changed = True
    assert several.refresh()
    assert several.generation > generation
    assert not several.refresh()


def test_what_one_catches_is_first_asked_for_at_the_others() -> None:
    first, second = Fixed("a", "ann"), Fixed("b", "bob")
    first.catches = True
    several = Directories([first, second])
    assert several.resolve(Address("bob", "example.org")) == Mailbox("b:bob")
    assert several.resolve(Address("zoe", "example.org")) == Mailbox("a:caught")


def test_a_wrong_password_takes_as_long_whose_ever_the_name_is() -> None:
    first, second = Fixed("a", "ann"), Fixed("b", "bob")
    several = Directories([first, second])
    for name in ("ann", "bob", "zoe"):
        run(several.verify(name, Secret("wrong")))
    assert (first.pretended, second.pretended) == (2, 1)
    run(several.verify("bob", Secret("right")))
    assert (first.pretended, second.pretended) == (2, 1)


def test_who_bears_the_name_of_somebody_in_an_earlier_directory_is_nobody() -> None:
    """Logged in by another of their names, they would have the mailbox of the first."""
    second = Fixed("b", "bob")
    second.login_names = {"corp\\bob"}
    several = Directories([Fixed("a", "bob"), second])
    assert run(several.verify("corp\\bob", Secret("right"))) == Refusal(Reason.UNKNOWN_USER)


def test_closing_closes_all() -> None:
    first, second = Fixed("a", "ann"), Fixed("b", "bob")
    Directories([first, second]).close()
    assert first.closed
    assert second.closed
