"""What a server remembers besides the state, and which commands fail for it. Pure."""

from __future__ import annotations

from typing import Final

from gatepost.smtp import refusal
from gatepost.smtp.command import Auth, Mail, Rcpt, StartTls
from gatepost.smtp.error import CommandError
from gatepost.smtp.state import State, Verb
from gatepost.smtp.syntax import Readable

# Where octets beyond ASCII may stand: addresses and free text (RFC 6531 §3.3, §3.7.4).
_MAY_BE_UTF8: Final = frozenset((Verb.MAIL, Verb.RCPT, Verb.VRFY, Verb.EXPN, Verb.HELP, Verb.NOOP))
# They follow a refused MAIL by themselves when the client pipelines: no errors of its making.
_FOLLOWS_MAIL: Final = frozenset((Verb.RCPT, Verb.DATA, Verb.BDAT, Verb.LAST))


class Conditions:
    """TLS, the login, and the last MAIL.

    `mail_refused`: a MAIL was read and no DATA or BDAT accepted since.
    """

    __slots__ = ("authenticated", "mail_refused", "smtputf8", "tls")

    def __init__(self, *, tls: bool) -> None:
        self.tls = tls
        self.authenticated = False
        self.smtputf8 = False
        self.mail_refused = False

    def check(self, command: Readable, line: str) -> None:
        """Lets a command pass that is well formed and in order, and remembers it.

        Raises:
            CommandError: it is refused for what was, or was not, said before.
        """
        if isinstance(command, Mail):
            self._check_mail(command, line)
        elif isinstance(command, Rcpt):
            if not (self.smtputf8 or line.isascii()):  # RFC 6531 §3.5
                raise CommandError(refusal.NEEDS_SMTPUTF8)
        elif not (line.isascii() or command.verb in _MAY_BE_UTF8):
            raise CommandError(refusal.NOT_ASCII)
        elif isinstance(command, Auth) and self.authenticated:  # RFC 4954 §4
            raise CommandError(refusal.AUTHENTICATED)
        elif isinstance(command, StartTls) and self.tls:  # RFC 3207 §4.2
            raise CommandError(refusal.TLS_ACTIVE)

    def _check_mail(self, mail: Mail, line: str) -> None:
        self.smtputf8 = mail.smtputf8
        self.mail_refused = True
        if mail.require_tls and not self.tls:  # RFC 8689 §4.1
            raise CommandError(refusal.NEEDS_TLS)
        if not (mail.smtputf8 or line.isascii()):
            raise CommandError(refusal.NEEDS_SMTPUTF8)

    def out_of_order(self, state: State, verb: Verb) -> CommandError:
        """The refusal of a verb that has no row in this state."""
        innocent = self.mail_refused and state is State.READY and verb in _FOLLOWS_MAIL
        return CommandError(refusal.out_of_order(state, verb), counts=not innocent)
