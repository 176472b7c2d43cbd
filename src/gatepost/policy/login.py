"""MAY A LOGIN BE TRIED HERE, over this channel? Pure. RFC 4954 §4, RFC 2595 §2.3.

Whether the credentials are good is the directory's to say; what the identity may do then is the
access table's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.value import value

TOKENS: Final = frozenset({"OAUTHBEARER", "XOAUTH2"})
"""Mechanisms that carry a token of an issuer."""


@value
class Channel:
    """How the peer is connected.

    `binding`: the TLS session can give channel binding data. `certificate`: it verified the client's.
    """

    tls: bool
    binding: bool = False
    certificate: bool = False


@value
class LoginRules:
    """What a virtual server says about logins. `mechanisms` are upper case, in the order offered."""

    mechanisms: tuple[str, ...]
    auth_in_clear: bool = False


@lru_cache(maxsize=256)  # asked twice for each connection, of a few virtual servers
def offered(rules: LoginRules, channel: Channel) -> tuple[str, ...]:
    """The mechanisms to announce now; none where a login would be refused anyhow."""
    if not channel.tls and not rules.auth_in_clear:
        return ()
    return tuple(name for name in rules.mechanisms if _possible(name, channel))


def _possible(mechanism: str, channel: Channel) -> bool:
    """Whether the channel has what the mechanism rests on (RFC 4422 appendix A for EXTERNAL)."""
    if mechanism == "EXTERNAL":
        return channel.certificate
    if mechanism in TOKENS:
        return channel.tls  # RFC 7628 §4: whoever reads a token has it
    return channel.binding or not mechanism.endswith("-PLUS")


def login_refused(mechanism: str, rules: LoginRules, channel: Channel) -> Reason | None:
    """Why a login by this mechanism is not even tried; None when it may be. `mechanism` in any case."""
    if not rules.mechanisms:
        return Reason.AUTH_NOT_OFFERED
    # A mechanism that does not exist is told as such only where a login could be tried at all:
    # a password must not be tempted out in clear by naming another mechanism.
    if not channel.tls and not rules.auth_in_clear:
        return Reason.AUTH_NEEDS_TLS
    if mechanism.upper() == "EXTERNAL" and "EXTERNAL" in rules.mechanisms and not channel.certificate:
        return Reason.CERTIFICATE_MISSING
    return None if mechanism.upper() in offered(rules, channel) else Reason.UNKNOWN_MECHANISM


def password_refused(password: Secret) -> Reason | None:
    """Why a password must not reach any directory; None when it may.

    RFC 4513 §5.1.2: a bind with a name and an empty password succeeds as anonymous.
    """
    return None if password else Reason.EMPTY_PASSWORD
