"""A limit of N is N under fifty sessions on two workers, and over a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from daemon.house import DOMAIN, PASSWORD, SUBMISSION, House, submission
from gatepost.store.guarddb import GuardStore
from patience import until
from sessions import Smtp

LIMITS = """
[limits.groups."POP3 Relay"]
recipients_per_hour = 37
domains_per_day = 7
"""


def _named(house: House, number: int) -> list[int]:
    """What two recipients in domains of this session are answered."""
    ann = f"ann@{DOMAIN}"
    with Smtp(house.host, SUBMISSION) as session:
        session.login(ann, PASSWORD)
        session.mail(ann)
        domain = f"d{number % 10}.example"
        return [session.rcpt(f"{name}@{domain}")[0] for name in ("a", "b")]


def test_a_limit_is_exact_over_sessions_and_workers(make_house: Callable[..., House]) -> None:
    house = make_house(workers=2)
    house.write(submission(), more=LIMITS)
    house.start()
    with ThreadPoolExecutor(50) as together:
        said = list(together.map(lambda number: _named(house, number), range(50)))
    answers = Counter(code for codes in said for code in codes)
    taken = {number % 10 for number, codes in enumerate(said) if 250 in codes}
    assert answers == {250: 37, 450: 63}
    assert len(taken) <= 7


MANY = '[limits.users."ann@example.org"]\nrecipients_per_day = 200\n'  # workers lease ten at a time


def _taken(house: House, count: int) -> int:
    """How many of so many recipients, over several sessions, are taken."""
    ann, taken = f"ann@{DOMAIN}", 0
    for begins in range(0, count, 20):
        with Smtp(house.host, SUBMISSION) as session:
            session.login(ann, PASSWORD)
            session.mail(ann)
            codes = [session.rcpt(f"r{begins + n}@else.example")[0] for n in range(min(20, count - begins))]
            taken += codes.count(250)
    return taken


def test_a_restart_gives_nobody_a_fresh_allowance(make_house: Callable[..., House]) -> None:
    house = make_house(workers=2)
    house.write(submission(), more=MANY)
    house.start()
    assert _taken(house, 65) == 65
    house.stop()
    house.start()
    assert _taken(house, 65) == 65
    until(lambda: _kept(house) >= 130)  # some seconds later
    house.kill()
    house.start()
    assert 70 - 2 * 10 <= _taken(house, 100) <= 70  # what was leased when they were killed is lost


def _kept(house: House) -> int:
    """Recipients that the store knows of."""
    return max(
        sum(taken[1::2])
        for part in GuardStore(house.place.guard).parts("allowance")
        for use, _, taken in part.value["taken"]
        if use == "recipients"
    )
