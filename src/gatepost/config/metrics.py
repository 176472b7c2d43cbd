"""`[metrics]`: numbers for Prometheus."""

from __future__ import annotations

from gatepost.config.model import Model
from gatepost.config.value import Address


class Metrics(Model):
    """Whoever can connect to `listen` may read; nothing secret is told, but much of the house is."""

    listen: Address
