"""What the guard does to guessers, and what it never does to owners."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.config.schema import Guard as GuardSettings
from gatepost.guard.attempt import GUESSES, Rejected, Tried, Welcome
from gatepost.guard.bans import Ban, Bans, NotASource, network
from gatepost.guard.event import EventKind
from gatepost.guard.guard import UNDER_WAY_SECONDS, Guard
from gatepost.guard.ledger import Offence
from gatepost.guard.limits import OPEN, Treatment
from gatepost.policy.reasons import Reason
from guard.posts import Rig, attempt, proof

HOME, AWAY = "203.0.113.5", "198.18.7.7"


def rig(**settings: Any) -> Rig:
    return Rig(GuardSettings(**settings), passwords={"bob": "right", "ann": "correct"})


def attackers(count: int) -> list[str]:
    return [f"{20 + number // 250}.{number % 250}.9.1" for number in range(count)]


def refused(answer: object) -> bool:
    return isinstance(answer, Treatment) and answer.refused


def test_an_address_has_so_many_different_guesses_then_it_is_refused_for_a_time() -> None:
    here = rig()
    answers = [here.login("bob", f"wrong{number}", AWAY) for number in range(15)]
    assert [refused(answer) for answer in answers] == [False] * 10 + [True] * 5
    assert here.guard.refuses(ip_address(AWAY))
    here.clock.now += 3_601
    assert not here.guard.refuses(ip_address(AWAY))
    assert isinstance(here.login("bob", "right", AWAY), Welcome)


def test_the_same_wrong_password_again_is_one_guess() -> None:
    here = rig()
    assert not any(refused(here.login("bob", "old", HOME)) for _ in range(500))
    assert here.slept == []


def test_the_owner_is_not_slowed_by_ten_thousand_guesses_from_a_thousand_addresses() -> None:
    here = rig()
    assert isinstance(here.login("bob", "right", HOME), Welcome)
    tried = 0
    for turn in range(10):
        for number, peer in enumerate(attackers(1_000)):
            if not refused(here.login("bob", f"guess{turn}-{number}", peer)):
                tried += 1
            if number % 100 == 0:
                here.slept.clear()
                assert isinstance(here.login("bob", "right", HOME), Welcome)
                assert here.slept == []
    assert tried == 20
    assert here.guard.is_under_attack("bob@example.org")
    assert isinstance(here.login("ann", "correct", AWAY), Welcome)  # others are not touched


def test_an_owner_from_a_new_place_gets_in_unless_the_name_is_under_attack() -> None:
    here = rig()
    here.login("bob", "right", HOME)
    for number, peer in enumerate(attackers(19)):
        here.login("bob", f"guess{number}", peer)
    assert isinstance(here.login("bob", "right", AWAY), Welcome)
    assert {event.kind for event in here.events} == {
        EventKind.LOGIN_FROM_NEW_NETWORK,
        EventKind.LOGIN_AFTER_FAILURES,
    }
    here.login("bob", "guess", "21.9.9.1")
    assert here.events[-1].kind is EventKind.ATTACK
    assert refused(here.login("bob", "right", "100.64.3.3"))
    assert isinstance(here.login("bob", "right", AWAY), Welcome)
    assert isinstance(here.login("bob", "right", "198.18.7.200"), Welcome)  # the same network


def test_a_name_stays_under_attack_while_it_is_tried_and_not_much_longer() -> None:
    here = rig()
    for turn in range(6):
        for number, peer in enumerate(attackers(30)):
            here.login("bob", f"guess{turn}-{number}", peer)
        assert here.guard.is_under_attack("bob")
        here.clock.now += 1_800
    here.clock.now += 3_601
    assert not here.guard.is_under_attack("bob")


def test_who_goes_on_guessing_at_a_name_under_attack_is_refused_like_any_guesser() -> None:
    here = rig()
    for number, peer in enumerate(attackers(20)):
        here.login("bob", f"guess{number}", peer)
    assert here.guard.is_under_attack("bob")
    for number in range(10):
        assert not here.guard.refuses(ip_address(AWAY))
        here.login("bob", f"more{number}", AWAY)
    here.login("bob", "another", AWAY)
    assert here.guard.refuses(ip_address(AWAY))


def test_owners_who_wait_in_a_new_place_for_an_attack_to_end_are_no_guessers() -> None:
    here = Rig(GuardSettings(), passwords={f"user{one}": f"right{one}" for one in range(30)})
    for number, peer in enumerate(attackers(600)):
        here.login(f"user{number % 30}", f"guess{number}", peer)
    assert len(here.guard.names_under_attack()) == 30
    for _ in range(5):  # their programs try again, always the same password
        for one in range(30):
            assert refused(here.login(f"user{one}", f"right{one}", AWAY))
    assert not here.guard.refuses(ip_address(AWAY))


def test_all_forms_of_a_name_are_one_name() -> None:
    here = rig()
    forms = ("bob", "BOB@Example.org", "CORP\\bob", " bob ")
    assert {here.guard.name_key(form) for form in forms} == {"bob"}
    assert here.guard.name_key("bob@example.net") == "bob@example.net"


def test_a_banned_address_does_not_shut_out_who_was_there_before() -> None:
    here = rig()
    here.login("ann", "correct", HOME)
    for number in range(15):
        here.login("bob", f"wrong{number}", HOME)
    assert not here.guard.refuses(ip_address(HOME))
    assert isinstance(here.login("ann", "correct", HOME), Welcome)
    assert refused(here.login("bob", "right", HOME))


def test_the_owners_own_machine_has_its_own_limit() -> None:
    here = rig(wrong_passwords_per_known_source=4)
    here.login("bob", "right", HOME)
    answers = [here.login("bob", f"wrong{number}", HOME) for number in range(6)]
    assert [refused(answer) for answer in answers] == [False] * 4 + [True] * 2
    assert not here.guard.refuses(ip_address(HOME))
    assert not here.guard.is_under_attack("bob")


def test_networks_add_up_for_logins_and_not_for_mail() -> None:
    here = rig()
    for number in range(1, 30):
        here.login(f"zoe{number % 5}", f"a{number}", f"192.0.2.{number}")
    assert refused(here.login("ann", "correct", "192.0.2.60"))
    assert not here.guard.refuses(ip_address("192.0.2.60"))
    assert isinstance(here.login("ann", "correct", "192.0.2.70"), Welcome)  # another /26


@pytest.mark.parametrize("name", ["admin", "Administrator@example.org", "info", "CORP\\scanner"])
def test_a_try_for_a_decoy_is_an_attack_at_once(name: str) -> None:
    here = rig()
    here.login(name, "x", AWAY)
    assert here.guard.refuses(ip_address(AWAY))
    assert [event.kind for event in here.events] == [EventKind.ATTACK]


def test_an_account_is_never_a_decoy() -> None:
    here = rig()
    here.passwords["info"] = "right"
    here.login("info", "wrong", AWAY)
    assert not here.guard.refuses(ip_address(AWAY))


def test_trusted_networks_are_slowed_and_never_refused() -> None:
    here = rig(trusted=(ip_network("10.0.0.0/8"),))
    for number in range(60):
        assert not refused(here.login("admin", f"x{number}", "10.1.1.1"))
        assert not refused(here.login("bob", f"x{number}", "10.1.1.2"))
        here.guard.offend(Offence.UNKNOWN_RECIPIENT, ip_address("10.1.1.1"))
    assert max(here.slept) == 8
    assert isinstance(here.login("bob", "right", "10.1.1.2"), Welcome)
    here.guard.bans.add(Ban(ip_network("10.1.1.1/32")))
    assert not here.guard.refuses(ip_address("10.1.1.1"))


def test_a_spray_leaves_strangers_fewer_tries() -> None:
    here = rig()
    for number, peer in enumerate(attackers(50)):
        here.login(f"user{number}", "Summer2026", peer)
    assert here.guard.is_spray
    answers = [here.login(f"other{number}", "x", "45.1.1.1") for number in range(5)]
    assert [refused(answer) for answer in answers] == [False] * 3 + [True] * 2
    here.clock.now += 3_601
    assert not here.guard.is_spray


@pytest.mark.parametrize(
    ("offence", "most"),
    [
        (Offence.AUTH_NOT_OFFERED, 5),
        (Offence.RUBBISH, 5),
        (Offence.UNKNOWN_RECIPIENT, 20),
        (Offence.SILENT, 1_000),
    ],
)
def test_other_offences_are_refused_from_their_limit_on(offence: Offence, most: int) -> None:
    here, peer = rig(), ip_address(AWAY)
    for _ in range(most):
        assert not here.guard.refuses(peer)
        assert not here.guard.offend(offence, peer).refused
    assert here.guard.refuses(peer)
    assert here.guard.offend(offence, peer).refused


def test_harvesting_is_slow_before_it_is_refused() -> None:
    here = rig()
    delays = [here.guard.offend(Offence.UNKNOWN_RECIPIENT, ip_address(AWAY)).delay_seconds for _ in range(20)]
    assert delays == [0] * 5 + [1, 2, 3, 4, 5, 6, 7] + [8] * 8


def test_what_is_under_way_counts_and_the_next_one_waits() -> None:
    here = rig()
    for number in range(10):
        assert not here.guard.admit(attempt(AWAY, f"S{number}"), "bob", proof(f"w{number}")).later
    assert here.guard.admit(attempt(AWAY, "T"), "bob", proof("another")).later
    assert not here.guard.admit(
        attempt(AWAY, "U"), "bob", proof("w3")
    ).later  # no other guess than one of those
    here.guard.gone("S0")
    assert not here.guard.admit(attempt(AWAY, "T"), "bob", proof("another")).later


def test_who_begins_and_never_ends_keeps_nobody_waiting_for_long() -> None:
    here = rig()
    for number in range(10):
        here.guard.admit(attempt(AWAY, f"S{number}"), "bob", None)
    assert here.guard.admit(attempt(AWAY, "T"), "bob", proof("right")).later
    here.clock.now += UNDER_WAY_SECONDS + 1
    assert here.guard.admit(attempt(AWAY, "T"), "bob", proof("right")) == OPEN


@pytest.mark.parametrize("step", [-400 * 86_400, 400 * 86_400])
def test_a_wall_clock_that_steps_makes_no_stranger_of_an_owner_and_ends_no_refusal(step: float) -> None:
    here, now = rig(), [1_800_000_000.0]
    guard = Guard(here.settings, clock=here.clock, wall=lambda: now[0], listener=here.seat)
    here.seat.seated(guard)
    here.guard = guard
    assert isinstance(here.login("bob", "right", HOME), Welcome)
    for number in range(10):
        here.login("ann", f"wrong{number}", AWAY)
    for there in (now[0] + step, now[0]):
        now[0] = there
        guard.tidy()
        assert guard.refuses(ip_address(AWAY))
        assert guard.known.has_name("bob")
    here.clock.now += 91 * 86_400
    now[0] += 91 * 86_400
    guard.tidy()
    assert not guard.known.has_name("bob")


def test_what_says_nothing_of_the_password_does_not_count() -> None:
    here = rig()
    for reason in set(Reason) - GUESSES:
        here.guard.note(Tried(attempt(AWAY), "bob", Rejected(reason), proof(reason.value)))
    assert here.guard.admit(attempt(AWAY), "bob", proof("x")) == OPEN


def test_a_pardon_forgets_the_machine_and_its_networks() -> None:
    here = rig()
    for number in range(12):
        here.login("bob", f"wrong{number}", AWAY)
    assert here.guard.pardon(ip_address(AWAY))
    assert not here.guard.refuses(ip_address(AWAY))
    assert isinstance(here.login("bob", "right", AWAY), Welcome)
    assert not here.guard.pardon(ip_address("8.8.8.8"))


Step = tuple[str, str, str, int]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["bob", "ann", "zoe", "admin"]),
            st.sampled_from(["right", "correct", "a", "b", "c", "d"]),
            st.sampled_from([HOME, AWAY, "198.18.7.8", "2001:db8::1"]),
            st.integers(-5_000, 5_000),
        ),
        max_size=80,
    )
)
def test_no_history_locks_an_owner_out_of_his_own_machine_but_his_own_guesses_there(
    steps: list[Step],
) -> None:
    here = rig(wrong_passwords_per_address=2, wrong_passwords_per_name=2, wrong_passwords_per_network=3)
    here.login("bob", "right", HOME)
    for name, password, peer, seconds in steps:
        here.clock.now += seconds
        if (name, peer) != ("bob", HOME):
            here.login(name, password, peer)
    here.slept.clear()
    assert isinstance(here.login("bob", "right", HOME), Welcome)
    assert here.slept == []
    assert not here.guard.refuses(ip_address(HOME))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("fe80::1%eth0", "fe80::1/128"),
    ],
)
def test_a_ban_is_of_an_address_or_a_network(text: str, whole: str) -> None:
    there = network(text)
    assert str(there) == whole
    bans = Bans([Ban(there, until=10.0)])
    assert bans.covering(there.network_address, 9.0) is not None
    assert bans.covering(there.network_address, 10.0) is None
    assert bans.covering(ip_address("9.9.9.9"), 9.0) is None
    assert bans.remove(there)
    assert not bans.remove(there)
    assert len(bans) == 0


@pytest.mark.parametrize("text", ["", "x", "192.0.2.1/24", "1.2.3", "::ffff:1.2.3.0/120"])
def test_other_texts_are_no_source(text: str) -> None:
    with pytest.raises(NotASource):
        network(text)
