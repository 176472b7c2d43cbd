"""What can go wrong in a conversation, and whose fault it is. Pure."""

from __future__ import annotations

from gatepost.smtp.reply import Reply


class ProtocolError(Exception):
    """Somebody broke the rules of SMTP."""


class LocalProtocolError(ProtocolError):
    """We would have broken them: a bug of ours. Nothing was sent and no state moved."""


class RemoteProtocolError(ProtocolError):
    """The peer broke them so that the conversation cannot go on: close the connection."""


class CommandError(ProtocolError):
    """A command line that cannot be obeyed; `reply` says so to the peer.

    `counts`: it is one of the errors that a session has a limit of. `closes`: nothing behind this line
    can be trusted, so the reply is the last.
    """

    def __init__(self, reply: Reply, *, counts: bool = True, closes: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.counts = counts
        self.closes = closes
