"""What ends is spoken of once at each stage, and anew for a new certificate."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gatepost.admin.certificate import self_signed
from gatepost.admin.expiry import Expiry
from gatepost.config.certificates import leaf_of
from gatepost.config.schema import Settings
from gatepost.log import Log, LogWriter


def test_each_stage_is_told_once(tmp_path: Path) -> None:
    chain = tmp_path / "a.pem"
    chain.write_bytes(self_signed(["mail.example.org"], now=datetime(2026, 1, 1, tzinfo=UTC)).chain)
    settings = Settings.model_validate(
        {
            "hostname": "mail.example.org",
            "state": str(tmp_path),
            "certificates": {"default": {"chain": str(chain), "key": str(tmp_path / "a.key")}},
        }
    )
    leaf = leaf_of(settings.certificates["default"])
    assert leaf is not None
    ends = leaf.not_valid_after_utc
    expiry = Expiry(Log(LogWriter(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT))))
    for days in (90, 31, 30, 29, 14, 13, 7, 6, 1, 0.5, -1, -2):
        expiry.look(settings, ends - timedelta(days=days))
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[2] for line in lines] == ["certificate-ends-soon"] * 4 + ["certificate-ended"]
    assert [line.rpartition("days_left=")[2] for line in lines] == ["30", "14", "7", "1", "-1"]
    chain.write_bytes(self_signed(["mail.example.org"], now=ends - timedelta(days=820)).chain)
    expiry.look(settings, ends)
    assert len((tmp_path / "log").read_text().splitlines()) == len(lines) + 1
