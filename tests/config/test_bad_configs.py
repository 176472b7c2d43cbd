"""Every bad file gives the faults it says it must give, each at its line, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gatepost.config.load import ConfigError, load

_FOLDER = Path(__file__).parents[1] / "bad_configs"
_EXPECTED = re.compile(r"# expect: (\d+): (.*)")


def _files() -> list[Path]:
    return sorted(_FOLDER.glob("*.toml"))


def _expected(file: Path) -> list[tuple[int, str]]:
    lines = map(_EXPECTED.fullmatch, file.read_text(encoding="utf-8").splitlines())
    return [(int(found[1]), found[2].replace("FOLDER", str(_FOLDER)).strip()) for found in lines if found]


@pytest.mark.parametrize("file", _files(), ids=lambda file: file.stem)
def test_the_file_gives_the_faults_it_expects(file: Path) -> None:
    expected = _expected(file)
    with pytest.raises(ConfigError) as caught:
        load(file)
    said = [str(fault).removeprefix(f"{file}:") for fault in caught.value.faults]
    unmet = [
        (line, text) for line, text in expected if not any(one.startswith(f"{line}: {text}") for one in said)
    ]
    unexpected = [
        one for one in said if not any(one.startswith(f"{line}: {text}") for line, text in expected)
    ]
    assert (unmet, unexpected) == ([], [])
    assert [fault.line for fault in caught.value.faults] == sorted(
        fault.line for fault in caught.value.faults
    )


def test_there_are_enough_bad_files() -> None:
    assert len(_files()) >= 24
    assert all(_expected(file) for file in _files())
