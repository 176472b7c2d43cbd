"""The whole login, and the first guard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from directory.directories import Clock, House, open_house
from gatepost.config.schema import Guard as GuardSettings
from gatepost.directory.devices import KeyRing
from gatepost.directory.directory import Directories, Resolution, Unavailable
from gatepost.guard.guard import Guard
from gatepost.guard.post import Post
from gatepost.login import Attempt, Login, Rejected, Tried, Welcome
from gatepost.mail.address import Address
from gatepost.policy.facts import Identity
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.scram import SCRAM_ITERATIONS
from gatepost.store.user import ScramKeys

ATTEMPT = Attempt("PLAIN", "submission", ip_address("192.0.2.1"), tls=True, session_id="7F3K2Q")
SECRETS = ("tangerine", "mandarin", "clementine")


@dataclass(slots=True)
class Gate:
    """A login over a house, with what it told others."""

    house: House
    login: Login
    tried: list[Tried]
    slept: list[float]
    guard: Post
    clock: Clock

    def password(self, name: str, password: str, attempt: Attempt = ATTEMPT) -> str | Reason:
        outcome = asyncio.run(self.login.password(attempt, name, Secret(password)))
        return outcome.identity.name if isinstance(outcome, Welcome) else outcome.reason

    @property
    def log(self) -> str:
        return self.house.log_path.read_text()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with open_house(tmp_path) as house:
        house.add("bob@example.org", "tangerine")
        tried: list[Tried] = []
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        clock = Clock()
        guard = Post(Guard(GuardSettings(), clock=clock, wall=clock), clock=clock, wall=clock)
        login = Login(
            Directories([house.directory]),
            guard,
            house.log,
            decoy_key=house.accounts.unknown_names_key(),
            note=tried.append,
            sleep=sleep,
        )
        yield Gate(house, login, tried, slept, guard, clock)


def test_a_good_login_is_welcome_and_told_to_all(gate: Gate) -> None:
    assert gate.password("Bob", "tangerine") == "bob@example.org"
    (tried,) = gate.tried
    assert isinstance(tried.outcome, Welcome)
    assert tried.name == "Bob"
    assert (
        " info login session=7F3K2Q server=submission peer=192.0.2.1 mechanism=PLAIN tls=True "
        "name=Bob user=bob@example.org\n" in gate.log
    )


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        ("bob", "mandarin", Reason.WRONG_PASSWORD),
        ("zoe", "tangerine", Reason.UNKNOWN_USER),
        ("closed", "clementine", Reason.ACCOUNT_DISABLED),
        ("bob", "", Reason.EMPTY_PASSWORD),
    ],
)
def test_a_bad_login_is_told_apart_for_us_and_the_same_for_the_peer(
    gate: Gate, name: str, password: str, reason: Reason
) -> None:
    gate.house.add("closed@example.org", "clementine")
    gate.house.accounts.users.set_disabled("closed@example.org", disabled=True, by="x")
    assert gate.password(name, password) is reason
    assert reason.shown is Reason.BAD_CREDENTIALS
    assert gate.tried[0].outcome == Rejected(reason)
    assert f"name={name} reason={reason.value}\n" in gate.log


def test_no_password_is_logged_or_noted(gate: Gate) -> None:
    for secret in SECRETS:
        gate.password("bob", secret)
    gate.password("mandarin pie", "clementine")
    assert not any(secret in gate.log for secret in ("tangerine", "clementine"))
    assert not any(secret in repr(gate.tried) for secret in ("tangerine", "clementine"))


def test_a_name_cannot_write_log_lines(gate: Gate) -> None:
    gate.password("bob\n2026 info login user=root", "x")
    gate.password("b" * 100_000, "x")
    assert gate.log.count("\n") == 2
    assert len(gate.log) < 1_000


def test_a_password_in_clear_needs_leave(gate: Gate) -> None:
    in_clear = replace(ATTEMPT, tls=False)
    assert gate.password("bob", "tangerine", in_clear) is Reason.AUTH_NEEDS_TLS
    assert gate.password("bob", "tangerine", replace(in_clear, in_clear_allowed=True)) == "bob@example.org"


def test_proofs_tell_passwords_apart_and_nothing_else(gate: Gate) -> None:
    for name, password in (("bob", "a"), ("BOB", "a"), ("bob", "b"), ("zoe", "a")):
        gate.password(name, password)
    proofs = [tried.proof for tried in gate.tried]
    assert proofs[0] == proofs[1]
    assert len(set(proofs)) == 3


class Silent:
    """A directory that cannot say."""

    generation = 0

    def refresh(self) -> bool:
        return False

    async def identity(self, name: str) -> Identity | None:
        raise Unavailable("dc1 does not answer")

    async def verify(self, name: str, password: Secret) -> Identity:
        raise Unavailable("dc1 does not answer")

    async def scram_keys(self, name: str) -> ScramKeys | None:
        raise Unavailable("dc1 does not answer")

    async def proven(self, name: str, keys: ScramKeys) -> Identity:
        raise Unavailable("dc1 does not answer")

    def resolve(self, address: Address) -> Resolution:
        raise Unavailable("dc1 does not answer")


def test_a_silent_directory_is_a_later_and_counts_against_nobody(gate: Gate) -> None:
    login = Login(Silent(), gate.guard, gate.house.log, decoy_key=b"k", note=gate.tried.append)

    async def facts() -> None:
        later = Rejected(Reason.DIRECTORY_UNAVAILABLE)
        for _ in range(30):
            assert await login.password(ATTEMPT, "bob", Secret("tangerine")) == later
        assert await login.keys(ATTEMPT, "bob") == later
        assert await login.proven(ATTEMPT, "bob", ScramKeys(b"", 4096, b"", b"")) == later

    asyncio.run(facts())
    assert gate.tried == []
    assert gate.slept == []
    assert 'login-not-decided session=7F3K2Q server=submission peer=192.0.2.1 name=bob error="dc1' in gate.log


async def keys_of(gate: Gate, name: str) -> ScramKeys:
    """The only keys that the name is offered."""
    ring = await gate.login.keys(ATTEMPT, name)
    assert isinstance(ring, KeyRing)
    (keys,) = ring.good
    return keys


def test_scram_goes_by_the_users_keys(gate: Gate) -> None:
    async def facts() -> None:
        keys = await keys_of(gate, "bob")
        assert gate.tried == []
        assert isinstance(await gate.login.proven(ATTEMPT, "bob", keys), Welcome)
        gate.house.accounts.users.set_disabled("bob@example.org", disabled=True, by="x")
        assert await gate.login.proven(ATTEMPT, "bob", keys) == Rejected(Reason.ACCOUNT_DISABLED)

    asyncio.run(facts())
    assert len(gate.tried) == 2


def test_a_failed_scram_exchange_is_told_apart_for_us(gate: Gate) -> None:
    async def facts() -> None:
        assert await gate.login.disproven(ATTEMPT, "bob") == Rejected(Reason.WRONG_PASSWORD)
        assert await gate.login.disproven(ATTEMPT, "zoe") == Rejected(Reason.UNKNOWN_USER)
        binding = await gate.login.disproven(ATTEMPT, "bob", Reason.CHANNEL_BINDING)
        assert binding == Rejected(Reason.CHANNEL_BINDING)

    asyncio.run(facts())
    assert len(gate.tried) == 3


def test_an_unknown_name_has_keys_that_look_like_a_users(gate: Gate) -> None:
    async def facts() -> None:
        real, decoy, again, other = [
            await keys_of(gate, name) for name in ("bob", "zoe", " ZOE", "adam\ud800")
        ]
        assert decoy.salt == again.salt != other.salt
        assert decoy.iterations == real.iterations == SCRAM_ITERATIONS
        assert len(decoy.salt) == len(real.salt)
        assert len(decoy.stored_key) == len(real.stored_key) == len(decoy.server_key)
        assert await gate.login.proven(ATTEMPT, "zoe", decoy) == Rejected(Reason.UNKNOWN_USER)

    asyncio.run(facts())


def test_decoys_are_the_same_after_a_restart(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with open_house(tmp_path) as house:
            found.append(house.accounts.unknown_names_key())
    assert found[0] == found[1]


def test_a_peer_that_fails_is_slowed_then_refused_then_forgotten(gate: Gate) -> None:
    for number in range(10):
        assert gate.password("bob", f"wrong{number}") is Reason.WRONG_PASSWORD
    assert gate.slept == [0.25, 0.5, 1, 2, 4, 8, 8]
    assert gate.password("bob", "tangerine") is Reason.LOGIN_REFUSED_BY_GUARD
    keys = asyncio.run(gate.login.keys(ATTEMPT, "bob"))
    assert keys == Rejected(Reason.LOGIN_REFUSED_BY_GUARD)
    assert Reason.LOGIN_REFUSED_BY_GUARD.shown is Reason.BAD_CREDENTIALS
    other = replace(ATTEMPT, peer=ip_address("192.0.2.2"))
    assert gate.password("bob", "tangerine", other) == "bob@example.org"
    gate.clock.now += 3_600
    assert gate.password("bob", "tangerine") == "bob@example.org"


def test_the_same_wrong_password_again_counts_once(gate: Gate) -> None:
    for _ in range(50):
        gate.password("bob", "oldpassword")
    assert gate.slept == []


def test_the_right_password_takes_back_the_names_own_wrong_ones(gate: Gate) -> None:
    for number in range(9):
        gate.password("bob", f"wrong{number}")
    assert gate.password("bob", "tangerine") == "bob@example.org"
    gate.slept.clear()
    for number in range(3):
        gate.password("zoe", f"wrong{number}")
    assert gate.slept == []


@pytest.mark.parametrize("scram", [False, True])
def test_a_login_that_is_broken_off_is_not_under_way_any_more(gate: Gate, scram: bool) -> None:
    async def facts() -> None:
        for number in range(30):
            attempt = replace(ATTEMPT, session_id=f"S{number}")
            if scram:
                assert isinstance(await gate.login.keys(attempt, "bob"), KeyRing)
                gate.guard.gone(attempt.session_id)
            else:
                task = asyncio.ensure_future(gate.login.password(attempt, "bob", Secret(f"wrong{number}")))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        assert isinstance(await gate.login.password(ATTEMPT, "bob", Secret("tangerine")), Welcome)

    asyncio.run(facts())
