"""What may be wrong with a change to the accounts: one line each, with what to do about it."""

from __future__ import annotations


class AccountError(Exception):
    """The change was not made. `problem` and `remedy` are one line together.

    `risk`: what whoever has it done even so must expect; empty: it is not done at all.
    """

    def __init__(self, problem: str, remedy: str, *, risk: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" + (f", or say --even-so: {risk}" if risk else ""))
        self.problem = problem
        self.remedy = remedy
        self.risk = risk


class BadName(AccountError):
    """The name cannot be a name of this kind."""


class NotFound(AccountError):
    """No user, group or alias of this name is there."""


class NameTaken(AccountError):
    """Another user, group or alias has this name or address."""


class Ambiguous(AccountError):
    """The name means more than one."""


class ProtectedMember(AccountError):
    """Joining would give relay to an administrator or to a name that attackers try."""


class BadMember(AccountError):
    """What was to join or leave cannot: a group in itself, or no member."""


class OutsideTarget(AccountError):
    """An alias that does not say so would send mail outside."""


class PasswordRefused(AccountError):
    """The password would be no protection."""


class LastAdministrator(AccountError):
    """Nobody would be left who may do everything."""
