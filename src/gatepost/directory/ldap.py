"""A directory over LDAP: Active Directory, OpenLDAP and their like.

Passwords are checked by a bind; what somebody is (addresses, groups, account state) is asked for and
remembered for a while. Silence is never an answer: without the directory nobody new logs in, and what
was learnt is believed for a limited time. Referrals are not followed. There is no SCRAM: the
directory gives no keys away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gatepost.directory.directory import Mailbox, Refusal, Resolution, Unavailable, UnknownRecipient
from gatepost.directory.ldap_connection import Bound
from gatepost.directory.ldap_fault import (
    INVALID_CREDENTIALS,
    LdapUnavailable,
    Stage,
    bind_refusal,
    result_problem,
)
from gatepost.directory.ldap_groups import Membership
from gatepost.directory.ldap_memory import Ages, Memory
from gatepost.directory.ldap_name import LoginName, parse
from gatepost.directory.ldap_person import Person
from gatepost.directory.ldap_tree import LdapTree
from gatepost.directory.password import PASSWORD_BYTES, Proven
from gatepost.log import Log
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store import naming
from gatepost.store.user import ScramKeys

_UNKNOWN_SECONDS: Final = 30.0  # a new account's mail is taken after this
_JUST_NOW_SECONDS: Final = 5.0
_ROUTED: Final = frozenset("%!@")
_ADDRESS_CHARACTERS: Final = 254
# RFC 4511 §A.2; 19 is how some servers say locked, 53 disabled
_REFUSED: Final = {19: Reason.ACCOUNT_LOCKED, 32: Reason.WRONG_PASSWORD, 48: Reason.WRONG_PASSWORD,
                   50: Reason.ACCOUNT_DISABLED, 53: Reason.ACCOUNT_DISABLED}  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as the directory has them."""

    person: Person
    identity: Identity


class _Nobody:
    """No account has the name, or several have."""


_NOBODY: Final = _Nobody()


class LdapDirectory:
    """The directory `name` over `tree`. `domains` are the local ones, with whether they know plus addresses.

    `guessable` are names attackers try.
    """

    def __init__(
        self,
        name: str,
        tree: LdapTree,
        proven: Proven,
        *,
        ages: Ages,
        domains: Mapping[str, bool],
        guessable: frozenset[str],
        clock: Callable[[], float],
        log: Log,
    ) -> None:
        self.name = name
        self._tree = tree
        self._proven = proven
        self._domains = dict(domains)
        self._guessable = guessable
        self._log = log
        self._known: Memory[str, Known] = Memory(ages, clock)
        self._resolved: Memory[Address, Resolution] = Memory(ages, clock)
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """Moves when facts that were given are not fresh any more: who relies on them asks again."""
        return self._generation

    def refresh(self) -> bool:
        if not self._known.ripened():
            return False
        self._generation += 1
        return True

    def close(self) -> None:
        for task in self._asked.values():
            task.cancel()
        self._tree.pool.close()

    def forget(self, name: str) -> None:
        """What is known of the name is asked for again."""
        login = parse(name)
        if login is not None:
            self._known.forget(_key(login))

    async def knows(self, name: str) -> bool:
        return await self._known_now(name) is not None

    async def identity(self, name: str) -> Identity | None:
        known = await self._known_now(name)
        return known.identity if known is not None and known.person.may_be_somebody else None

    async def verify(self, name: str, password: Secret) -> Identity | Refusal:
        if not password:  # RFC 4513 §5.1.2: it would be taken for anonymous, and welcome
            return Refusal(Reason.EMPTY_PASSWORD)
        login = parse(name)
        if login is None or _is_no_password(password):
            return Refusal(Reason.UNKNOWN_USER if login is None else Reason.WRONG_PASSWORD)
        known = self._known.fresh(_key(login))
        if known is not None and known.person.trouble is None:
            key = self._proven.key(known.person.dn, password)
            if self._proven.holds(key, 0, known.person.password_state):
                return known.identity
        # fifty sessions of one program begin at once: one bind, and one wrong password counted
        question = ("bind", self._proven.key(_key(login), password))
        return await self._once(question, lambda: self._verified(login, password))

    async def pretend(self, password: Secret) -> None:
        await self._tree.bind_nobody()

    async def scram_keys(self, name: str) -> ScramKeys | None:
        return None

    async def proven(self, name: str, keys: ScramKeys) -> Identity | Refusal:
        return Refusal(Reason.UNKNOWN_USER)

    def resolve(self, address: Address) -> Resolution | Awaitable[Resolution]:
        """At once from memory; else an awaitable, which raises Unavailable when the directory is silent."""
        resolution = self._resolved.fresh(address)
        if isinstance(resolution, UnknownRecipient):
            resolution = self._resolved.fresh(address, seconds=_UNKNOWN_SECONDS)
        if resolution is not None:
            return resolution
        if not self._may_be_here(address):
            return UnknownRecipient()
        return self._resolve(address)

    def named(self, address: Address) -> Resolution | Awaitable[Resolution]:
        return self.resolve(address)

    # logging in

    async def _verified(self, login: LoginName, password: Secret) -> Identity | Refusal:
        known = self._known.fresh(_key(login))
        if known is None or known.person.trouble is not None:
            return await self._verified_anew(login, password)
        answer = await self._tree.bind(known.person, password)
        if not answer.succeeded and self._known.fresh(_key(login), seconds=_JUST_NOW_SECONDS) is None:
            return await self._verified_anew(login, password)  # renamed, moved, unlocked meanwhile
        return self._judged(known.person, answer, password) or known.identity

    async def _verified_anew(self, login: LoginName, password: Secret) -> Identity | Refusal:
        """One question for the person; then the bind and the groups at the same time."""
        direct = self._tree.direct_name(login)
        if direct is not None:
            return await self._verified_directly(login, direct, password)
        person = await self._tree.person(login)
        if person is None:
            await self._tree.bind_nobody()
            return Refusal(Reason.UNKNOWN_USER)
        groups = asyncio.create_task(self._tree.membership(person))
        try:
            refusal = self._judged(person, await self._tree.bind(person, password), password)
            if refusal is not None:
                return refusal
            return self._learnt(login, person, await groups).identity
        finally:
            if not groups.done():
                groups.cancel()
            elif not groups.cancelled():
                groups.exception()  # seen, though it was not needed

    async def _verified_directly(self, login: LoginName, direct: str, password: Secret) -> Identity | Refusal:
        """The bind first, and who that is only if it succeeds."""
        answer = await self._tree.pool.bind(direct, password)
        if not answer.succeeded:
            return self._refused(answer, None)
        person = await self._tree.person(login)
        if person is None or not self._tree.is_direct(person, login):
            return Refusal(Reason.UNKNOWN_USER)
        refusal = self._judged(person, answer, password)
        return refusal or self._learnt(login, person, await self._tree.membership(person)).identity

    def _judged(self, person: Person, answer: Bound, password: Secret) -> Refusal | None:
        """Why the bind does not let them in; None when it does. Raises LdapUnavailable."""
        if answer.succeeded:
            if person.trouble is not None:
                return Refusal(person.trouble)
            self._proven.remember(self._proven.key(person.dn, password), 0, person.password_state)
            return None
        return self._refused(answer, person.trouble)

    def _refused(self, answer: Bound, trouble: Reason | None) -> Refusal:
        """Why a bind did not succeed. Raises LdapUnavailable where that says nothing of the password."""
        if answer.code == INVALID_CREDENTIALS:
            reason = bind_refusal(answer.diagnostics)
            locked = reason is Reason.WRONG_PASSWORD and trouble is Reason.ACCOUNT_LOCKED
            return Refusal(Reason.ACCOUNT_LOCKED if locked else reason)
        if answer.code in _REFUSED:
            return Refusal(trouble or _REFUSED[answer.code])
        raise LdapUnavailable(Stage.BIND, result_problem(answer.code, answer.diagnostics))

    # facts

    async def _known_now(self, name: str) -> Known | None:
        """Who bears the name, fresh, or believed while the directory is silent. Raises Unavailable."""
        login = parse(name)
        if login is None:
            return None
        key = _key(login)
        known = self._known.fresh(key)
        if known is not None:
            return known
        try:
            return await self._once(("facts", key), lambda: self._learn(login))
        except Unavailable:
            known = self._known.believed(key)
            if known is None:
                raise
            return known

    async def _learn(self, login: LoginName) -> Known | None:
        person = await self._tree.person(login)
        if person is None:
            self._known.forget(_key(login))
            return None
        return self._learnt(login, person, await self._tree.membership(person))

    def _learnt(self, login: LoginName, person: Person, membership: Membership) -> Known:
        locals_ = {name.partition("@")[0] for name in person.names}
        identity = Identity(
            name=person.name,
            names=person.names,
            addresses=person.addresses,
            groups=membership.keys,
            privileged=membership.privileged,
            guessable=not self._guessable.isdisjoint(person.names | locals_),
            directory=self.name,
        )
        known = Known(person, identity)
        self._known.put(_key(login), known)
        canonical = parse(person.name)
        if canonical is not None:
            self._known.put(_key(canonical), known)
        return known

    # recipients

    def _may_be_here(self, address: Address) -> bool:
        if naming.canonical_domain(address.domain) not in self._domains:
            return False
        text = str(address)
        return len(text) <= _ADDRESS_CHARACTERS and text.isprintable() and _ROUTED.isdisjoint(address.local)

    async def _resolve(self, address: Address) -> Resolution:
        try:
            return await self._once(("address", address), lambda: self._ask_for(address))
        except Unavailable:
            resolution = self._resolved.believed(address)
            if resolution is None or isinstance(resolution, UnknownRecipient):
                raise
            return resolution

    async def _ask_for(self, address: Address) -> Resolution:
        """The account that has the address, or has it without its tag."""
        whole = naming.key(address)
        local, _, domain = whole.rpartition("@")
        bare, plus, _ = local.partition("+")
        wanted = [whole]
        if plus and bare and self._domains[domain]:
            wanted.append(f"{bare}@{domain}")
        people = await self._tree.holders(wanted)
        resolution: Resolution = UnknownRecipient()
        for text in wanted:
            having = [person for person in people if _has(person, text)]
            if len(having) > 1:
                problem = f"{len(having)} accounts have the address {text}"
                self._log.warning("directory-ambiguous", directory=self.name, problem=problem)
                raise LdapUnavailable(Stage.SEARCH, problem)
            if having:
                resolution = Mailbox(having[0].name)
                break
        self._resolved.put(address, resolution)
        return resolution

    # asking once

    async def _once(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer; the same question asked meanwhile is not asked twice."""
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.create_task(ask())
            task.add_done_callback(lambda done: self._answered(question, done))
        answer: T = await asyncio.shield(task)
        return answer

    def _answered(self, question: Hashable, done: asyncio.Task[Any]) -> None:
        self._asked.pop(question, None)
        if not done.cancelled():
            done.exception()  # seen, though all who asked may be gone


def _key(login: LoginName) -> str:
    return f"{login.house}\\{login.user}" if login.house else login.whole


def _has(person: Person, text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return Address(local, domain) in person.addresses


def _is_no_password(password: Secret) -> bool:
    text = password.reveal()
    return len(text) > PASSWORD_BYTES or "\0" in text
