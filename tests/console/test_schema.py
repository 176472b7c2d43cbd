"""The API does what its OpenAPI document says, whatever is sent: schemathesis against a running Gatepost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from console.house import ConsoleHouse

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("console-running")]

_SECONDS = 25
_LEFT_OUT = (
    # what may be a name, a route or a password is said in words and not in the schema
    "--exclude-checks", "positive_data_acceptance",
    "--exclude-operation-id", "revoke",  # would revoke the token that it asks with
    "--exclude-path", "/selftest",  # takes seconds each time
)  # fmt: skip


def test_the_document_holds(house: ConsoleHouse) -> None:
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{house.url}/api/v1/openapi.json",
        "--tls-verify", "false", "-H", f"Authorization: Bearer {house.token}", "--max-time", str(_SECONDS),
        "--request-timeout", "60", "--phases", "examples,coverage,fuzzing", "--max-examples", "3",
        "--no-color", "--generation-database", "none", "--seed", "7", *_LEFT_OUT,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=house.folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert "passed" in done.stdout
    assert " api-failed " not in house.running.output
