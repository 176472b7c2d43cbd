"""What is said to SMTP clients in the same words every time, and what they may say before TLS."""

from __future__ import annotations

from typing import Final

from gatepost.smtp import command
from gatepost.smtp import event as heard
from gatepost.smtp.reply import Reply

OK: Final = Reply(250, "2.0.0", ("OK",))
READY_FOR_TLS: Final = Reply(220, "2.0.0", ("Ready to start TLS",))
WELCOME: Final = Reply(235, "2.7.0", ("Authentication succeeded",))
BYE: Final = Reply(221, "2.0.0", ("Goodbye",))
CANNOT_VERIFY: Final = Reply(252, "2.1.5", ("Send some mail, I'll try my best",))
# RFC 3207 §4: what a client may say where TLS is required, before it is on
BEFORE_TLS: Final = frozenset(
    {
        command.Helo, command.StartTls, command.Noop, command.Quit, heard.BadCommand, heard.TooManyErrors,
        heard.Closed,
    }
)  # fmt: skip
