"""An owner at work while others guess with all they have; attackers on hosts of their own; a full disk."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from live.gate import ANN, BOB, SUBMISSION, SUBMISSION_TLS, Gate, User, route
from live.nmap import mended
from live.program import Program, run
from live.sink import Sink
from patience import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-siege")]

_SIEGE_SECONDS = 12.0
_ATTACKERS = [f"127.{number}.7.1" for number in range(30, 54)]
_AT_ONCE = "[guard]\ndelay_most_seconds = 0\n"
_SOON = "[guard]\ndelay_most_seconds = 2\n"
_NET = f"10.77.{os.getpid() % 250 + 1}"  # of this process alone
_HERE, _STARTTLS, _TLS = f"{_NET}.1", 587, 465  # on other ports nmap waits half a minute for each greeting
_GUESSER, _OWNER = f"{_NET}.2", f"{_NET}.3"
_HYDRA, _NMAP = _GUESSER, _OWNER
_HOUSE = f"""
[smtp.house]
listen = ["{_HERE}:{_STARTTLS}"]
tls = "require"
auth = ["PLAIN"]
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["submit", "relay"], to = "group:POP3 Relay" }},
]
[smtp.house-tls]
listen = ["{_HERE}:{_TLS}"]
tls = "implicit"
auth = ["PLAIN", "LOGIN"]
access = [ {{ allow = ["connect"], to = "anyone" }}, {{ allow = ["submit"], to = "authenticated" }} ]
"""


def swaks(host: str, port: int, user: User, password: str, *before: str, source: str = "") -> bool:
    """Whether the mail was taken."""
    sent = run(
        *before, "swaks", "--server", host, "--port", str(port),
        "--tlsc" if port in (SUBMISSION_TLS, _TLS) else "--tls",
        *(["--local-interface", source] if source else []),
        "--auth", "PLAIN", "--auth-user", user.name, "--auth-password", password, "--from", user.address,
        "--to", "x@else.example", "--timeout", "90", "--silent", "2",
    )  # fmt: skip
    return sent.returncode == 0


class Owner:
    """Sends with msmtp, once a second."""

    def __init__(self, gate: Gate, folder: Path) -> None:
        self._gate = gate
        (folder / "password").write_text(ANN.password)
        self._password = folder / "password"
        self.failed: list[str] = []

    def send(self) -> None:
        sent = run(
            "msmtp", "--file=/dev/null", f"--host={self._gate.host}", f"--port={SUBMISSION}", "--tls=on",
            "--tls-starttls=on", f"--tls-trust-file={self._gate.authority.ca_file}", "--auth=plain",
            f"--user={ANN.name}", f"--passwordeval=cat '{self._password}'", f"--from={ANN.address}",
            "--set-from-header=off", "--", "x@else.example",
            given=f"From: {ANN.address}\nSubject: x\n\nx\n",
        )  # fmt: skip
        if sent.returncode:
            self.failed.append(sent.stdout)

    def at_work(self, seconds: float, enough: Callable[[], bool], why: Callable[[], object]) -> None:
        """For so long at least, and until it is enough; `why` tells what went on if it never is."""
        begins = time.monotonic()
        while time.monotonic() < begins + seconds or not enough():
            assert time.monotonic() < begins + seconds + 5 * PATIENCE_SECONDS, why()
            self.send()
            time.sleep(1.0)


@pytest.fixture
def hosts(require: Callable[..., None]) -> Iterator[tuple[str, str]]:
    """Two network namespaces, _GUESSER and _OWNER, joined to this machine, which is _HERE."""
    require("ip", "swaks")
    if os.geteuid() != 0:
        pytest.skip("network namespaces can only be made by root")
    mark = f"gp{os.getpid() % 100_000}"
    bridge, names = f"{mark}br", (f"{mark}a", f"{mark}b")
    script = [f"ip link add {bridge} type bridge", f"ip addr add {_HERE}/24 dev {bridge}",
              f"ip link set {bridge} up"]  # fmt: skip
    for number, name in enumerate(names, 2):
        script += [
            f"ip netns add {name}",
            f"ip link add {name}o type veth peer name {name}i netns {name}",
            f"ip link set {name}o master {bridge} up",
            f"ip -n {name} addr add {_NET}.{number}/24 dev {name}i",
            f"ip -n {name} link set {name}i up",
        ]
    try:
        for line in script:
            made = run(*line.split())
            if made.returncode:
                pytest.skip(f"{line}: {made.stdout.strip()}")
        yield names
    finally:
        for name in names:
            run("ip", "netns", "del", name)
        run("ip", "link", "del", bridge)


@pytest.fixture
def house(hosts: tuple[str, str], make_gate: Callable[..., Gate]) -> Iterator[Callable[..., Gate]]:
    """Starts a Gatepost that both hosts reach; it has ended before the next one needs its address."""
    started: list[Gate] = []

    def make(more: str = "", **how: int) -> Gate:
        started.append(make_gate(more + _HOUSE, **how))
        return started[-1]

    yield make
    for gate in started:
        gate.stop()


@contextmanager
def under_siege(gate: Gate, folder: Path, hosts: tuple[str, str]) -> Iterator[list[Program]]:
    """Swaks in a loop from many addresses; once ann's name is under attack, hydra and nmap's smtp-brute on
    hosts of their own."""
    words, users, names = folder / "words", folder / "users", folder / "names"
    words.write_text("".join(f"guess{number}\n" for number in range(400)))
    users.write_text(f"{ANN.name}\n{BOB.name}\n")
    names.write_text(f"{BOB.name}\ncarol@local.example\n")
    first, second = (["ip", "netns", "exec", name] for name in hosts)
    hydra = [
        "hydra",
        "-I",
        "-t",
        "4",
        "-L",
        users,
        "-P",
        words,
        "-s",
        str(_TLS),
        "-S",
        _HERE,
        "smtp",
        "PLAIN",
    ]
    nmap = ["nmap", "-Pn", "-n", "-p", str(_TLS), "--script", mended("smtp-brute", folder), "--script-args"]
    brute = f"userdb={names},passdb={words},brute.threads=4"
    over = threading.Event()

    def loop() -> None:
        number = 0
        while not over.is_set():
            number += 1
            source = _ATTACKERS[number % len(_ATTACKERS)]
            assert not swaks(gate.host, SUBMISSION_TLS, ANN, f"swaks{number}", source=source)

    thread = threading.Thread(target=loop)
    thread.start()
    programs: list[Program] = []
    try:
        until(lambda: " is under attack" in gate.log, why=lambda: gate.log)
        programs += [
            Program([*first, *hydra], folder=folder),
            Program([*second, *nmap, brute, _HERE], folder=folder),
        ]
        yield programs
    finally:
        over.set()
        thread.join()
        for program in programs:
            program.kill()


def test_an_owner_sends_once_a_second_through_it_all(
    hosts: tuple[str, str],
    house: Callable[..., Gate],
    make_sink: Callable[..., Sink],
    require: Callable[..., None],
    tmp_path: Path,
) -> None:
    require("hydra", "nmap", "msmtp")
    sink = make_sink()
    gate = house(_SOON + route(f"smtp://{sink.host}:{sink.port}"), workers=2)
    owner = Owner(gate, tmp_path)
    owner.send()

    def all_shut_out() -> bool:
        return all(f"attack about={one} " in gate.log for one in (_HYDRA, _NMAP))

    def what_went_on() -> list[object]:
        guessed = [line for line in gate.log.splitlines() if f"peer={_NET}." in line or " attack " in line]
        return [*((program.process.poll(), program.output) for program in programs), guessed]

    with under_siege(gate, tmp_path, hosts) as programs:
        owner.at_work(_SIEGE_SECONDS, all_shut_out, what_went_on)
    said = [program.output for program in programs]
    assert owner.failed == []
    assert all_shut_out(), said
    assert "Valid credentials" not in said[1]
    assert "valid password" not in said[0].replace("0 valid password", "")
    shut_out = json.loads(gate.command("ban", "--list", "--json").stdout)
    assert {_HYDRA, _NMAP} <= {row["source"] for row in shut_out}
    gate.stop()
    sources = {row["source"]: row for row in recorded(gate)["sources"]}
    for guesser, least in ((_HYDRA, 0), (_NMAP, 1)):  # hydra guessed at ann, where nobody looks any more
        looked_at = sources[guesser]["attempts"] - sources[guesser]["refused"]
        assert least <= looked_at <= 10, (sources, said)
    assert sources[_ATTACKERS[1]]["names"] == 1
    logins = [one for one in gate.logins() if one.account is not None]
    assert logins
    assert {(one.account, one.peer, one.treatment) for one in logins} == {(ANN.name, "127.0.0.1", "none")}


def test_a_guesser_on_his_own_host_shuts_out_himself_alone(
    hosts: tuple[str, str], house: Callable[..., Gate], make_sink: Callable[..., Sink]
) -> None:
    sink = make_sink()
    gate = house(_AT_ONCE + route(f"smtp://{sink.host}:{sink.port}"), workers=2)
    guesser, owner = (("ip", "netns", "exec", name) for name in hosts)
    for number in range(11):
        assert not swaks(_HERE, _STARTTLS, ANN, f"guess{number}", *guesser)
    assert not swaks(_HERE, _STARTTLS, ANN, ANN.password, *guesser)
    assert swaks(_HERE, _STARTTLS, ANN, ANN.password, *owner), gate.log
    wrong = until(lambda: len(found := _wrong(gate)) >= 10 and found, why=lambda: gate.log)
    assert len(wrong) == 10
    assert all(f"peer={_GUESSER} " in line for line in wrong)
    said = json.loads(gate.command("ban", "--list", "--json").stdout)
    assert [row["source"] for row in said] == [_GUESSER]
    gate.stop()


def recorded(gate: Gate) -> dict[str, list[dict[str, Any]]]:
    """What `gatepost attacks` says; all of it once the gate has stopped."""
    said = gate.command("attacks", "--limit", "100", "--json").stdout
    found: dict[str, list[dict[str, Any]]] = json.loads(said)
    return found


def test_the_packaged_smtp_brute_is_shut_out_before_its_first_guess(
    hosts: tuple[str, str], house: Callable[..., Gate], require: Callable[..., None], tmp_path: Path
) -> None:
    require("nmap")
    gate = house()
    words = tmp_path / "words"
    words.write_text("".join(f"guess{number}\n" for number in range(40)))
    brute = f"userdb={words},passdb={words},brute.threads=2"
    run("ip", "netns", "exec", hosts[1], "nmap", "-Pn", "-n", "-p", str(_TLS), "--script", "smtp-brute",
        "--script-args", brute, "--host-timeout", "20", _HERE)  # fmt: skip
    gate.wait_for_log(f"attack about={_NMAP} ")
    gate.stop()
    said = recorded(gate)
    assert said["names"] == []
    (row,) = [one for one in said["offences"] if one["offence"] == "auth-not-offered"]
    assert (row["source"], row["count"] >= 5) == (_NMAP, True)


def _wrong(gate: Gate) -> list[str]:
    return [line for line in gate.log.splitlines() if " login-refused " in line and "=wrong-password" in line]


# a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("a disk can only be mounted by root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = run("mount", "-t", "tmpfs", "-o", "size=160m", "gatepost-test", folder)
    if mounted.returncode:
        pytest.skip(mounted.stdout.strip())
    yield folder
    run("umount", "-l", folder)


def test_on_a_full_disk_records_stop_and_counting_goes_on(
    small_disk: Path,
    make_gate: Callable[..., Gate],
    make_sink: Callable[..., Sink],
    require: Callable[..., None],
) -> None:
    require("swaks")
    sink = make_sink()
    gate = make_gate(route(f"smtp://{sink.host}:{sink.port}") + _AT_ONCE)
    gate.stop()
    for one in (gate.folder / "state").iterdir():
        subprocess.run(["cp", "-a", one, small_disk], check=True)
    subprocess.run(["mount", "--bind", small_disk, gate.folder / "state"], check=True)
    try:
        gate.start()
        assert swaks(gate.host, SUBMISSION_TLS, ANN, ANN.password)
        with suppress(OSError), (small_disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(1 << 20))
                filler.flush()
        guesser, owner = "127.81.1.1", "127.81.2.1"
        for number in range(11):
            assert not swaks(gate.host, SUBMISSION_TLS, BOB, f"guess{number}", source=guesser)
        assert until(lambda: sum(f"peer={guesser} " in line for line in _wrong(gate)) == 10)
        while swaks(gate.host, SUBMISSION_TLS, ANN, ANN.password, source=owner):
            pass  # what there is room for is taken; then it is 452
        gate.wait_for_log("reason=spool-full")
        assert any(" login " in line and f"peer={owner} " in line for line in gate.log.splitlines())
        (small_disk / "filler").unlink()
        until(lambda: swaks(gate.host, SUBMISSION_TLS, ANN, ANN.password, source=owner))
        assert not swaks(gate.host, SUBMISSION_TLS, ANN, ANN.password, source=guesser)
    finally:
        gate.stop()
        subprocess.run(["umount", "-l", gate.folder / "state"], check=True)
