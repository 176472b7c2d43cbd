"""Virtual servers are switched one by one, and everything is as it was after a restart or a crash."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
from collections.abc import Callable

import pytest

from daemon.house import EXTRA, INTERNET, PASSWORD, POP3, SPARE, House, internet, pop3, send
from sessions import Pop3

Make = Callable[..., House]


def test_stopped_and_paused_virtual_servers_stay_so_over_a_restart(make_house: Make) -> None:
    house = make_house()
    house.write(internet(), internet(EXTRA, name="extra"), pop3())
    house.start()
    session, mailbox = house.smtp(), Pop3(house.host, POP3)
    assert house.ask("pause", name="internet") == {"virtual_server": "smtp.internet", "state": "paused"}
    house.ask("stop", name="extra")
    house.ask("pause", name="pop3.mail")
    for _ in range(2):
        assert house.greeting(INTERNET).startswith(b"421 4.3.2")
        assert house.greeting(EXTRA) == b""
        assert house.greeting(POP3).startswith(b"-ERR")
        assert house.status()["states"] == {
            "smtp.internet": "paused",
            "smtp.extra": "stopped",
            "pop3.mail": "paused",
        }
        if session.sock is not None:
            send(session, "pause lets open sessions go on")
            assert mailbox.user("ann").startswith(b"+OK")
            session.close()
            mailbox.close()
            assert house.stop() == 0
            house.start()
    house.ask("stop", name="mail")
    assert house.greeting(POP3) == b""
    for name in ("internet", "extra", "mail"):
        house.ask("start", name=name)
    assert house.greeting(INTERNET).startswith(b"220")
    assert house.greeting(EXTRA).startswith(b"220")
    with house.pop() as collecting:
        collecting.user("ann")
        collecting.pass_(PASSWORD)
        house.wait_for_mail(1)
    assert "there is no virtual server nobody" in house.refusal("stop", name="nobody")
    house.ask("stop", name="extra")
    house.reload(internet(), internet(EXTRA, name="extra"), pop3(), more="# a comment\n")
    assert house.greeting(EXTRA) == b""


def test_a_virtual_server_that_is_renamed_stays_stopped_and_keeps_its_doors_open(make_house: Make) -> None:
    house = make_house()
    house.write(internet(), internet(EXTRA, name="extra"), pop3())
    house.start()
    house.ask("stop", name="extra")
    house.ask("pause", name="mail")
    with house.smtp() as session:
        house.reload(internet(name="outside"), internet(EXTRA, name="more"), pop3())
        send(session, "what is open goes on")
    assert house.status()["states"] == {
        "smtp.outside": "running",
        "smtp.more": "stopped",
        "pop3.mail": "paused",
    }
    assert house.greeting(EXTRA) == b""
    assert house.greeting(INTERNET).startswith(b"220")
    assert house.stop() == 0
    house.write(internet(), internet(EXTRA, name="extra"), pop3())  # renamed while nothing runs
    house.start()
    assert house.status()["states"]["smtp.extra"] == "stopped"
    assert house.greeting(EXTRA) == b""
    house.ask("start", name="extra")
    assert house.greeting(EXTRA).startswith(b"220")


def test_a_taken_address_is_explained_and_the_others_go_on(make_house: Make) -> None:
    house = make_house()
    house.write(internet(), internet(SPARE, name="spare"), pop3())
    with socket.create_server((house.host, SPARE)):
        house.start()
        (line,) = house.log_lines("cannot-listen")
        assert "smtp.spare" in line
        assert "another program has it" in line
        said = house.status()
        assert "another program has it" in said["trouble"]["smtp.spare"]
        assert said["listeners"]["smtp.spare"] == []
        assert house.greeting(INTERNET).startswith(b"220")
        house.ask("pause", name="internet")  # others can be switched all the same
        assert "smtp.spare" in house.status()["trouble"]
        assert "another program has it" in house.refusal("start", name="spare")
    house.ask("start", name="spare")
    assert house.greeting(SPARE).startswith(b"220")
    assert house.status()["trouble"] == {}


def test_no_address_at_all_ends_the_start(make_house: Make) -> None:
    house = make_house()
    house.write(internet(SPARE, name="spare"))
    with socket.create_server((house.host, SPARE)), pytest.raises(AssertionError, match="cannot listen"):
        house.start()
    assert house.stop() == 1


def test_a_killed_worker_comes_back_with_what_is_in_force(make_house: Make) -> None:
    """Also when it dies in the middle of a reload."""
    house = make_house(workers=2)
    house.write(internet(), pop3())
    house.start()
    texts = [(internet(), internet(EXTRA, name="extra"), pop3()), (internet(), pop3())]
    number = 1
    for turn in range(3):
        os.kill(house.worker_pids()[turn % 2], signal.SIGKILL)
        number = house.reload(*texts[turn % 2])
        house.wait_for_workers(2)
        for _ in range(3):
            number = house.reload(*texts[(turn + 1) % 2])
            number = house.reload(*texts[turn % 2])
        said = house.wait_for_workers(2)
        assert {worker["generation"] for worker in said["workers"]} == {number}
        for _ in range(6):
            assert house.greeting(EXTRA).startswith(b"220") is (turn % 2 == 0)
            with house.smtp() as session:
                send(session, f"turn {turn}")
    assert house.status()["restarts"] >= 3
    house.wait_for_mail(18)


def test_a_paused_server_takes_no_mail(make_house: Make) -> None:
    house = make_house()
    house.write(internet(), pop3())
    house.start()
    house.ask("pause", name="internet")
    with pytest.raises(smtplib.SMTPConnectError):
        house.smtp()
