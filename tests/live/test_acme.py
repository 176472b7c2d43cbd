"""Certificates come from pebble by both challenges, are taken up without a restart, and fetched once."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live.authority import Authority
from live.authority_acme import HTTP, TLS, Pebble
from live.gate import INTERNET, Gate, route
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-acme")]
NAME = "mail.gate.example"


@pytest.fixture(scope="module")
def pebble(
    require: Callable[..., None], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pebble]:
    require("pebble", "pebble-challtestsrv")
    made = Pebble(tmp_path_factory.mktemp("pebble"), authority)
    yield made
    made.stop()


def acme(pebble: Pebble, challenge: str, port: int, *names: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names or (NAME,))
    return f"""\
{route("capture:out")}
[acme]
directory = "{pebble.directory}"
email = "ann@gate.example"
names = [{listed}]
ca_file = "{pebble.ca_file}"
challenge = "{challenge}"
listen = "{pebble.host}:{port}"
certificate = "default"
"""


def shown(gate: Gate, root: str) -> bool:
    """Whether a client that trusts `root` alone trusts the gate under its name."""
    context = ssl.create_default_context(cadata=root)
    with Smtp(gate.host, INTERNET) as client:
        client._host = NAME  # type: ignore[attr-defined] # the name that STARTTLS asks for and checks
        try:
            client.starttls(context=context)
        except ssl.SSLCertVerificationError:
            client.close()
            return False
    return True


@pytest.mark.parametrize(("challenge", "port"), [("http-01", HTTP), ("tls-alpn-01", TLS)])
def test_the_daemon_fetches_what_it_lacks(
    pebble: Pebble, make_gate: Callable[..., Gate], challenge: str, port: int
) -> None:
    gate = make_gate(acme(pebble, challenge, port, NAME, "pop.gate.example"))
    assert gate.program is not None
    said = gate.program.wait_for_line(lambda line: " acme outcome=" in line or "acme-failed" in line)
    assert "acme outcome" in said, said + pebble.log
    assert "does not name pop.gate.example" in said
    gate.program.wait_for_line(lambda line: "certificate-taken-up" in line)
    assert shown(gate, pebble.root)
    (account,) = (gate.folder / "state" / "acme").iterdir()
    assert stat.S_IMODE(account.stat().st_mode) == 0o600
    again = gate.command("acme", "run")
    assert (again.returncode, "is not due" in again.stdout) == (0, True)
    file = gate.folder / "gatepost.toml"
    edited = file.read_text()
    file.write_text(edited.partition("[acme]")[0])
    unaware = gate.command("acme", "run")  # what was edited is not in force
    assert (unaware.returncode, "is not due" in unaware.stdout) == (0, True), unaware.stdout
    file.write_text(edited)
    anew = gate.command("acme", "run", "--even-so")  # with the account that there is now
    assert anew.returncode == 0, anew.stdout
    assert shown(gate, pebble.root)


def test_a_refusal_is_told_and_the_old_one_goes_on(pebble: Pebble, make_gate: Callable[..., Gate]) -> None:
    gate = make_gate(acme(pebble, "http-01", HTTP + 1))  # where the authority does not look
    assert gate.program is not None
    said = gate.program.wait_for_line(lambda line: "acme-failed" in line)
    assert NAME in said
    assert "efused" in said
    assert shown(gate, Path(gate.authority.ca_file).read_text())
