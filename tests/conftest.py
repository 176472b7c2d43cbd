"""What every test may rely on: no property test is bound to wall time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("gatepost", deadline=None, print_blob=True)
settings.load_profile("gatepost")
