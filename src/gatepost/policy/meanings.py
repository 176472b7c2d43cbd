"""What each reason means and what an administrator may do about it. Pure.

The manual's page of reasons and `gatepost explain` are made of this.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.policy.reasons import Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """One sentence each."""

    means: str
    remedy: str


MEANINGS: dict[Reason, Meaning] = {
    Reason.ALLOWED: Meaning("An allow entry covers the client and no deny entry does.", "Nothing to do."),
    Reason.GUARD_REFUSED: Meaning(
        "The source made too many failed attempts and is shut out for a while.",
        "See `gatepost attacks`; it ends by itself.",
    ),
    Reason.TOO_MANY_CONNECTIONS: Meaning(
        "The virtual server has as many connections as it may have.",
        "Raise `connections` if the machine can carry more.",
    ),
    Reason.TOO_MANY_CONNECTIONS_FROM_PEER: Meaning(
        "One address holds as many connections as one address may.",
        "Raise `connections_per_peer` for a gateway behind which many people sit.",
    ),
    Reason.PAUSED: Meaning("The virtual server was paused.", "`gatepost start NAME` opens it again."),
    Reason.SESSION_ENDED: Meaning(
        "The session was open, and an administrator ended it.",
        "The peer may come again; `gatepost pause NAME` keeps all out, `gatepost ban` a source.",
    ),
    Reason.SESSION_CONTAINED: Meaning(
        "The session was open when the account was contained: by its own habits, or by an administrator.",
        "`gatepost user show NAME` tells why; change the password, then `gatepost release NAME`.",
    ),
    Reason.STOPPING: Meaning("Gatepost is shutting down.", "The peer tries again; start Gatepost."),
    Reason.CONNECT_DENIED: Meaning(
        "No entry gives this address the right `connect`.",
        "Add an entry that allows `connect` to its network.",
    ),
    Reason.PROXY_NOT_BELIEVED: Meaning(
        "It began with a PROXY header and its address is none of `proxies`: forged, or a new balancer.",
        "Add the address to `proxies` of the virtual server if it is your load balancer.",
    ),
    Reason.TLS_REQUIRED: Meaning(
        'The virtual server has `tls = "require"` and the connection is in clear.',
        "Switch on STARTTLS in the client.",
    ),
    Reason.TLS_UNAVAILABLE: Meaning(
        "TLS could not be started although it is offered.",
        "Look at the certificate with `gatepost cert show`.",
    ),
    Reason.TLS_FAILED: Meaning(
        "The handshake failed: no common version or cipher, or the client refuses the certificate.",
        "Read the log for the TLS error; old devices need a virtual server of their own with `tls_min`.",
    ),
    Reason.CERTIFICATE_REFUSED: Meaning(
        "The client's certificate is of another authority, ended, revoked, not for clients, or missing.",
        "The log says which; give the client a certificate of `client_ca_file`, or none at all.",
    ),
    Reason.PLAINTEXT_AFTER_STARTTLS: Meaning(
        "Commands came in clear behind STARTTLS: an injection attack or a broken client.",
        "Have the client wait for the reply to STARTTLS.",
    ),
    Reason.SYNTAX_ERROR: Meaning(
        "A command is malformed.", "Mend the client; `gatepost trace` shows the command."
    ),
    Reason.UNKNOWN_COMMAND: Meaning("No such command exists.", "Mend the client, or it is no mail client."),
    Reason.BAD_SEQUENCE: Meaning("A command came out of its order.", "Mend the client."),
    Reason.UNKNOWN_PARAMETER: Meaning(
        "MAIL or RCPT carried a parameter that was not offered.",
        "Mend the client: EHLO says what is offered.",
    ),
    Reason.NOT_IMPLEMENTED: Meaning("The command is known and not served.", "Do without it."),
    Reason.TOO_MANY_ERRORS: Meaning(
        "The session made `errors_per_session` errors and was closed.", "Mend the client."
    ),
    Reason.IDLE_TIMEOUT: Meaning(
        "The peer said nothing for `idle_seconds`.", "Raise `idle_seconds` for very slow devices."
    ),
    Reason.AUTH_NOT_OFFERED: Meaning(
        "The virtual server has no `auth` mechanism.",
        "Point the client at one that has, usually port 587 or 465.",
    ),
    Reason.AUTH_NEEDS_TLS: Meaning(
        "A login was tried in clear.",
        "Switch on TLS in the client; for a device that cannot, see `auth_in_clear`.",
    ),
    Reason.UNKNOWN_MECHANISM: Meaning(
        "The client chose a mechanism that is not in `auth`.",
        "Add the mechanism, or set another in the client.",
    ),
    Reason.AUTH_MALFORMED: Meaning(
        "The login's answer is not valid base64 or not valid for its mechanism.", "Mend the client."
    ),
    Reason.AUTH_CANCELLED: Meaning("The client broke the login off.", "Nothing to do."),
    Reason.BAD_CREDENTIALS: Meaning(
        "The login failed; the log says why, the peer is not told.",
        "Find the session with `gatepost trace`; `gatepost user passwd NAME` sets a new password.",
    ),
    Reason.UNKNOWN_USER: Meaning(
        "No directory knows the name; in a login by SCRAM: no account with keys for it has the name.",
        "`gatepost user add NAME`, or mend the client's user name; accounts of other directories use PLAIN.",
    ),
    Reason.WRONG_PASSWORD: Meaning(
        "The password is wrong; in a login by SCRAM another directory's own password always is.",
        "`gatepost user passwd NAME`, or mend the client; accounts of other directories use PLAIN.",
    ),
    Reason.EMPTY_PASSWORD: Meaning(
        "The password is empty; it is never shown to a directory.", "Set the password in the client."
    ),
    Reason.ACCOUNT_DISABLED: Meaning(
        "The account is disabled.", "`gatepost user enable NAME`, or in the directory."
    ),
    Reason.ACCOUNT_LOCKED: Meaning("The directory has locked the account.", "Unlock it in the directory."),
    Reason.ACCOUNT_EXPIRED: Meaning("The account has expired.", "Extend it in the directory."),
    Reason.PASSWORD_EXPIRED: Meaning(
        "The password has expired or must be changed first.", "Have the user change it in the directory."
    ),
    Reason.APP_PASSWORD_REVOKED: Meaning(
        "A device uses an app password that was revoked.",
        "Put another into the device: `gatepost user app-password NAME --label L` makes one.",
    ),
    Reason.APP_PASSWORD_EXPIRED: Meaning(
        "A device uses an app password whose time is over.",
        "Put another into the device: `gatepost user app-password NAME --label L` makes one.",
    ),
    Reason.APP_PASSWORD_ELSEWHERE: Meaning(
        "An app password is right, but not good from this address, or not for collecting mail.",
        "If the device moved: `gatepost user app-password NAME --change LABEL --from CIDR`; else revoke it.",
    ),
    Reason.AUTHORIZATION_IDENTITY: Meaning(
        "The client asked to act as somebody else.", "Leave the authorization identity empty in the client."
    ),
    Reason.CHANNEL_BINDING: Meaning(
        "The login is bound to another TLS session: somebody is in between, or the client is broken.",
        "Look for a TLS-inspecting proxy on the way.",
    ),
    Reason.CERTIFICATE_MISSING: Meaning(
        "AUTH EXTERNAL was tried and the client had shown no certificate.",
        "Have the client send its certificate, or log in with a password.",
    ),
    Reason.CERTIFICATE_NOBODY: Meaning(
        "The certificate is good, and no user has its address or name; or several have.",
        "Give a user the address in the certificate, or issue one with the user's.",
    ),
    Reason.TOKEN_REFUSED: Meaning(
        "The token is broken, not signed by a known issuer, or says nothing of its user.",
        "The log says which; see `[oauth.NAME]`, `issuer` and `user_claim`.",
    ),
    Reason.TOKEN_EXPIRED: Meaning(
        "The token has ended, or has not begun.", "The client gets a new one; else set this machine's clock."
    ),
    Reason.TOKEN_NOT_FOR_US: Meaning(
        "The token is good and was made for another service, or lacks a scope.",
        "Set `audience` and `scopes`, or what the client asks its issuer for.",
    ),
    Reason.LOGIN_REFUSED_BY_GUARD: Meaning(
        "The guard refused the login before any password was looked at.", "See `gatepost attacks`."
    ),
    Reason.LOGIN_LATER: Meaning(
        "From a new place as many logins are undecided as may turn out wrong; nothing is counted.",
        "Clients try again. Of an office name the address in `trusted`; see why logins take so long.",
    ),
    Reason.ISSUER_UNAVAILABLE: Meaning(
        "The issuer gave no keys in time, so tokens cannot be checked.",
        "The log has the address and the error; the peer tries again.",
    ),
    Reason.DIRECTORY_UNAVAILABLE: Meaning(
        "No directory answered in time.", "`gatepost directory test` shows the step that fails."
    ),
    Reason.AUTH_REQUIRED: Meaning(
        "Whoever is not logged in has no right `submit` here.", "Set user name and password in the client."
    ),
    Reason.SUBMIT_DENIED: Meaning(
        "No entry gives the client the right `submit`.", "Add an entry that allows `submit` to it."
    ),
    Reason.SENDER_NOT_OWN: Meaning(
        "The sender is not one of the user's addresses.",
        "Add the address to the user, or allow `any-sender` to it.",
    ),
    Reason.DEVICE_SENDER: Meaning(
        "The device's app password is limited to other senders, in MAIL FROM and in the From field.",
        "Set the device's sender address to one of those, or make another app password with `--sender`.",
    ),
    Reason.SENDER_SYNTAX: Meaning("The address in MAIL FROM is malformed.", "Mend the client."),
    Reason.MESSAGE_TOO_LARGE: Meaning(
        "The message is larger than `message_size_bytes`, of all or of this user.", "Raise it, or send less."
    ),
    Reason.SPOOL_FULL: Meaning("The disk of the spool is nearly full.", "Make room below `state`."),
    Reason.RATE_LIMITED: Meaning(
        "The user or the device sent more messages in a minute than it may.",
        "If it was not the user, change the password; else raise the limit.",
    ),
    Reason.BLOCK_LISTED: Meaning(
        "A list in `block_lists` has the address of the stranger that hands in mail.",
        "If it is somebody you know: `trusted`, or have it taken off the list; mail to postmaster is taken.",
    ),
    Reason.RECIPIENT_SYNTAX: Meaning("The address in RCPT TO is malformed.", "Mend the address."),
    Reason.ROUTED_RECIPIENT: Meaning(
        "The address carries a route of its own (`%`, `!`, a quoted `@`).", "Write the plain address."
    ),
    Reason.UNKNOWN_RECIPIENT: Meaning(
        "The domain is local and the mailbox does not exist.",
        "`gatepost user add` or `gatepost alias add`, or mend the address.",
    ),
    Reason.RELAY_DENIED: Meaning(
        "No entry gives the client the right `relay`.",
        "Log in, or join the group that may relay, or add an entry.",
    ),
    Reason.PROTECTED_ACCOUNT: Meaning(
        "An administrator or a name that attackers try relays only by an entry that names it.",
        'Use a plain account; or write `{ allow = ["relay"], to = "user:NAME" }`.',
    ),
    Reason.ACCESS_DENIED: Meaning(
        "A deny entry covers the client; a deny wins over everything.",
        "`gatepost explain` names the entry; narrow it or take it away.",
    ),
    Reason.FACT_UNKNOWN: Meaning(
        "A group or a host name that decides could not be learned.",
        "The peer tries again; look at directory and DNS.",
    ),
    Reason.TOO_MANY_RECIPIENTS: Meaning(
        "The message names more than `recipients_per_message` recipients.",
        "The client sends to the rest in a further message; or raise the limit.",
    ),
    Reason.CONTAINED: Meaning(
        "The account left its habits, or the administrator contained it: it may not relay now.",
        "`gatepost user show NAME` tells why; change the password, then `gatepost release NAME`.",
    ),
    Reason.RECIPIENTS_PER_HOUR: Meaning(
        "The user or the device wrote to more recipients in an hour than it may.",
        "If it was not the user, change the password; else raise the limit.",
    ),
    Reason.DOMAINS_PER_DAY: Meaning(
        "The user or the device has sent to as many different domains as it may in a day.",
        "Raise `domains_per_day` if that is its business; else look whether the account is stolen.",
    ),
    Reason.RECIPIENTS_PER_DAY: Meaning(
        "The user or the device wrote to more recipients in a day than it may.",
        "If it was not the user, change the password; else raise the limit.",
    ),
    Reason.MAILBOX_FULL: Meaning(
        "The mailbox has no room now; the peer tries again.", "Raise the quota, or have the user collect."
    ),
    Reason.OVER_QUOTA: Meaning(
        "The mailbox has no room and mail is refused for good.", "Raise the quota, or have the user collect."
    ),
    Reason.HARVESTING: Meaning(
        "The source named too many recipients that do not exist.", "It ends by itself; see `[guard]`."
    ),
    Reason.NEXT_SERVER_REFUSES: Meaning(
        "The domain is kept on another server, which refuses the recipient for a reason of its own.",
        "Look into its log: it was asked with an empty sender.",
    ),
    Reason.NEXT_SERVER_SILENT: Meaning(
        "The domain is kept on another server, which could not say in time whether it knows the recipient.",
        "Start it; `when_silent` of the domain says what happens meanwhile.",
    ),
    Reason.BARE_LINE_ENDING: Meaning(
        "The content has a CR or LF on its own, by which mail is smuggled.", "Mend the sending program."
    ),
    Reason.NUL_IN_CONTENT: Meaning("The content has a NUL.", "Mend the sending program."),
    Reason.LINE_TOO_LONG: Meaning(
        "A line of the content is longer than RFC 5322 lets it be.", "Mend the sending program: it must fold."
    ),
    Reason.MAIL_LOOP: Meaning(
        "The message has passed `received_headers` servers.", "Look for two servers that send to each other."
    ),
    Reason.FROM_NOT_OWN: Meaning(
        "The From field is not one of the user's addresses.",
        "Add the address to the user, or allow `any-sender` to it.",
    ),
    Reason.SCAN_REJECTED: Meaning("The content check says to reject.", "Look into its own log."),
    Reason.SCAN_DEFERRED: Meaning(
        "The content check says to greylist.", "Nothing to do: the peer tries again."
    ),
    Reason.SCAN_UNAVAILABLE: Meaning(
        "The content check gave no answer in time.",
        "Start it; `scan.when_silent` says what happens meanwhile.",
    ),
    Reason.SPOOL_FAILED: Meaning(
        "The message could not be written to disk; it was not taken.", "Look at the log for the disk error."
    ),
    Reason.INTERNAL_FAULT: Meaning("A fault of Gatepost.", "Report it with the log's lines of the session."),
    Reason.COLLECT_DENIED: Meaning(
        "No entry gives the user the right `collect`.", "Add an entry that allows `collect` to the user."
    ),
    Reason.MAILBOX_IN_USE: Meaning(
        "Another POP3 session has the mailbox open.", "Wait for it, or `gatepost sessions close ID`."
    ),
    Reason.MAILBOX_UNAVAILABLE: Meaning(
        "The mailbox could not be opened.", "Look at the log for the disk error."
    ),
    Reason.LOGIN_DELAY: Meaning(
        "The user collects more often than `login_delay_seconds` lets.",
        "Set a longer interval in the client.",
    ),
    Reason.NO_SUCH_MESSAGE: Meaning("The number names no message, or a deleted one.", "Mend the client."),
}
