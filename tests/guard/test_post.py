"""Workers' posts and the one guard: limits hold exactly, and a dead line stops nobody."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.attempt import Rejected, Tried, Welcome
from gatepost.guard.bans import Ban
from gatepost.guard.ledger import BOUNDS, Offence, Scope
from gatepost.guard.limits import LATER, OPEN, Treatment
from gatepost.policy.reasons import Reason
from guard.posts import Rig, attempt, proof

HOME, AWAY = "203.0.113.5", "198.18.7.7"
RIGHT = {"bob": "right"}


def rig(**settings: Any) -> Rig:
    return Rig(GuardSettings(**settings), workers=2, passwords=dict(RIGHT))


@pytest.mark.parametrize("from_one", [True, False])
def test_a_limit_of_n_is_n_under_fifty_sessions_on_two_workers(from_one: bool) -> None:
    async def facts() -> None:
        here = rig()
        peers = [AWAY if from_one else f"20.{number}.9.1" for number in range(50)]
        answers = await asyncio.gather(
            *(
                here.post_login(here.posts[number % 2], "bob", f"guess{number}", peers[number], f"S{number}")
                for number in range(50)
            )
        )
        assert sum(isinstance(answer, Rejected) for answer in answers) == (10 if from_one else 20)

    asyncio.run(facts())


def test_sessions_of_one_client_that_all_know_the_password_all_get_in() -> None:
    async def facts() -> None:
        here = rig(wrong_passwords_per_address=1)
        logins = (here.post_login(here.posts[n % 2], "bob", "right", AWAY, f"S{n // 2}") for n in range(50))
        assert all(isinstance(answer, Welcome) for answer in await asyncio.gather(*logins))

    asyncio.run(facts())


def test_the_right_password_again_is_no_question() -> None:
    async def facts() -> None:
        here = rig()
        post = here.posts[0]
        assert isinstance(await here.post_login(post, "bob", "right", HOME), Welcome)
        here.lines[0].broken = True
        assert post.admit(attempt(HOME), "bob@example.org", proof("right")) == OPEN
        assert not isinstance(post.admit(attempt(AWAY), "bob", proof("right")), Treatment)

    with pytest.warns(RuntimeWarning, match="never awaited"):
        asyncio.run(facts())


def test_guessing_on_the_owners_machine_ends_even_for_a_right_guess() -> None:
    async def facts() -> None:
        here = rig(wrong_passwords_per_known_source=3)
        for post in here.posts:
            assert isinstance(await here.post_login(post, "bob", "right", HOME), Welcome)
        for number in range(3):
            await here.post_login(here.posts[0], "bob", f"x{number}", HOME)
        for post in here.posts:
            assert isinstance(await here.post_login(post, "bob", "right", HOME), Treatment)

    asyncio.run(facts())


def test_a_password_that_was_changed_is_a_guess_again() -> None:
    async def facts() -> None:
        here = rig()
        post = here.posts[0]
        await here.post_login(post, "bob", "right", HOME)
        here.passwords["bob"] = "new"
        assert isinstance(await here.post_login(post, "bob", "right", HOME), Rejected)
        assert not isinstance(post.admit(attempt(HOME), "bob", proof("right")), Treatment)

    with pytest.warns(RuntimeWarning, match="never awaited"):
        asyncio.run(facts())


def test_all_posts_turn_away_whom_one_of_them_met() -> None:
    async def facts() -> None:
        here = rig()
        assert not any(post.is_watchful for post in here.posts)
        await here.post_login(here.posts[0], "admin", "x", AWAY)
        assert all(post.refuses(ip_address(AWAY)) for post in here.posts)
        assert not any(post.refuses(ip_address(HOME)) for post in here.posts)
        here.clock.now += 3_601
        assert not any(post.refuses(ip_address(AWAY)) for post in here.posts)

    asyncio.run(facts())


def test_the_operators_bans_reach_all_and_end() -> None:
    here = rig()
    here.seat.ban([Ban(ip_network("198.18.0.0/16"), until=2_000.0)])
    assert all(post.refuses(ip_address(AWAY)) for post in here.posts)
    assert here.seat.pardon("198.18.0.0/16")
    assert not any(post.refuses(ip_address(AWAY)) for post in here.posts)
    assert not here.seat.pardon("198.18.0.0/16")


def test_a_harvest_limit_of_n_is_n_on_two_workers() -> None:
    async def facts() -> None:
        here = rig()
        answers = [await here.posts[n % 2].unknown_recipient(ip_address(AWAY)) for n in range(40)]
        assert [answer.refused for answer in answers] == [False] * 20 + [True] * 20

    asyncio.run(facts())


def test_a_dead_line_stops_no_login_and_the_post_counts_by_itself() -> None:
    async def facts() -> None:
        here = rig()
        post = here.posts[0]
        here.lines[0].broken = True
        assert isinstance(await here.post_login(post, "bob", "right", HOME), Welcome)
        post.part()
        assert isinstance(await here.post_login(post, "bob", "right", HOME), Welcome)
        for number in range(12):
            last = await here.post_login(post, "bob", f"x{number}", AWAY)
        assert isinstance(last, Treatment)
        assert post.refuses(ip_address(AWAY))
        for _ in range(5):
            post.offend(Offence.RUBBISH, ip_address("9.9.9.9"))
        assert post.refuses(ip_address("9.9.9.9"))

    asyncio.run(facts())


def test_what_a_dead_worker_tried_is_not_under_way() -> None:
    async def facts() -> None:
        here = rig(wrong_passwords_per_address=1)
        treatment = here.posts[0].admit(attempt(AWAY, "A"), "bob", proof("x"))
        assert not isinstance(treatment, Treatment)
        assert await treatment == OPEN
        assert here.guard.admit(attempt(AWAY, "1/B"), "bob", proof("y")).later
        here.seat.post_gone(0)
        assert not here.guard.admit(attempt(AWAY, "1/B"), "bob", proof("y")).later

    asyncio.run(facts())


def test_a_session_that_ends_gives_its_try_back() -> None:
    async def facts() -> None:
        here = rig(wrong_passwords_per_address=1)
        treatment = here.posts[0].admit(attempt(AWAY, "A"), "bob", None)
        assert not isinstance(treatment, Treatment)
        assert await treatment == OPEN
        here.posts[0].gone("A")
        here.posts[0].gone("A")
        answer = await here.post_login(here.posts[1], "bob", "x", AWAY)
        assert answer == Rejected(Reason.WRONG_PASSWORD)

    asyncio.run(facts())


def test_an_office_that_begins_together_behind_one_address_gets_in_or_is_told_to_try_again() -> None:
    """Fifty people with fifty passwords, new here, and a directory that takes its time."""

    async def facts() -> None:
        here = Rig(GuardSettings(), workers=2, passwords={f"user{n}": f"right{n}" for n in range(50)})
        gate = asyncio.Event()

        async def login(number: int) -> object:
            post, this = here.posts[number % 2], attempt(AWAY, f"S{number}")
            name, secret = f"user{number}", f"right{number}"
            treatment = post.admit(this, name, proof(secret))
            treatment = treatment if isinstance(treatment, Treatment) else await treatment
            if treatment.later:
                return treatment
            assert not treatment.refused
            await gate.wait()
            outcome = here.outcome(name, secret)
            post.note(Tried(this, name, outcome, proof(secret), treatment))
            return outcome

        everybody = [asyncio.ensure_future(login(number)) for number in range(50)]
        for waited in asyncio.as_completed(everybody):  # the directory is silent for the first ten
            await waited
            if sum(one.done() for one in everybody) == 40:
                break
        assert all(one.result() == LATER for one in everybody if one.done())
        gate.set()
        assert all(isinstance(one, Welcome | Treatment) for one in await asyncio.gather(*everybody))
        again = [await login(number) for number in range(50)]
        assert all(isinstance(one, Welcome) for one in again)
        together = await asyncio.gather(*(login(number) for number in range(50)))
        assert all(isinstance(one, Welcome) for one in together)

    asyncio.run(facts())


def test_a_post_remembers_so_many_refused_and_the_latest() -> None:
    here = rig()
    post, most = here.posts[0], BOUNDS[Scope.HOST]
    for at in range(0, most + 5_000, 5_000):
        post.hear(
            {
                "hosts": [
                    [(number + (1 << 28)).to_bytes(4, "big").hex(), 60.0] for number in range(at, at + 5_000)
                ]
            }
        )
    assert not post.refuses(ip_address(1 << 28))
    assert post.refuses(ip_address((1 << 28) + 5_000))
    assert post.refuses(ip_address((1 << 28) + most + 4_999))
