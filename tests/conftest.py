"""What every test may rely on: no property test is bound to wall time, and a group stays together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "gatepost", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gatepost")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """As `--dist loadgroup` is meant."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from scheduling import Grouped

    return Grouped(config, log)
