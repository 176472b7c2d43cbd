"""The Dockerfile and compose.yaml name what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.main import get_command

from gatepost.cli.main import app

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
STEPS = [line.split(" ", 1) for line in LINES if line and not line.startswith("#")]


def of(word: str) -> list[str]:
    return [rest for step, rest in STEPS if step == word]


def test_what_is_copied_is_there() -> None:
    copied = [shlex.split(rest)[:-1] for rest in of("COPY") if not rest.startswith("--from")]
    assert copied
    assert all((ROOT / name).exists() for names in copied for name in names)


def test_it_starts_and_asks_for_its_health_by_verbs_that_there_are() -> None:
    verbs = get_command(app()).commands  # type: ignore[attr-defined]
    (health,) = of("HEALTHCHECK")
    asked = re.findall(r'"([^"]+)"', health.partition("CMD")[2])
    (start,) = of("CMD")
    assert asked[0] == "gatepost"
    assert {asked[1], *re.findall(r'"([^"]+)"', start)} <= verbs.keys()


def test_it_runs_as_a_user_of_its_own() -> None:
    (user,) = of("USER")
    assert any(
        "groupadd --gid 10025 gatepost" in rest and "useradd --uid 10025" in rest and rest.count(user)
        for rest in of("RUN")
    )
    last_stage = max(number for number, (step, _) in enumerate(STEPS) if step == "FROM")
    assert any(step == "USER" for step, _ in STEPS[last_stage:])


def test_compose_publishes_ports_that_the_image_exposes() -> None:
    exposed = set(" ".join(of("EXPOSE")).split())
    published = re.findall(r'^\s*- "(\d+):(\d+)"$', (ROOT / "compose.yaml").read_text(), re.MULTILINE)
    assert published
    assert {inside for _outside, inside in published} <= exposed
