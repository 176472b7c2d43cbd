"""Who signs in: Gatepost's own administrators, and people of the directories whom `[console]` names.

Everything that proves somebody goes through `login.py`, so that the guard counts it and it is recorded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import pyotp

from gatepost.admin.roles import Role
from gatepost.config.schema import Settings
from gatepost.console.vouched import PREFIX, identity_of, named, role_of
from gatepost.directory.build import directories
from gatepost.directory.directory import Directories, Refusal, Unavailable
from gatepost.directory.granted import TokenRefused
from gatepost.directory.idtoken import Voucher
from gatepost.directory.own import OWN, OwnAdministrators
from gatepost.directory.password import Passwords
from gatepost.guard.post import Post
from gatepost.guard.record import recorder
from gatepost.log import Log
from gatepost.login import Attempt, Login, Welcome
from gatepost.policy.facts import Identity, Peer, Unknown
from gatepost.policy.principal import Kind, Principal
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.administrators import Administrator
from gatepost.store.attempts import Attempts

_STEP_SECONDS: Final = 30
_STEPS_AROUND: Final = 1  # clocks differ (RFC 6238 §5.2)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from. `session_id` stands in log and records."""

    peer: Peer
    tls: bool
    session_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose password was right, and who has a role here. `row` holds the second factors.

    `voucher`: what the provider said by whom he was signed in.
    """

    identity: Identity
    role: Role
    row: Administrator
    voucher: Voucher | None = None

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def is_own(self) -> bool:
        return self.identity.directory == OWN


class People:
    """Answers who somebody is. `change` when other settings are in force."""

    def __init__(
        self, settings: Settings, accounts: Accounts, passwords: Passwords, guard: Post, attempts: Attempts,
        log: Log, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._passwords = passwords
        self._guard = guard
        self._attempts = attempts
        self._log = log
        self._sleep = sleep
        self.change(settings)

    def change(self, settings: Settings) -> None:
        """These settings hold from now on. Raises OSError, ValueError."""
        self._settings = settings
        others = directories(settings, self._accounts, self._passwords, self._log)
        self._directories = Directories([OwnAdministrators(self._accounts, self._passwords), others])
        self._login = Login(
            self._directories,
            self._guard,
            self._log,
            decoy_key=self._accounts.unknown_names_key(),
            note=recorder(self._attempts.note, time.time),
            sleep=self._sleep,
        )

    async def by_password(self, name: str, password: Secret, origin: Origin) -> Person | Reason:
        """Who that is, or why nobody: the peer is told the same for whatever is its fault."""
        outcome = await self._login.password(_attempt("PASSWORD", origin), name, password)
        if not isinstance(outcome, Welcome):
            return outcome.reason
        role = None
        if not outcome.identity.name.startswith(PREFIX):  # a name that none of these may have
            role = await self._role(outcome.identity)
        if role is None:
            self._log.warning(
                "console-refused", name=outcome.identity.name, peer=origin.peer, reason="no role"
            )
            return Reason.ACCESS_DENIED
        return Person(outcome.identity, role, await self._row(outcome.identity))

    async def by_provider(self, ask: Callable[[], Awaitable[Voucher]], origin: Origin) -> Person | Reason:
        """Whom a provider has signed in, or why nobody. `ask` raises TokenRefused, Unavailable."""
        vouchers: list[Voucher] = []

        async def asked() -> Identity | Refusal:
            try:
                voucher = await ask()
            except TokenRefused as refused:
                self._log.warning("token-refused", server="console", peer=origin.peer, problem=str(refused))
                return Refusal(refused.reason)
            vouchers.append(voucher)
            identity = identity_of(voucher)
            if self.vouched_role(voucher) is None:
                self._log.warning("console-refused", name=identity.name, peer=origin.peer, reason="no role")
                return Refusal(Reason.ACCESS_DENIED)
            return identity

        outcome = await self._login.elsewhere(_attempt("OPENID", origin), asked)
        if not isinstance(outcome, Welcome):
            return outcome.reason
        role = self.vouched_role(vouchers[0])
        assert role is not None
        return Person(outcome.identity, role, await self._row(outcome.identity), vouchers[0])

    def vouched_role(self, voucher: Voucher) -> Role | None:
        """The role that it gives by the settings of now."""
        console = self._settings.console
        return None if console is None else role_of(voucher, console.openid)

    async def by_code(self, name: str, code: str, origin: Origin) -> bool:
        """Whether it is the code of now, used for the first time."""
        identity = await self._identity(name)
        row = await asyncio.to_thread(self._accounts.administrators.find, name)
        if identity is None or row is None or row.totp_secret is None:
            return False
        secret, number = row.totp_secret, row.id

        def is_right() -> bool:
            step = step_of(secret, code, time.time())
            return step is not None and self._accounts.administrators.use_step(number, step)

        outcome = await self._login.further(
            _attempt("TOTP", origin), identity, Secret(code), is_right
        )  # fmt: skip
        return isinstance(outcome, Welcome)

    async def by_key(self, name: str, origin: Origin, is_right: Callable[[], bool]) -> bool:
        """Whether the security key's answer is right; a wrong one counts as any wrong proof."""
        identity = await self._identity(name)
        if identity is None:
            return False
        outcome = await self._login.further(
            _attempt("WEBAUTHN", origin), identity, Secret(origin.session_id), is_right
        )
        return isinstance(outcome, Welcome)

    async def role_now(self, name: str) -> Role | None:
        """The role that somebody who signed in has by now; None: none any more. Raises Unavailable."""
        identity = await self._identity(name)
        return None if identity is None else await self._role(identity)

    def own_role(self, name: str) -> Role | None:
        """The role of one of Gatepost's own, at once."""
        found = self._accounts.administrators.find(name)
        return None if found is None or found.role is None else Role(found.role)

    async def _identity(self, name: str) -> Identity | None:
        if name.startswith(PREFIX):
            return named(name)
        self._directories.refresh()  # what was changed a moment ago counts
        return await self._directories.identity(name)

    async def _row(self, identity: Identity) -> Administrator:
        administrators = self._accounts.administrators
        if identity.directory == OWN:
            return await asyncio.to_thread(administrators.get, identity.name)
        return await asyncio.to_thread(administrators.remember, identity.name)

    async def _role(self, identity: Identity) -> Role | None:
        if identity.directory == OWN:
            return await asyncio.to_thread(self.own_role, identity.name)
        if identity.directory == "local" and await asyncio.to_thread(self._administers, identity.name):
            return Role.ADMINISTRATOR
        console = self._settings.console
        assert console is not None
        for role, principals in (
            (Role.ADMINISTRATOR, console.administrators),
            (Role.OPERATOR, console.operators),
            (Role.VIEWER, console.viewers),
        ):
            if any(_means(principal, identity) for principal in principals):
                return role
        return None

    def _administers(self, name: str) -> bool:
        user = self._accounts.users.find(name)
        return user is not None and user.administrator and not user.disabled


def _means(principal: Principal, identity: Identity) -> bool:
    if principal.kind is Kind.USER:
        return principal.name in identity.names
    groups = identity.groups
    if isinstance(groups, Unknown):
        raise Unavailable(f"the groups of {identity.name} are not known now")
    return principal.name in groups


def _attempt(mechanism: str, origin: Origin) -> Attempt:
    # in clear the console is served to this machine alone
    return Attempt(mechanism, "console", origin.peer, origin.tls, origin.session_id, in_clear_allowed=True)


def step_of(secret: str, code: str, now: float) -> int | None:
    """The time step whose code this is, about now (RFC 6238); None: it is none."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return None
    totp, step = pyotp.TOTP(secret, interval=_STEP_SECONDS), int(now) // _STEP_SECONDS
    around = range(step - _STEPS_AROUND, step + _STEPS_AROUND + 1)
    return next((one for one in around if pyotp.utils.strings_equal(totp.generate_otp(one), digits)), None)
