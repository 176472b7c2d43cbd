"""What attackers' own tools get, and what an owner at work notices of them: nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from live.gate import ANN, BOB, INTERNET, SUBMISSION_TLS, Gate, route
from live.nmap import mended
from live.program import run
from live.sink import Sink
from patience import until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-attacks")]

_GUESSES = ("123456", "password", "Summer2026", "qwerty", "letmein", "admin123")


@pytest.fixture
def gate(make_gate: Callable[..., Gate], make_sink: Callable[..., Sink]) -> Gate:
    sink = make_sink()
    return make_gate(route(f"smtp://{sink.host}:{sink.port}"), workers=2)


def _swaks(gate: Gate, source: str, name: str, password: str) -> bool:
    """Whether the mail was taken."""
    sent = run(
        "swaks", "--server", gate.host, "--port", str(SUBMISSION_TLS), "--tlsc", "--local-interface", source,
        "--auth", "PLAIN", "--auth-user", name, "--auth-password", password, "--from", ANN.address,
        "--to", "x@else.example", "--timeout", "90", "--silent", "2",
    )  # fmt: skip
    return sent.returncode == 0


def _attacks(gate: Gate) -> dict[str, list[dict[str, object]]]:
    answer: dict[str, list[dict[str, object]]] = json.loads(gate.command("attacks", "--json").stdout)
    return answer


def test_an_owner_goes_on_sending_while_his_name_is_guessed(gate: Gate, require: Callable[..., None]) -> None:
    require("swaks")
    owner = "127.0.0.1"
    assert _swaks(gate, owner, ANN.name, ANN.password)
    for number in range(24):
        assert not _swaks(gate, f"127.{20 + number}.9.1", ANN.name, f"guess{number}")
        if number % 4 == 0:
            assert _swaks(gate, owner, ANN.name, ANN.password)
    assert gate.wait_for_log(f"{ANN.name.partition('@')[0]} is under attack")
    owners = until(lambda: len(found := [one for one in gate.logins() if one.account]) == 7 and found)
    assert {(one.account, one.peer, one.treatment) for one in owners} == {(ANN.name, owner, "none")}
    assert _attacks(gate)["names"][0]["name"] == ANN.name


def test_a_decoy_is_one_try(gate: Gate, require: Callable[..., None]) -> None:
    require("swaks")
    assert not _swaks(gate, "127.77.1.1", "administrator", "x")
    assert not _swaks(gate, "127.77.1.1", ANN.name, ANN.password)
    assert _swaks(gate, "127.77.1.2", ANN.name, ANN.password)
    assert gate.command("pardon", "127.77.1.1").returncode == 0
    assert _swaks(gate, "127.77.1.1", ANN.name, ANN.password)


def test_nmap_enumerates_no_users(
    make_gate: Callable[..., Gate], require: Callable[..., None], tmp_path: Path
) -> None:
    require("nmap")
    gate = make_gate("[guard]\ndelay_most_seconds = 0\n[guard.harvest]\nrefuse_after = 30\n")
    names = tmp_path / "names"
    names.write_text("".join(f"user{number}\n" for number in range(60)) + "ann\n")
    script = f"+{mended('smtp-enum-users', tmp_path)}"
    scanned = run(
        "nmap", "-Pn", "-n", "-p", str(INTERNET), "--script", script, "--script-args",
        f"smtp-enum-users.methods={{RCPT}},smtp-enum-users.domain=local.example,userdb={names}",
        "--host-timeout", "40", gate.host,
    )  # fmt: skip
    assert scanned.returncode == 0, scanned.stdout
    assert not re.search(r"\bann\b", scanned.stdout)
    gate.wait_for_log("30 times unknown-recipient")
    gate.stop()
    (row,) = [one for one in _attacks(gate)["offences"] if one["offence"] == "unknown-recipient"]
    assert 30 <= row["count"] <= 32  # and nothing more of it is heard


def test_hydra_finds_nothing_but_what_the_limit_lets_it_try(
    gate: Gate, require: Callable[..., None], tmp_path: Path
) -> None:
    require("hydra")
    words = tmp_path / "words"
    words.write_text(
        "\n".join([f"{word}{n}" for n in range(20) for word in _GUESSES] + [BOB.password]) + "\n"
    )
    hydra = ("env", "-C", tmp_path, "timeout", "15", "hydra", "-I", "-t", "8", "-l", BOB.name, "-P", words)
    said = run(*hydra, "-s", str(SUBMISSION_TLS), "-S", gate.host, "smtp", "PLAIN")
    assert "valid password found" not in said.stdout.replace("0 valid password found", "")
    tried = [line for line in gate.log.splitlines() if " login-refused " in line]
    assert sum("reason=wrong-password" in line for line in tried) <= 10
    assert not any(" login " in line for line in gate.log.splitlines())
    gate.stop()
    (name,) = _attacks(gate)["names"]
    assert name["name"] == BOB.name
    assert name["attempts"] - name["refused"] <= 10
