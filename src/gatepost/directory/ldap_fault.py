"""What can go wrong between here and a directory server, and what it means in words to act on.

The result codes are RFC 4511 §4.1.9's; the `data` codes in Active Directory's refusals of a bind are
Windows logon errors in hexadecimal.
"""

from __future__ import annotations

import re
import ssl
from enum import Enum
from typing import Final

from gatepost.directory.directory import Unavailable
from gatepost.policy.reasons import Reason

INVALID_CREDENTIALS: Final = 49


class Stage(Enum):
    """How far it went with a server; each stands on the one before."""

    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"
    BIND = "bind"
    SEARCH = "search"


class LdapUnavailable(Unavailable):
    """A server did not say what it was asked. The text says why, for log and operator."""

    def __init__(self, stage: Stage, problem: str) -> None:
        super().__init__(problem)
        self.stage = stage


class LdapSilent(LdapUnavailable):
    """The server holds the connection and does not answer in time."""


class LdapResting(LdapUnavailable):
    """No server was asked: each failed a moment ago."""


class LdapBusy(LdapUnavailable):
    """So many questions are open that another would wait too long; the server may be well."""


_CODE: Final = re.compile(r"\bdata ([0-9a-fA-F]{1,8})\b")
_REFUSALS: Final = {
    0x525: Reason.UNKNOWN_USER,
    0x52E: Reason.WRONG_PASSWORD,
    0x530: Reason.ACCOUNT_DISABLED,  # may not log in at this hour
    0x531: Reason.ACCOUNT_DISABLED,  # may not log in from this workstation
    0x532: Reason.PASSWORD_EXPIRED,
    0x533: Reason.ACCOUNT_DISABLED,
    0x701: Reason.ACCOUNT_EXPIRED,
    0x773: Reason.PASSWORD_EXPIRED,  # must be changed at the next logon
    0x775: Reason.ACCOUNT_LOCKED,
}
_MEANINGS: Final = {
    0x525: "there is no such account",
    0x52E: "the name or the password is wrong",
    0x530: "the account may not log in at this hour",
    0x531: "the account may not log in from here",
    0x532: "its password has expired",
    0x533: "the account is disabled",
    0x701: "the account has expired",
    0x773: "its password has to be changed first",
    0x775: "the account is locked after wrong passwords",
}


def bind_refusal(diagnostics: str) -> Reason:
    """Why a bind was refused as wrong credentials; without a code it is the password."""
    return _REFUSALS.get(_data_code(diagnostics), Reason.WRONG_PASSWORD)


def bind_problem(code: int, diagnostics: str) -> str:
    """A refused bind in words."""
    if code == INVALID_CREDENTIALS:
        return _MEANINGS.get(_data_code(diagnostics), "the name or the password is wrong")
    return result_problem(code, diagnostics)


def _data_code(diagnostics: str) -> int:
    found = _CODE.search(diagnostics)
    return int(found[1], 16) if found else 0


_RESULTS: Final = {
    1: "it wants a login first (set bind_user and bind_password_file)",
    3: "the time limit of the server was reached",
    4: "the size limit of the server was reached",
    8: "it takes no password without TLS",
    10: "the answer lies on another server, and referrals are not followed (set base to what this one holds)",
    11: "an administrative limit of the server was reached",
    13: "it takes no password without TLS",
    32: "there is nothing of that name (check base)",
    34: "base is no distinguished name",
    48: "it takes no login without a password",
    50: "bind_user may not read there",
    51: "the server is busy",
    52: "the server is not available",
    53: "the server is unwilling",
}


def result_problem(code: int, diagnostics: str) -> str:
    """A result that is no success in words."""
    said = " ".join(diagnostics.split())[:200]
    meaning = _RESULTS.get(code, "it refused")
    return f"{meaning} (result {code}{': ' + said if said else ''})"


def tls_problem(error: Exception, host: str) -> str:
    """A failed handshake in words; for a certificate that does not serve, with what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(error.verify_code, error.verify_message).format(host=host)
    if isinstance(error, ssl.SSLError):
        return f"the handshake failed: {error.reason or error}"
    return f"the handshake failed: {error or type(error).__name__}"


_UNKNOWN_AUTHORITY: Final = (
    "its certificate comes from an authority not known here; name the authority's certificate with ca_file"
)
# OpenSSL's x509_vfy.h
_CERTIFICATES: Final = {
    10: "its certificate has ended; renew it on the server",
    9: "its certificate is not valid yet; check the clocks",
    18: "its certificate is signed by itself; name that certificate with ca_file",
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    26: "its certificate is not for a server",
    62: "its certificate does not name {host}; write a name that it holds into url",
    64: "its certificate does not name {host}; write a name that it holds into url",
}
