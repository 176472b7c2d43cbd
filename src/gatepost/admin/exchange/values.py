"""Values of Exchange in their many forms: sizes, spans of time, ranges of addresses, bindings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Any, Final

from gatepost.admin.exchange.ipsecurity import Network
from gatepost.admin.exchange.jsonfile import as_list, as_text

_BYTES: Final = re.compile(r"\(([\d.,'’\s\u00a0\u202f]+)(?:bytes|\D*)\)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*([kmgt]?)b?(?:ytes)?\s*", re.IGNORECASE)
_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SPAN: Final = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?")


def is_unlimited(value: Any) -> bool:
    if isinstance(value, dict):
        return any(str(name).lower() == "isunlimited" and one is True for name, one in value.items())
    return isinstance(value, str) and value.strip().lower() == "unlimited"


def size_bytes(value: Any) -> int | None:
    """`36 MB (37,748,736 bytes)`, `25MB`, a number, an object that holds one of these. None: it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, dict):
        named = {str(name).lower(): one for name, one in value.items()}
        inner = named.get("value", named.get("bytes"))
        return None if inner is None or is_unlimited(value) else size_bytes(inner)
    text = str(value)
    exact = _BYTES.search(text)
    if exact is not None:
        digits = re.sub(r"\D", "", exact[1])
        return int(digits) if digits else None
    found = _NUMBER.fullmatch(text)
    return None if found is None else int(float(found[1].replace(",", ".")) * _UNITS[found[2].lower()])


def number(value: Any) -> int | None:
    """A whole number, as such or as text. None: it is none, or unlimited."""
    if isinstance(value, dict):
        named = {str(name).lower(): one for name, one in value.items()}
        return None if is_unlimited(value) else number(named.get("value"))
    text = as_text(value).strip()
    return int(text) if text.isdecimal() else None


def seconds(value: Any) -> int | None:
    """`00:10:00`, `1.00:00:00`, or an object with `TotalSeconds`. None: it is none."""
    if isinstance(value, dict):
        named = {str(name).lower(): one for name, one in value.items()}
        total = named.get("totalseconds")
        return int(total) if isinstance(total, int | float) else None
    found = _SPAN.fullmatch(as_text(value).strip())
    if found is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def networks(values: Any) -> tuple[Network, ...]:
    """The fewest networks that hold exactly the ranges: `a`, `a-b`, `a/24`, `a(255.255.255.0)`.

    Raises:
        ValueError: a range that is none; the text says which.
    """
    found: list[Network] = []
    for value in as_list(values):
        found += _networks(_range_text(value))
    return fewest(found)


def fewest(found: Iterable[Network]) -> tuple[Network, ...]:
    """The same addresses in as few networks as can be, IPv4 first."""
    some = list(found)
    old = collapse_addresses(one for one in some if isinstance(one, IPv4Network))
    new = collapse_addresses(one for one in some if isinstance(one, IPv6Network))
    return (*old, *new)


def _range_text(value: Any) -> str:
    """The range as text, also of an object with its bounds."""
    if isinstance(value, dict):
        named = {str(name).lower(): one for name, one in value.items()}
        low, high = as_text(named.get("lowerbound")), as_text(named.get("upperbound"))
        if low and high:
            return f"{low}-{high}"
    return as_text(value)


def _networks(text: str) -> Iterator[Network]:
    try:
        low, dash, high = (part.strip() for part in text.partition("-"))
        if dash:
            yield from _between(_address(low), _address(high))
        elif "(" in text:
            address, _, mask = text.partition("(")
            yield ip_network(f"{address.strip()}/{_address(mask.strip(' )'))}", strict=False)
        else:
            yield ip_network(text.strip(), strict=False)
    except (ValueError, TypeError):
        raise ValueError(f"{text!r} is no range of addresses") from None


def _address(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text.partition("%")[0])


def _between(low: IPv4Address | IPv6Address, high: IPv4Address | IPv6Address) -> Iterator[Network]:
    if (isinstance(low, IPv4Address) and isinstance(high, IPv4Address)) or (
        isinstance(low, IPv6Address) and isinstance(high, IPv6Address)
    ):
        yield from summarize_address_range(low, high)
    else:
        raise ValueError("two versions")


def bindings(values: Any) -> tuple[str, ...]:
    """`0.0.0.0:25`, `[::]:25`, or objects with address and port, as our `listen` has them.

    Raises:
        ValueError: one that is none; the text says which.
    """
    return tuple(dict.fromkeys(_binding(value) for value in as_list(values)))


def _binding(value: Any) -> str:
    if isinstance(value, dict):
        named = {str(name).lower(): one for name, one in value.items()}
        host, port = as_text(named.get("address")), as_text(named.get("port"))
    else:
        host, _, port = as_text(value).strip().rpartition(":")
    try:
        address = _address(host.strip("[]"))
        if not 0 < int(port) < 65_536:
            raise ValueError
    except ValueError:
        raise ValueError(f"{as_text(value) or value!r} is no address with a port") from None
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
