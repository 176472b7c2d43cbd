"""Client certificates: entries that come too early, and files that time has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authority import ClientAuthority
from config.files import HEAD, make_certificate
from gatepost.config.check import check
from gatepost.config.load import load_text

TABLES = """[certificates.default]
chain = "cert.pem"
key = "cert.key"
[smtp.a]
listen = ["127.0.0.1:25"]
tls = "{tls}"
client_ca_file = "ca.pem"
client_crl_file = "crl.pem"
access = [
  {{ allow = ["connect"], to = "certificate:{name}" }},
  {{ allow = ["submit", "relay"], to = "certificate:{name}" }},
]
"""
ABOUT = ("client_ca_file", "client_crl_file", "asked before TLS", "ended on", "out of date")


def said(
    folder: Path, *, tls: str = "implicit", name: str = "scanner7", days: int = 0, list_days: int = 5
) -> list[str]:
    make_certificate(folder)
    ClientAuthority(folder).revoke(days=list_days)
    settings = load_text(HEAD + TABLES.format(tls=tls, name=name), folder / "x.toml")
    found = check(settings, now=datetime.now(UTC) + timedelta(days=days))
    assert found.is_safe
    return [one.text for one in found.warnings if any(word in one.text for word in ABOUT[2:])]


def test_what_holds_is_not_doubted(tmp_path: Path) -> None:
    assert [text for text in said(tmp_path) if "default" not in text] == []


def test_connect_over_starttls_comes_too_early(tmp_path: Path) -> None:
    assert any("`connect` is asked before TLS begins" in text for text in said(tmp_path, tls="require"))


def test_an_authority_and_a_list_that_have_ended_are_told(tmp_path: Path) -> None:
    texts = said(tmp_path, days=60)
    assert any("CN=Clients' authority ended on" in text for text in texts)
    assert any("the list of CN=Clients' authority is out of date" in text for text in texts)


def test_a_fingerprint_is_written_as_programs_print_it(tmp_path: Path) -> None:
    said(tmp_path, name="sha256:" + ":".join(["AB"] * 32))
    with pytest.raises(Exception, match="is no fingerprint"):
        said(tmp_path, name="sha256:AB")
