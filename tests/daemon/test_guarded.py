"""One guard over two workers and both protocols, in real processes."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.house import INTERNET, PASSWORD, POP3, SUBMISSION, House, internet, pop3
from gatepost.store.guarddb import GuardStore
from patience import PATIENCE_SECONDS, until

SERVER = f"""
[smtp.submission]
listen = ["{{host}}:{SUBMISSION}"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
access = [ {{ allow = ["connect", "submit"], to = "net:127.0.0.0/8" }} ]
"""
_DROPPED = 5.0
"""Who is refused and knocks on may get no answer from the kernel, which greets all others at once."""
PHONE, GUESSER, OWNER = "127.50.1.1", "127.51.1.1", "127.52.1.1"


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    house = make_house(workers=2)
    house.write(internet(), SERVER, pop3())
    text = house.file.read_text().replace('trusted = ["127.0.0.0/8"]', "delay_most_seconds = 0")
    house.file.write_text(text)
    house.start()
    return house


def tried(house: House, source: str, password: str, *, name: str = "bob", port: int = SUBMISSION) -> str:
    """What is said to a login; "" to a connection that is not heard."""
    token = b64encode(f"\0{name}\0{password}".encode()).decode()
    try:
        end = socket.create_connection((house.host, port), timeout=_DROPPED, source_address=(source, 0))
    except TimeoutError:
        return ""
    end.settimeout(PATIENCE_SECONDS)
    with end, end.makefile("rb") as lines:
        try:
            if lines.readline()[:3] not in (b"220", b"+OK"):
                return ""
            if port != POP3:
                end.sendall(b"EHLO x\r\n")
                while lines.readline()[3:4] == b"-":
                    pass
            end.sendall(f"AUTH PLAIN {token}\r\n".encode())
            return lines.readline().decode()
        except ConnectionError:
            return ""


def wrong(house: House) -> int:
    """How many passwords of the guesser were looked at since it started."""
    refused = [line for line in house.log_lines("login-refused ") if f"peer={GUESSER} " in line]
    return sum("reason=wrong-password" in line for line in refused)


def test_different_passwords_count_and_not_repeats_over_workers_and_protocols(house: House) -> None:
    with ThreadPoolExecutor(8) as together:
        old = list(
            together.map(lambda n: tried(house, PHONE, "old", port=(SUBMISSION, POP3)[n % 2]), range(40))
        )
        assert all("bad-credentials" in answer for answer in old)
        assert tried(house, PHONE, PASSWORD).startswith("235")  # an old password is no attack
        list(
            together.map(
                lambda n: tried(house, GUESSER, f"guess{n}", port=(SUBMISSION, POP3)[n % 2]), range(40)
            )
        )
    assert until(lambda: wrong(house) >= 10)
    assert wrong(house) == 10
    for port in (SUBMISSION, POP3, INTERNET):
        for _ in range(4):  # whichever worker hears it
            assert tried(house, GUESSER, PASSWORD, port=port) == ""
    assert tried(house, OWNER, PASSWORD).startswith("235")
    house.stop()
    house.start()
    assert tried(house, GUESSER, PASSWORD) == ""  # a restart pardons nobody
    assert tried(house, OWNER, PASSWORD).startswith("235")


def test_who_is_killed_forgets_no_guesses(house: House) -> None:
    for number in range(6):
        assert tried(house, GUESSER, f"guess{number}").startswith("535")
    until(lambda: _kept(house) == 6, why=lambda: GuardStore(house.place.guard).parts("count"))
    house.kill()
    house.start()
    for number in range(6):
        tried(house, GUESSER, f"another{number}")
    assert until(lambda: wrong(house) >= 4)
    assert wrong(house) == 4


def _kept(house: House) -> int:
    """The different wrong passwords of the guesser that the store knows of."""
    key = f"host {socket.inet_aton(GUESSER).hex()}"
    return sum(part.value[0] for part in GuardStore(house.place.guard).parts("count") if part.key == key)
