"""Lists of addresses in the binary form of the metabase, made as iiscnfg.h (MD_IP_SEC) describes it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import IPv4Network

REFERENCE = 0x8000_0000


def ip_list(
    granted: Sequence[str] = (),
    denied: Sequence[str] = (),
    granted_names: Sequence[str] = (),
    denied_names: Sequence[str] = (),
) -> bytes:
    """The bytes, groups by mask and by labels as IIS keeps them."""
    lists = [_groups(denied), _groups(granted)]
    names = [_by_labels(denied_names), _by_labels(granted_names)]
    sizes = [8 + 20 * len(groups) for groups in lists]
    sizes += [8 + sum(8 + 4 * len(found) for found in groups.values()) for groups in names]
    starts = [24 + sum(sizes[:index]) for index in range(4)]
    at = 24 + sum(sizes)
    head = struct.pack("<6I", *(start | REFERENCE for start in starts), 1, at)
    body, data = b"", b""
    for groups in lists:
        body += struct.pack("<2I", len(groups), sum(map(len, groups.values())))
        for prefix, found in groups.items():
            mask = IPv4Network(f"0.0.0.0/{prefix}").netmask.packed
            last = (0xFF << (8 - prefix % 8)) & 0xFF if prefix % 8 else 0
            body += struct.pack("<5I", 2, len(found) + 1, prefix // 8, last, (at + len(data)) | REFERENCE)
            data += mask + b"".join(network.network_address.packed for network in found)
    for by_labels in names:
        body += struct.pack("<2I", len(by_labels), sum(map(len, by_labels.values())))
        for labels, those in by_labels.items():
            body += struct.pack("<2I", labels, len(those))
            for name in those:
                body += struct.pack("<I", (at + len(data)) | REFERENCE)
                data += name.encode() + b"\0"
    return head + body + data


def _groups(networks: Sequence[str]) -> dict[int, list[IPv4Network]]:
    found: dict[int, list[IPv4Network]] = {}
    for text in networks:
        network = IPv4Network(text)
        found.setdefault(network.prefixlen, []).append(network)
    return found


def _by_labels(names: Sequence[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(name.count(".") + 1, []).append(name)
    return found
