"""Where an act is done: the role is asked first, and what was done is audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from gatepost.admin.actor import Actor
from gatepost.admin.house import House
from gatepost.admin.link import Value
from gatepost.store.audit import Fact

T = TypeVar("T")


class Desk:
    """One actor in one house."""

    def __init__(self, house: House, actor: Actor) -> None:
        self.house = house
        self.actor = actor

    def require(self, act: str) -> None:
        """He may do it. Raises Forbidden, SignInAgain."""
        self.actor.require(act)

    @property
    def by(self) -> str:
        """The name under which changes are audited."""
        return self.actor.who

    async def work(self, act: str, does: Callable[[], T]) -> T:
        """What `does` gives, in a thread; it audits by itself, or changes nothing.

        Raises Forbidden, SignInAgain, and what `does` raises.
        """
        self.require(act)
        return await self.house.work(does)

    async def tell(self, act: str, verb: str, **fields: Value) -> Value:
        """The daemon's answer to an act that changes nothing. Raises Forbidden, NotRunning, Refused."""
        self.require(act)
        return await self.house.ask(verb, **fields)

    async def note(
        self,
        act: str,
        subject: str,
        *,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        """What was done stands in the audit."""

        audit, who = self.house.accounts.audit, self.by
        await self.house.work(
            lambda: audit.add(who=who, what=act, subject=subject, before=before, after=after)
        )
