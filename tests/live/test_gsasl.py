"""GNU SASL logs in with SCRAM bound to the TLS session: another implementation of both, over GnuTLS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from live.authority import Authority
from live.gate import ANN, SUBMISSION, Gate, route
from live.program import run

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-gsasl")]


@pytest.fixture(scope="module")
def gate(make_gate: Callable[..., Gate], require: Callable[..., None]) -> Gate:
    require("gsasl")
    return make_gate(route("smtp://127.0.0.1:9"))


def gsasl(gate: Gate, authority: Authority, mechanism: str, *more: str) -> subprocess.CompletedProcess[str]:
    return run(
        "gsasl", "--client", "--smtp", "--connect", f"{gate.host}:{SUBMISSION}",
        f"--x509-ca-file={authority.ca_file}", "-m", mechanism, "-a", ANN.name, *more, given="QUIT\r\n",
    )  # fmt: skip


@pytest.mark.parametrize(("mechanism", "more"), [("SCRAM-SHA-256-PLUS", ()), ("SCRAM-SHA-256", ("--no-cb",))])
def test_both_sides_prove_themselves(
    gate: Gate, authority: Authority, mechanism: str, more: tuple[str, ...]
) -> None:
    done = gsasl(gate, authority, mechanism, *more, "-p", ANN.password)
    assert "Client authentication finished (server trusted)" in done.stdout, done.stdout
    line = gate.wait_for_log(f"mechanism={mechanism} ")
    assert f"user={ANN.name}" in line


def test_a_wrong_password_proves_nothing(gate: Gate, authority: Authority) -> None:
    done = gsasl(gate, authority, "SCRAM-SHA-256-PLUS", "-p", "wrong")
    assert "535 5.7.8" in done.stdout
    assert done.returncode


@pytest.mark.parametrize("dashes", [True, False])
def test_a_device_proves_its_own_secret(gate: Gate, authority: Authority, dashes: bool) -> None:
    label = f"NAS, dashes {dashes}"
    made = json.loads(gate.command("user", "app-password", ANN.name, "--label", label, "--json").stdout)
    secret = made["secret"] if dashes else made["secret"].replace("-", "")
    done = gsasl(gate, authority, "SCRAM-SHA-256-PLUS", "-p", secret)
    assert "Client authentication finished (server trusted)" in done.stdout, done.stdout
    assert f'device="{label}"' in gate.wait_for_log(f'device="{label}"')
    own = gsasl(gate, authority, "SCRAM-SHA-256-PLUS", "-p", ANN.password)
    assert "Client authentication finished (server trusted)" in own.stdout, own.stdout
