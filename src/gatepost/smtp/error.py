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
    """A command line that cannot be obeyed; `reply` says so to the peer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply
