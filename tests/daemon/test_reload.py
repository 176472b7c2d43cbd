"""An edited file is taken over whole, or not at all, and open sessions go on."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.house import EXTRA, INTERNET, SPARE, House, internet, pop3, send

pytestmark = pytest.mark.xdist_group("daemon-reload")  # one house

OPEN_TO_ALL = '[ { allow = ["connect", "submit", "relay"], to = "anyone" } ]'
Make = Callable[..., House]


@pytest.fixture(scope="module")
def running(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of the module, in two workers: starting takes longer than most tests."""
    made = House.copy(furnished, tmp_path_factory.mktemp("running") / "house", workers=2)
    made.write(internet(), pop3())
    made.start()
    yield made
    made.kill()


@pytest.fixture
def house(running: House) -> House:
    """It has `internet` and POP3."""
    running.reload(internet(), pop3())
    return running


def in_force(house: House) -> int:
    """The generation of daemon and workers alike."""
    (number,) = generations(house)
    return number


def generations(house: House) -> set[int]:
    """What the workers say that they have in force, and the daemon."""
    said = house.status()
    return {said["generation"], *(worker["generation"] for worker in said["workers"])}


def test_a_new_virtual_server_answers_and_a_removed_one_is_closed(house: House) -> None:
    number = house.reload(internet(), internet(EXTRA, name="extra"), pop3())
    for _ in range(8):  # both workers
        assert house.greeting(EXTRA).startswith(b"220")
    assert in_force(house) == number
    house.reload(internet(), pop3())
    assert house.greeting(EXTRA) == b""
    assert house.greeting(INTERNET).startswith(b"220")


def test_an_address_may_move_to_another_virtual_server(house: House) -> None:
    other = internet(INTERNET, name="other").replace('tls = "offer"', 'tls = "off"')
    house.reload(other, pop3())
    with house.smtp() as session:
        session.ehlo()
        assert not session.has_extn("starttls")


def test_a_kept_address_never_refuses_a_connection(house: House) -> None:
    over, refused = threading.Event(), []

    def knock() -> None:
        while not over.is_set():
            greeting = house.greeting(INTERNET)
            if not greeting.startswith(b"220"):
                refused.append(greeting)

    knocker = threading.Thread(target=knock)
    knocker.start()
    for _ in range(10):
        house.reload(internet(), internet(EXTRA, name="extra"), pop3())
        house.reload(internet(), pop3())
    over.set()
    knocker.join()
    assert refused == []


def test_an_open_session_goes_on_with_what_it_began_with(house: House) -> None:
    """Also when its virtual server is gone."""
    with house.smtp() as session:
        session.ehlo()
        closed = '[ { deny = ["submit"], to = "anyone" }, { allow = ["connect"], to = "anyone" } ]'
        house.reload(internet(access=closed), pop3())
        send(session, "from the first generation")
        with house.smtp() as late, pytest.raises(smtplib.SMTPException):
            send(late, "from the second")
        house.reload(internet(EXTRA, name="extra"), pop3())
        assert house.greeting(INTERNET) == b""
        send(session, "again from the first")


def test_sighup_reloads(house: House) -> None:
    before = in_force(house)
    house.write(internet(), internet(EXTRA, name="extra"), pop3())
    house.running.process.send_signal(signal.SIGHUP)
    house.running.wait_for_line(lambda line: " taken-over " in line and "SIGHUP" in line)
    assert house.greeting(EXTRA).startswith(b"220")
    house.file.write_text("nonsense")
    house.running.process.send_signal(signal.SIGHUP)
    house.running.wait_for_line(lambda line: " reload-refused " in line)
    assert in_force(house) == before + 1


def test_what_cannot_be_taken_over_changes_nothing(house: House) -> None:
    kept, before = house.file.read_text(), in_force(house)
    taken = socket.create_server((house.host, SPARE))
    key = house.folder / "certs/mail.key"
    hidden = house.folder / "certs/hidden.key"

    def says(problem: str, text: str | None = None) -> None:
        if text is not None:
            house.file.write_text(text)
        assert problem in house.refusal()
        assert in_force(house) == before
        assert house.greeting(INTERNET).startswith(b"220")
        assert house.greeting(EXTRA) == b""
        house.file.write_text(kept)

    more = internet(EXTRA, name="extra")
    house.file.unlink()
    says("No such file")
    says("gatepost.toml:", house.text(internet(), more)[:-40])  # half written
    says("relay", house.text(internet(), internet(EXTRA, name="extra", access=OPEN_TO_ALL)))
    says(
        f"cannot listen on {house.host}:{SPARE}", house.text(internet(), more, internet(SPARE, name="spare"))
    )
    says("`state` cannot change", house.text(internet(), more).replace('"state"', '"elsewhere"'))
    key.rename(hidden)
    says("mail.key", house.text(internet(), more))
    key.write_text("no key")
    says("certs/mail", house.text(internet(), more))
    hidden.rename(key)
    taken.close()
    assert house.reload(internet(), more, internet(SPARE, name="spare"), pop3()) == before + 1
    assert house.greeting(SPARE).startswith(b"220")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_changes_nothing(house: House) -> None:
    before = in_force(house)
    house.file.chmod(0)
    assert "ermission" in house.refusal()
    house.file.chmod(0o600)
    assert in_force(house) == before


def test_a_wildcard_relay_is_refused(house: House) -> None:
    house.write(internet(access=OPEN_TO_ALL))
    assert "relay" in house.refusal()


def test_several_reloads_at_once_come_one_after_another(house: House) -> None:
    before = in_force(house)
    house.write(internet(), internet(EXTRA, name="extra"), pop3())
    answers: list[int] = []

    def reload() -> None:
        answers.append(house.ask("reload", by="test")["generation"])

    threads = [threading.Thread(target=reload) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [before + 1] * 5
    assert in_force(house) == before + 1


def test_a_setting_that_waits_for_the_next_start_is_named(house: House) -> None:
    house.file.write_text(house.text(internet(), pop3()).replace("workers = 2", "workers = 3"))
    answer = house.ask("reload", by="test")
    assert answer["after_restart"] == ["workers"]
    house.write(internet(), pop3())
    assert house.ask("reload", by="test")["after_restart"] == []


def test_a_reload_while_draining_is_refused(make_house: Make) -> None:
    """And the session in DATA is finished and gets its 250."""
    house = make_house(workers=2)
    house.write(internet(), pop3())
    house.start()
    session = house.smtp()
    session.ehlo()
    session.mail("stranger@example.net")
    session.rcpt("ann@example.org")
    assert session.docmd("DATA")[0] == 354
    house.running.process.send_signal(signal.SIGTERM)
    house.running.wait_for_line(lambda line: " stopping" in line)
    assert "stopping" in house.refusal()
    assert "stopping" in house.refusal("pause", name="internet")
    # the workers hear of it a moment after the daemon has said so
    assert any(house.greeting(INTERNET) == b"" for _ in range(1_000))
    session.send(b"Subject: kept\r\n\r\nkept\r\n.\r\n")
    assert session.getreply()[0] == 250
    session.close()
    assert house.stop() == 0
    house.start()
    house.wait_for_mail(1)
