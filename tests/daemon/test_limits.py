"""A limit of N is N under fifty sessions on two workers."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from daemon.house import DOMAIN, PASSWORD, SUBMISSION, House, submission

LIMITS = """
[limits.groups."POP3 Relay"]
recipients_per_hour = 37
domains_per_day = 7
"""


def _named(house: House, number: int) -> list[int]:
    """What two recipients in domains of this session are answered."""
    ann = f"ann@{DOMAIN}"
    with smtplib.SMTP(house.host, SUBMISSION, timeout=60) as session:
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
