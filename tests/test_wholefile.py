"""A file holds the old content or the new, and keeps whose it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gatepost.wholefile import Owner, draft_file, replace_file


def test_a_new_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    replace_file(tmp_path / "new", b"x")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_one_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12_345, 12_346)
    replace_file(file, b"new")
    there = file.stat()
    assert (file.read_bytes(), stat.S_IMODE(there.st_mode)) == (b"new", 0o640)
    if os.geteuid() == 0:
        assert (there.st_uid, there.st_gid) == (12_345, 12_346)


def test_rights_may_be_said(tmp_path: Path) -> None:
    owner = Owner(os.geteuid(), os.getegid())
    replace_file(tmp_path / "file", b"x", mode=0o644, owner=owner)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real/file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "file").read_bytes() == b"new"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(TypeError):
        replace_file(file, "not bytes")  # type: ignore[arg-type]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "folder", b"x")
    assert file.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_draft_takes_no_name(tmp_path: Path) -> None:
    draft = draft_file(tmp_path / "file", b"x")
    assert draft.read_bytes() == b"x"
    assert not (tmp_path / "file").exists()
