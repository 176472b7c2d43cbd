"""The recipe of old: make a PFX, import it, require TLS, reload; a client sees the new certificate."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from live.gate import HOSTNAME, INTERNET, Gate, route
from live.program import run
from sessions import Smtp

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live-certificates")]
OTHER = "other.gate.example"


@pytest.fixture(scope="module")
def gate(require: Callable[..., None], make_gate: Callable[..., Gate]) -> Gate:
    require("openssl")
    return make_gate(route("capture:out"))


def openssl(*arguments: str | Path) -> None:
    done = run("openssl", *arguments)
    assert done.returncode == 0, done.stdout


def pfx(folder: Path, name: str, password: str, *, kind: str = "ec") -> Path:
    """What `openssl pkcs12 -export` makes of a certificate for the name."""
    algorithm = (
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", "rsa:2048"]
    )
    key, chain, made = folder / f"{name}.key", folder / f"{name}.pem", folder / f"{name}.{kind}.pfx"
    openssl("req", "-x509", *algorithm, "-nodes", "-keyout", key, "-out", chain, "-days", "90",
            "-subj", f"/CN={name} {kind}", "-addext", f"subjectAltName=DNS:{name}")  # fmt: skip
    openssl("pkcs12", "-export", "-inkey", key, "-in", chain, "-out", made, "-passout", f"pass:{password}")
    return made


def subject(gate: Gate, name: str, *more: str) -> str:
    """The common name of what `openssl s_client -servername` is shown after STARTTLS."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{gate.host}:{INTERNET}", "-starttls", "smtp",
         "-servername", name, *more],
        input="QUIT\n", capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    found = re.search(r"subject=CN = (.+)", done.stdout)
    assert found, done.stdout + done.stderr
    return found[1].strip()


def test_the_whole_recipe(gate: Gate, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("geheim\n")
    file = gate.folder / "gatepost.toml"
    with Smtp(gate.host, INTERNET) as old:
        old.ehlo()
        made = pfx(tmp_path, HOSTNAME, "geheim")
        locked = gate.command("cert", "import", str(made))
        assert (locked.returncode, "locked with a password" in locked.stdout) == (3, True)
        brought = gate.command("cert", "import", str(made), "--password-file", str(secret))
        assert brought.returncode == 0, brought.stdout
        assert "self-signed" in brought.stdout
        text = file.read_text()
        file.write_text(text.replace('tls = "offer"', 'tls = "require"', 1))
        reloaded = gate.command("reload")
        assert reloaded.returncode == 0, reloaded.stdout
        assert old.mail("a@else.example")[0] == 250  # open sessions go on as they began
    assert subject(gate, HOSTNAME) == f"{HOSTNAME} ec"
    with Smtp(gate.host, INTERNET) as new:
        new.ehlo()
        assert new.mail("a@else.example")[0] == 530


def test_another_name_and_another_key_are_shown_by_sni(gate: Gate, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("geheim")
    for name, kind, host in (("other", "ec", OTHER), ("old", "rsa", OTHER)):
        made = pfx(tmp_path, host, "geheim", kind=kind)
        done = gate.command("cert", "import", str(made), "--name", name, "--password-file", str(secret))
        assert done.returncode == 0, done.stdout
    file = gate.folder / "gatepost.toml"
    file.write_text(
        file.read_text().replace("auth = []", 'auth = []\ncertificate = ["default", "other", "old"]', 1)
    )
    reloaded = gate.command("reload")
    assert reloaded.returncode == 0, reloaded.stdout
    before = subject(gate, "nobody.example")
    assert before == subject(gate, HOSTNAME)
    assert subject(gate, OTHER) == f"{OTHER} ec"
    rsa = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert subject(gate, OTHER, *rsa) == f"{OTHER} rsa"


def test_a_broken_file_stops_a_reload_and_harms_nobody(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim")
    made = pfx(tmp_path, HOSTNAME, "geheim")
    password = ("--password-file", str(tmp_path / "password"))
    done = gate.command("cert", "import", str(made), *password, "--reload")
    assert done.returncode == 0, done.stdout
    before = subject(gate, HOSTNAME)
    key = gate.folder / "certs" / "default.key"
    whole = key.read_bytes()
    key.write_bytes(b"half a file")
    refused = gate.command("reload")
    assert refused.returncode == 1
    assert "default.key" in refused.stdout
    assert subject(gate, HOSTNAME) == before
    key.write_bytes(whole)
    assert gate.command("reload").returncode == 0
