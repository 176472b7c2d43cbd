"""Who looks at the console: what the sign-in lays into a request for the pages to find."""

from __future__ import annotations

from typing import Final, Protocol

from gatepost.admin.actor import Actor

VISITOR: Final = "gatepost.visitor"
"""The key in a request's scope under which the sign-in puts the visitor. No client can set it."""


class SignedOut(Exception):
    """The session has ended; the page can only lead to the sign-in."""


class Visitor(Protocol):
    """One session of one person, asked anew for every act: roles change, sessions end."""

    @property
    def key(self) -> str:
        """Names whoever looks, in all his sessions: what he has begun is kept under it."""

    def actor(self) -> Actor:
        """Who acts, with the role as it is now. Raises SignedOut."""
