"""What may not stand in the repository: a package index's address, a path of one machine, a private key."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Spelled in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a package index's address": re.compile(
        r"py"
        r"pi\.(org|python)|files\.python"
        r"hosted|registry\.npm"
        r"js|(deb|security|ftp)\.debian"
        r"\.org"
        r"|index-"
        r"url\s*=|find-"
        r"links\s*=",
        re.IGNORECASE,
    ),
    "a path of one machine": re.compile(
        r"(?<![\w.])/(root|work|home/[a-z]+|Users/\w+|opt/(wheels|py" r"pi))(?=/|\b)(?!\s*=)"
    ),
    "a private key": re.compile(r"-----BEGIN (EC |RSA |ENCRYPTED )?PRIVATE " r"KEY-----\n[A-Za-z0-9+/]"),
}
PINNED = re.compile(r"^([a-z0-9.-]+)==[^ ]+( ; .+)? \\$")


def _files() -> list[Path]:
    """What git tracks or would take in; without git (a source archive) every file outside dot folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not path.relative_to(ROOT).parts[0].startswith(".")
    ]


def breaches(text: str) -> list[str]:
    """What `text` holds of what is forbidden: the kind and the place."""
    return [
        f"{kind}: {match.group()!r}"
        for kind, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
    ]


def test_no_file_names_an_index_a_machine_or_holds_a_key() -> None:
    found = []
    for path in _files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {breach}" for breach in breaches(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "https://py" "pi.org/simple",
        "https://files.python" "hosted.org/x",
        "--extra-index-" "url = x",
        "cd /wo" "rk/main",
        "/ro" "ot/.cache",
        "-----BEGIN PRIVATE " "KEY-----\nMIIB",
    ],
)  # fmt: skip
def test_the_check_notices(text: str) -> None:
    assert breaches(text) != []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-kerberos.lock"])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line and not line.startswith(("#", " ")):
            assert PINNED.match(line), f"{name}:{number}: {line}"
            assert lines[number].startswith("    --hash=sha256:"), f"{name}:{number}: no hash"


def test_the_lock_names_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"].get("optional-dependencies", {})
    lines = [*project["project"]["dependencies"], *(line for extra in extras.values() for line in extra)]
    wanted = {re.split(r"[>=<;\[ ]", line)[0].lower() for line in lines}
    dev = {re.split(r"[>=<;\[ ]", line)[0].lower() for line in project["dependency-groups"]["dev"]}

    def locked(name: str) -> set[str]:
        return {match[1] for line in (ROOT / name).read_text().splitlines() if (match := PINNED.match(line))}

    assert wanted - locked("requirements.lock") - locked("requirements-kerberos.lock") == set()
    assert dev - locked("requirements-dev.lock") == set()


@pytest.mark.parametrize(
    "name",
    [
        "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE",
        "Makefile", ".ci/run",
    ],
)  # fmt: skip
def test_the_project_has_its(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0
