"""Passwords: kept, checked in few threads, remembered when right."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.directory.cache import Cache
from gatepost.directory.directory import Busy
from gatepost.directory.password import Cost, Passwords, Proven
from gatepost.secret import Secret
from gatepost.store.scram import SCRAM_ITERATIONS, Salt, scram_keys

CHEAP = Cost(memory_kib=8, passes=1)
RIGHT = Secret("tangerine")
WRONG = Secret("mandarin")


@asynccontextmanager
async def open_passwords(slots: int = 2, waiting: int = 200, cost: Cost = CHEAP) -> AsyncIterator[Passwords]:
    passwords = Passwords(slots=slots, waiting=waiting, cost=cost)
    try:
        yield passwords
    finally:
        passwords.close()


def test_only_the_right_password_matches_its_hash() -> None:
    async def facts() -> None:
        async with open_passwords() as passwords:
            stored = passwords.credential(RIGHT).password_hash
            assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
            assert await passwords.matches(b"1", RIGHT, stored)
            assert not await passwords.matches(b"2", WRONG, stored)
            assert not await passwords.matches(b"3", RIGHT, None)
            assert not await passwords.matches(b"4", RIGHT, "not a hash")

    asyncio.run(facts())


def test_the_default_cost_is_owasps() -> None:
    passwords = Passwords()
    assert passwords.credential(RIGHT).password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    passwords.close()


def test_no_hash_takes_as_long_as_a_wrong_password() -> None:
    async def seconds(passwords: Passwords, stored: str | None) -> float:
        began = time.process_time()
        for number in range(2):
            await passwords.matches(bytes([number]), WRONG, stored)
        return time.process_time() - began

    async def facts() -> None:
        async with open_passwords(cost=Cost()) as passwords:
            stored = passwords.credential(RIGHT).password_hash
            # the quickest of some: what else the machine does only makes them slower
            wrong = min([await seconds(passwords, stored) for _ in range(4)])
            nobody = min([await seconds(passwords, None) for _ in range(4)])
            assert 0.5 < nobody / wrong < 2

    asyncio.run(facts())


def test_composed_and_decomposed_writing_are_one_password() -> None:
    async def facts() -> None:
        async with open_passwords() as passwords:
            stored = passwords.credential(Secret("tür")).password_hash
            assert await passwords.matches(b"1", Secret("tu\u0308r"), stored)

    asyncio.run(facts())


async def _stuck(passwords: Passwords, meanwhile: Callable[[], Coroutine[None, None, None]]) -> None:
    """Runs `meanwhile` while one thread is stuck."""
    begun, gate = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        gate.wait()

    stuck = asyncio.create_task(passwords.work(work))
    try:
        await begun.wait()
        await meanwhile()
    finally:
        gate.set()
        await stuck


def test_more_than_may_wait_are_told_at_once() -> None:
    async def facts() -> None:
        async with open_passwords(slots=1, waiting=1) as passwords:

            async def meanwhile() -> None:
                waits = asyncio.create_task(passwords.matches(b"1", RIGHT, None))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                with pytest.raises(Busy, match="2 passwords wait"):
                    await passwords.matches(b"2", RIGHT, None)
                waits.cancel()

            await _stuck(passwords, meanwhile)
            assert not await passwords.matches(b"3", RIGHT, None)

    asyncio.run(facts())


def test_the_same_question_is_worked_on_once() -> None:
    async def facts() -> None:
        async with open_passwords(slots=1, waiting=1) as passwords:
            stored = passwords.credential(RIGHT).password_hash
            same = [asyncio.create_task(passwords.matches(b"1", RIGHT, stored)) for _ in range(50)]
            assert await asyncio.gather(*same) == [True] * 50

    asyncio.run(facts())


def test_the_same_password_against_a_new_hash_is_another_question() -> None:
    async def facts() -> None:
        async with open_passwords() as passwords:
            old, new = (passwords.credential(password).password_hash for password in (RIGHT, WRONG))
            answers = await asyncio.gather(*(passwords.matches(b"1", RIGHT, stored) for stored in (old, new)))
            assert answers == [True, False]

    asyncio.run(facts())


def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    async def facts() -> None:
        async with open_passwords() as passwords:
            stored = passwords.credential(RIGHT).password_hash
            first, second = (asyncio.create_task(passwords.matches(b"1", RIGHT, stored)) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            assert await second

    asyncio.run(facts())


def test_a_credential_under_old_parameters_is_outdated() -> None:
    old, new = Passwords(cost=CHEAP), Passwords(cost=Cost(memory_kib=16, passes=1))
    credential = old.credential(RIGHT)
    assert not old.is_outdated(credential, RIGHT)
    assert new.is_outdated(credential, RIGHT)
    for passwords in (old, new):
        passwords.close()


def test_a_password_that_scram_cannot_have_is_not_for_ever_outdated() -> None:
    passwords = Passwords(cost=CHEAP)
    for text in ("\u00ad", "x\ue000"):
        credential = passwords.credential(Secret(text))
        assert credential.scram is None
        assert not passwords.is_outdated(credential, Secret(text))
    passwords.close()


def test_the_scram_keys_are_those_of_rfc_7677() -> None:
    """RFC 7677 §3, the example exchange."""
    keys = scram_keys(Secret("pencil"), Salt(base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096))
    assert keys is not None
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    auth_message = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(keys.stored_key, auth_message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == keys.stored_key
    server = base64.b64encode(hmac.digest(keys.server_key, auth_message, "sha256"))
    assert server == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_the_iterations_are_taken_by_every_client() -> None:
    assert 15_000 <= SCRAM_ITERATIONS <= 65_536  # RFC 7677 §4; Cyrus SASL's bound


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_proof_holds_for_its_time_and_account_and_hash() -> None:
    clock = Clock()
    proven = Proven(clock, seconds=300)
    key = proven.key("bob@example.org", RIGHT)
    assert not proven.holds(key, 1, "hash")
    proven.remember(key, 1, "hash")
    assert proven.holds(key, 1, "hash")
    assert not proven.holds(proven.key("bob@example.org", WRONG), 1, "hash")
    assert not proven.holds(key, 1, "changed")
    assert proven.holds(key, 1, "hash")
    assert not proven.holds(key, 2, "hash")
    assert not proven.holds(key, 1, "hash")
    proven.remember(key, 1, "hash")
    clock.now += 300
    assert not proven.holds(key, 1, "hash")


def test_each_process_has_its_own_keys() -> None:
    assert Proven(Clock()).key("bob", RIGHT) != Proven(Clock()).key("bob", RIGHT)


def test_proofs_are_bounded() -> None:
    proven = Proven(Clock(), bound=2)
    keys = [proven.key(name, RIGHT) for name in ("a", "b", "c")]
    for number, key in enumerate(keys):
        proven.remember(key, number, "hash")
        assert proven.holds(keys[0], 0, "hash")  # used, so kept
    assert not proven.holds(keys[1], 1, "hash")
    assert proven.holds(keys[2], 2, "hash")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=60), st.integers(1, 4))
def test_a_cache_keeps_what_was_used_last(steps: list[tuple[bool, int]], bound: int) -> None:
    cache: Cache[int, int] = Cache(bound)
    used: list[int] = []
    for puts, number in steps:
        if puts:
            cache.put(number, number)
        if puts or number in used:
            used = [one for one in used if one != number] + [number]
        used = used[-bound:]
        assert cache.get(number) == (number if number in used else None)
        assert len(cache) == len(used)
