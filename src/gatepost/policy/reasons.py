"""Every reason Gatepost gives, and what is said with it: one closed list. Pure.

A reason's value is the word that stands in replies, log, metrics, console and manual. What each
means and what to do about it is in `meanings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Why something was answered as it was."""

    ALLOWED = "allowed"
    # a connection opens
    GUARD_REFUSED = "guard-refused"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    TOO_MANY_CONNECTIONS_FROM_PEER = "too-many-connections-from-peer"
    PAUSED = "paused"
    STOPPING = "stopping"
    SESSION_ENDED = "session-ended"
    SESSION_CONTAINED = "session-contained"
    CONNECT_DENIED = "connect-denied"
    PROXY_NOT_BELIEVED = "proxy-not-believed"
    # the conversation itself
    TLS_REQUIRED = "tls-required"
    TLS_UNAVAILABLE = "tls-unavailable"
    TLS_FAILED = "tls-failed"
    CERTIFICATE_REFUSED = "certificate-refused"
    PLAINTEXT_AFTER_STARTTLS = "plaintext-after-starttls"
    SYNTAX_ERROR = "syntax-error"
    UNKNOWN_COMMAND = "unknown-command"
    BAD_SEQUENCE = "bad-sequence"
    UNKNOWN_PARAMETER = "unknown-parameter"
    NOT_IMPLEMENTED = "not-implemented"
    TOO_MANY_ERRORS = "too-many-errors"
    IDLE_TIMEOUT = "idle-timeout"
    # login
    AUTH_NOT_OFFERED = "auth-not-offered"
    AUTH_NEEDS_TLS = "auth-needs-tls"
    UNKNOWN_MECHANISM = "unknown-mechanism"
    AUTH_MALFORMED = "auth-malformed"
    AUTH_CANCELLED = "auth-cancelled"
    BAD_CREDENTIALS = "bad-credentials"
    UNKNOWN_USER = "unknown-user"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a reason, not a password
    EMPTY_PASSWORD = "empty-password"  # noqa: S105
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_LOCKED = "account-locked"
    ACCOUNT_EXPIRED = "account-expired"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105
    APP_PASSWORD_REVOKED = "app-password-revoked"  # noqa: S105
    APP_PASSWORD_EXPIRED = "app-password-expired"  # noqa: S105
    APP_PASSWORD_ELSEWHERE = "app-password-elsewhere"  # noqa: S105
    AUTHORIZATION_IDENTITY = "authorization-identity"
    CHANNEL_BINDING = "channel-binding"
    CERTIFICATE_MISSING = "certificate-missing"
    CERTIFICATE_NOBODY = "certificate-nobody"
    TOKEN_REFUSED = "token-refused"  # noqa: S105
    TOKEN_EXPIRED = "token-expired"  # noqa: S105
    TOKEN_NOT_FOR_US = "token-not-for-us"  # noqa: S105
    LOGIN_REFUSED_BY_GUARD = "login-refused-by-guard"
    LOGIN_LATER = "login-later"
    ISSUER_UNAVAILABLE = "issuer-unavailable"
    DIRECTORY_UNAVAILABLE = "directory-unavailable"
    # MAIL FROM
    AUTH_REQUIRED = "auth-required"
    SUBMIT_DENIED = "submit-denied"
    SENDER_NOT_OWN = "sender-not-own"
    DEVICE_SENDER = "device-sender"
    SENDER_SYNTAX = "sender-syntax"
    MESSAGE_TOO_LARGE = "message-too-large"
    SPOOL_FULL = "spool-full"
    RATE_LIMITED = "rate-limited"
    # RCPT TO
    BLOCK_LISTED = "block-listed"
    RECIPIENT_SYNTAX = "recipient-syntax"
    ROUTED_RECIPIENT = "routed-recipient"
    UNKNOWN_RECIPIENT = "unknown-recipient"
    RELAY_DENIED = "relay-denied"
    PROTECTED_ACCOUNT = "protected-account"
    ACCESS_DENIED = "access-denied"
    FACT_UNKNOWN = "fact-unknown"
    CONTAINED = "contained"
    TOO_MANY_RECIPIENTS = "too-many-recipients"
    RECIPIENTS_PER_HOUR = "recipients-per-hour"
    RECIPIENTS_PER_DAY = "recipients-per-day"
    DOMAINS_PER_DAY = "domains-per-day"
    MAILBOX_FULL = "mailbox-full"
    OVER_QUOTA = "over-quota"
    HARVESTING = "harvesting"
    NEXT_SERVER_REFUSES = "next-server-refuses"
    NEXT_SERVER_SILENT = "next-server-silent"
    # content
    BARE_LINE_ENDING = "bare-line-ending"
    NUL_IN_CONTENT = "nul-in-content"
    LINE_TOO_LONG = "line-too-long"
    MAIL_LOOP = "mail-loop"
    FROM_NOT_OWN = "from-not-own"
    SCAN_REJECTED = "scan-rejected"
    SCAN_DEFERRED = "scan-deferred"
    SCAN_UNAVAILABLE = "scan-unavailable"
    SPOOL_FAILED = "spool-failed"
    INTERNAL_FAULT = "internal-fault"
    # POP3
    COLLECT_DENIED = "collect-denied"
    MAILBOX_IN_USE = "mailbox-in-use"
    MAILBOX_UNAVAILABLE = "mailbox-unavailable"
    LOGIN_DELAY = "login-delay"
    NO_SUCH_MESSAGE = "no-such-message"

    @property
    def shown(self) -> Reason:
        """What the peer is told: every failed login looks the same from outside."""
        return Reason.BAD_CREDENTIALS if self in _KEPT_FROM_PEER else self


_KEPT_FROM_PEER = frozenset(
    {
        Reason.UNKNOWN_USER,
        Reason.WRONG_PASSWORD,
        Reason.EMPTY_PASSWORD,
        Reason.ACCOUNT_DISABLED,
        Reason.ACCOUNT_LOCKED,
        Reason.ACCOUNT_EXPIRED,
        Reason.PASSWORD_EXPIRED,
        Reason.APP_PASSWORD_REVOKED,
        Reason.APP_PASSWORD_EXPIRED,
        Reason.APP_PASSWORD_ELSEWHERE,
        Reason.AUTHORIZATION_IDENTITY,
        Reason.CHANNEL_BINDING,
        Reason.CERTIFICATE_NOBODY,
        Reason.TOKEN_REFUSED,
        Reason.TOKEN_EXPIRED,
        Reason.TOKEN_NOT_FOR_US,
        Reason.LOGIN_REFUSED_BY_GUARD,
    }
)


@dataclass(frozen=True, slots=True)
class Said:
    """A reply: SMTP code, RFC 3463 status, and words that may hold `{address}`, `{seconds}` or `{limit}`.

    `pop3` is the response code of RFC 2449 §8 and RFC 3206 that POP3 puts in front, without brackets.
    """

    code: int
    enhanced: str
    text: str
    pop3: str | None = None

    @property
    def is_temporary(self) -> bool:
        return self.code < 500

    def words(self, *, address: object = "", seconds: float = 0, limit: int = 0) -> str:
        """The text with its places filled in; an address is one line whatever it holds."""
        if "{" not in self.text:
            return self.text
        return self.text.format(address=address, seconds=f"{seconds:.0f}", limit=limit)


REPLIES: dict[Reason, Said] = {
    Reason.ALLOWED: Said(250, "2.0.0", "OK"),
    Reason.GUARD_REFUSED: Said(
        421, "4.7.0", "Too many failed attempts from your address, try later", "SYS/TEMP"
    ),
    Reason.TOO_MANY_CONNECTIONS: Said(421, "4.3.2", "Too many connections, try later", "SYS/TEMP"),
    Reason.TOO_MANY_CONNECTIONS_FROM_PEER: Said(
        421, "4.7.0", "Too many connections from your address, try later", "SYS/TEMP"
    ),
    Reason.PAUSED: Said(421, "4.3.2", "Service is paused, try later", "SYS/TEMP"),
    Reason.STOPPING: Said(421, "4.3.2", "Service is shutting down, try later", "SYS/TEMP"),
    Reason.SESSION_ENDED: Said(421, "4.3.2", "An administrator ended this session", "SYS/TEMP"),
    Reason.SESSION_CONTAINED: Said(
        421, "4.7.0", "This account is contained, ask your administrator", "SYS/TEMP"
    ),
    Reason.CONNECT_DENIED: Said(554, "5.7.1", "Connections from your address are not accepted", "SYS/PERM"),
    Reason.PROXY_NOT_BELIEVED: Said(
        554, "5.7.1", "The PROXY protocol is not spoken with your address here", "SYS/PERM"
    ),
    Reason.TLS_REQUIRED: Said(530, "5.7.0", "Must issue a STARTTLS command first"),
    Reason.TLS_UNAVAILABLE: Said(454, "4.7.0", "TLS not available due to temporary reason"),
    Reason.TLS_FAILED: Said(421, "4.7.0", "TLS handshake failed"),
    Reason.CERTIFICATE_REFUSED: Said(421, "4.7.0", "Client certificate refused"),
    Reason.PLAINTEXT_AFTER_STARTTLS: Said(421, "4.7.0", "Data before the TLS handshake"),
    Reason.SYNTAX_ERROR: Said(501, "5.5.4", "Syntax error in parameters"),
    Reason.UNKNOWN_COMMAND: Said(500, "5.5.1", "Command not recognized"),
    Reason.BAD_SEQUENCE: Said(503, "5.5.1", "Bad sequence of commands"),
    Reason.UNKNOWN_PARAMETER: Said(555, "5.5.4", "Parameter not recognized"),
    Reason.NOT_IMPLEMENTED: Said(502, "5.5.1", "Command not implemented"),
    Reason.TOO_MANY_ERRORS: Said(421, "4.7.0", "Too many errors"),
    Reason.IDLE_TIMEOUT: Said(421, "4.4.2", "Idle for too long", "SYS/TEMP"),
    Reason.AUTH_NOT_OFFERED: Said(502, "5.5.1", "AUTH is not offered here", "SYS/PERM"),
    Reason.AUTH_NEEDS_TLS: Said(538, "5.7.11", "Encryption required for requested authentication mechanism"),
    Reason.UNKNOWN_MECHANISM: Said(504, "5.5.4", "Authentication mechanism not offered"),
    Reason.CERTIFICATE_MISSING: Said(535, "5.7.8", "No client certificate came with TLS", "AUTH"),
    Reason.AUTH_MALFORMED: Said(501, "5.5.2", "Cannot decode the response"),
    Reason.AUTH_CANCELLED: Said(501, "5.7.0", "Authentication cancelled"),
    Reason.BAD_CREDENTIALS: Said(535, "5.7.8", "Authentication credentials invalid", "AUTH"),
    Reason.LOGIN_LATER: Said(
        454, "4.7.0", "Too many logins under way from your address, try again", "SYS/TEMP"
    ),
    Reason.ISSUER_UNAVAILABLE: Said(454, "4.7.0", "Temporary authentication failure", "SYS/TEMP"),
    Reason.DIRECTORY_UNAVAILABLE: Said(454, "4.7.0", "Temporary authentication failure", "SYS/TEMP"),
    Reason.AUTH_REQUIRED: Said(530, "5.7.0", "Authentication required"),
    Reason.SUBMIT_DENIED: Said(550, "5.7.1", "You may not hand in mail here"),
    Reason.SENDER_NOT_OWN: Said(550, "5.7.1", "{address} is not your address"),
    Reason.DEVICE_SENDER: Said(550, "5.7.1", "This device may not send as {address}"),
    Reason.SENDER_SYNTAX: Said(553, "5.1.7", "Sender address is not valid"),
    Reason.MESSAGE_TOO_LARGE: Said(552, "5.3.4", "Message is larger than {limit} bytes"),
    Reason.SPOOL_FULL: Said(452, "4.3.1", "Not enough room to take mail now, try later"),
    Reason.RATE_LIMITED: Said(450, "4.7.1", "Too many messages, try again in {seconds} seconds"),
    Reason.BLOCK_LISTED: Said(550, "5.7.1", "Your address stands in a block list; {address}"),
    Reason.RECIPIENT_SYNTAX: Said(553, "5.1.3", "Recipient address is not valid"),
    Reason.ROUTED_RECIPIENT: Said(553, "5.1.3", "Routed addresses are not accepted"),
    Reason.UNKNOWN_RECIPIENT: Said(550, "5.1.1", "No such mailbox here: {address}"),
    Reason.RELAY_DENIED: Said(550, "5.7.1", "Unable to relay for {address}"),
    Reason.PROTECTED_ACCOUNT: Said(550, "5.7.1", "Unable to relay for {address}"),
    Reason.ACCESS_DENIED: Said(550, "5.7.1", "Not permitted"),
    Reason.FACT_UNKNOWN: Said(
        451, "4.4.3", "Cannot tell now whether this is permitted, try later", "SYS/TEMP"
    ),
    Reason.CONTAINED: Said(550, "5.7.1", "Unable to relay for {address}"),
    Reason.RECIPIENTS_PER_HOUR: Said(
        450, "4.7.1", "Too many recipients this hour, try again in {seconds} seconds"
    ),
    Reason.TOO_MANY_RECIPIENTS: Said(452, "4.5.3", "Too many recipients, {limit} a message at most"),
    Reason.RECIPIENTS_PER_DAY: Said(
        452, "4.5.3", "Too many recipients today, try again in {seconds} seconds"
    ),
    Reason.DOMAINS_PER_DAY: Said(
        450, "4.7.1", "Too many different domains today, try again in {seconds} seconds"
    ),
    Reason.MAILBOX_FULL: Said(452, "4.2.2", "Mailbox of {address} is full, try later"),
    Reason.OVER_QUOTA: Said(552, "5.2.2", "Mailbox of {address} is full"),
    Reason.HARVESTING: Said(421, "4.7.0", "Too many unknown recipients, try later"),
    Reason.NEXT_SERVER_REFUSES: Said(550, "5.7.1", "The server of {address} does not take this mail"),
    Reason.NEXT_SERVER_SILENT: Said(451, "4.4.1", "The server of {address} does not answer, try later"),
    Reason.BARE_LINE_ENDING: Said(554, "5.6.0", "A bare CR or LF is not accepted in mail"),
    Reason.NUL_IN_CONTENT: Said(554, "5.6.0", "A NUL is not accepted in mail"),
    Reason.LINE_TOO_LONG: Said(554, "5.6.0", "A line is longer than 998 octets"),
    Reason.MAIL_LOOP: Said(554, "5.4.6", "Too many hops, this mail goes in circles"),
    Reason.FROM_NOT_OWN: Said(550, "5.7.1", "From names {address}, which is not your address"),
    Reason.SCAN_REJECTED: Said(554, "5.7.1", "Message refused by the content check"),
    Reason.SCAN_DEFERRED: Said(451, "4.7.1", "Message put off by the content check, try later"),
    Reason.SCAN_UNAVAILABLE: Said(451, "4.7.1", "The content check does not answer, try later"),
    Reason.SPOOL_FAILED: Said(451, "4.3.0", "Could not keep the message, try later"),
    Reason.INTERNAL_FAULT: Said(451, "4.3.0", "Fault on our side, try later", "SYS/TEMP"),
    Reason.COLLECT_DENIED: Said(550, "5.7.1", "You may not collect mail here", "AUTH"),
    Reason.MAILBOX_IN_USE: Said(450, "4.2.0", "Mailbox is in use by another session", "IN-USE"),
    Reason.MAILBOX_UNAVAILABLE: Said(451, "4.2.0", "Mailbox cannot be opened now", "SYS/TEMP"),
    Reason.LOGIN_DELAY: Said(
        450, "4.7.1", "Too soon after the last login, wait {seconds} seconds", "LOGIN-DELAY"
    ),
    Reason.NO_SUCH_MESSAGE: Said(550, "5.5.4", "No such message"),
}
"""What is said for every reason that a peer may be told; the others are said as their `shown` reason."""
