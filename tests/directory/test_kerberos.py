"""Principals as names of the directory, and keytabs that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.wire.gssapi import GssError

kerberos = pytest.importorskip("gatepost.directory.kerberos", reason="the extra kerberos is not installed")


def test_a_principal_is_an_account_of_its_realm() -> None:
    assert kerberos.directory_name("alice@CORP.EXAMPLE") == "CORP.EXAMPLE\\alice"


@pytest.mark.parametrize(
    "principal", ["smtp/mail@CORP", "alice/admin@CORP", "alice", "@CORP", "alice@", "a\\b@C", "a@b@C", ""]
)
def test_services_and_instances_are_nobody(principal: str) -> None:
    with pytest.raises(GssError):
        kerberos.directory_name(principal)


def test_a_keytab_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "keytab").write_bytes(b"nothing of the kind")
    with pytest.raises(kerberos.KeytabUnusable):
        kerberos.Acceptor(tmp_path / "keytab")
