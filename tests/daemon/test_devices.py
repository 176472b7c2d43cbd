"""Devices of a real house with two workers: their allowance, their end, and that they are missed by one."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from daemon.house import DOMAIN, SUBMISSION, House, submission
from gatepost.admin.app_passwords import add_app_password, revoke_app_password
from gatepost.admin.devices import device_rows, forget_device
from gatepost.config.load import load
from gatepost.config.schema import Settings
from gatepost.policy.allotment import Allotment
from gatepost.store.accounts import Accounts
from gatepost.store.app_password import NewAppPassword, grouped
from patience import until
from sessions import Smtp

pytestmark = pytest.mark.xdist_group("daemon-devices")  # one house

ANN = f"ann@{DOMAIN}"
PRINTERS = """[smtp.printers]
listen = ["{host}:2526"]
tls = "off"
auth = []
access = [ { allow = ["connect", "submit", "relay"], to = "net:127.0.0.0/8" } ]
"""


@contextmanager
def opened(house: House) -> Iterator[tuple[Settings, Accounts]]:
    accounts = Accounts.open(house.place.accounts)
    try:
        yield load(house.file), accounts
    finally:
        accounts.close()


def issued(house: House, new: NewAppPassword) -> str:
    with opened(house) as (settings, accounts):
        return grouped(add_app_password(settings, accounts, "ann", new, by="test").secret)


@pytest.fixture(scope="module")
def house(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """It runs."""
    made = House.copy(furnished, tmp_path_factory.mktemp("devices") / "house", workers=2)
    made.write(submission() + PRINTERS)
    made.start()
    yield made
    made.kill()


def may_log_in(house: House, secret: str) -> bool:
    with Smtp(house.host, SUBMISSION) as session:
        try:
            session.login(ANN, secret)
        except smtplib.SMTPAuthenticationError:
            return False
        return True


def test_a_devices_allowance_is_exact_over_sessions_and_workers(house: House) -> None:
    secret = issued(house, NewAppPassword("counted", limits=Allotment(recipients_per_day=23)))

    def named(number: int) -> int:
        with Smtp(house.host, SUBMISSION) as session:
            session.login(ANN, secret)
            session.mail(ANN)
            return session.rcpt(f"x{number}@else.example")[0]

    with ThreadPoolExecutor(20) as together:
        assert Counter(together.map(named, range(50))) == {250: 23, 452: 27}


def test_a_revoked_secret_is_dead_in_all_workers(house: House) -> None:
    secret = issued(house, NewAppPassword("lost"))
    with ExitStack() as stack:
        sessions = [stack.enter_context(Smtp(house.host, SUBMISSION)) for _ in range(8)]
        for session in sessions:
            session.login(ANN, secret)
            assert session.mail(ANN)[0] == 250
            session.rset()
        with opened(house) as (settings, accounts):
            revoke_app_password(settings, accounts, "ann", "Lost", by="test")
        alive = list(sessions)

        def all_dead() -> bool:
            alive[:] = [session for session in alive if session.mail(ANN)[0] == 250 and session.rset()]
            return not alive

        assert until(all_dead)
        assert not any(may_log_in(house, secret) for _ in range(8))


def test_devices_are_seen_by_all_workers_and_remembered(house: House) -> None:
    secret = issued(house, NewAppPassword("NAS"))
    issued(house, NewAppPassword("Never"))
    for port, password in ((SUBMISSION, secret), (2526, None)):
        with Smtp(house.host, port, source_address=("127.0.5.17", 0)) as session:
            if password is not None:
                session.login(ANN, password)
            session.sendmail(ANN, ["x@else.example"], f"From: {ANN}\r\n\r\nx\r\n")
    expected = {f"{ANN}/NAS": "learning", f"{ANN}/Never": "unused", "127.0.5.17": "learning"}
    with opened(house) as (settings, accounts):

        def states() -> dict[str, str]:
            found = {row["name"]: row["state"] for row in device_rows(settings, accounts)}
            return {name: state for name, state in found.items() if not name.endswith("/counted")}

        assert until(lambda: states() == expected, why=states)
        house.stop()
        assert states() == expected
        house.start()
        assert states() == expected
        forget_device(settings, "127.0.5.17")
        assert states().keys() == expected.keys() - {"127.0.5.17"}
