"""Gatepost: a mail gate that relays only for the people and devices that were named."""

__version__ = "0.1.0"
