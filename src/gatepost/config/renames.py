"""A virtual server under another name: recognised between two configurations, and made in a draft."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gatepost.config.edit import Draft, EditError
from gatepost.config.headers import renamed
from gatepost.config.schema import Settings
from gatepost.config.servers import VirtualServer

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
"""What a virtual server may be called: it stands in addresses of pages, in logs and in numbers."""
PROTOCOLS: Final = ("smtp", "pop3")


def renames(before: Settings, after: Settings) -> dict[str, str]:
    """The new name (smtp.NAME, pop3.NAME) by the old one.

    One that comes with the addresses of one that goes is the same virtual server to everybody who
    connects: whatever an operator has said of the old one, like Stop, he means the new one, too.
    """
    found: dict[str, str] = {}
    for protocol in PROTOCOLS:
        old: Mapping[str, VirtualServer] = getattr(before, protocol)
        new: Mapping[str, VirtualServer] = getattr(after, protocol)
        come = {name: server for name, server in new.items() if name not in old}
        for name, server in old.items():
            if name not in new and (heir := _heir(server, come)) is not None:
                found[f"{protocol}.{name}"] = f"{protocol}.{heir}"
                del come[heir]
    return found


def _heir(gone: VirtualServer, come: Mapping[str, VirtualServer]) -> str | None:
    ends = {end for end in gone.listen if end.port}
    return next((name for name, server in come.items() if ends and ends == set(server.listen)), None)


def rename(draft: Draft, server: tuple[str, str], name: str) -> None:
    """The draft calls the virtual server so, everything else in it as it was. Raises EditError."""
    protocol, old = server
    there = draft.value((protocol,)) or {}
    if old not in there:
        raise EditError(f"there is no virtual server {protocol}.{old}")
    if not NAME.fullmatch(name):
        raise EditError(f"{name!r} does not serve as a name: 1 to 60 letters, digits, '-' and '_'")
    if name in there:
        raise EditError(f"there is a virtual server {protocol}.{name} already")
    draft.rewrite(renamed(draft.text, server, name))
