"""The Access tab and its dialogs, in the words of the dialogs of old."""

from __future__ import annotations

from typing import Final

OK: Final = "OK"
CANCEL: Final = "Cancel"
CLOSE: Final = "Close"
ADD: Final = "Add"
ADD_DOTS: Final = "Add..."
REMOVE: Final = "Remove"
REMOVE_ONE: Final = "Remove {name}"

ACCESS_CONTROL: Final = "Access control"
ACCESS_CONTROL_HELP: Final = "How people and programs prove who they are, and whether they must."
SECURE: Final = "Secure communication"
SECURE_HELP: Final = "The certificate that is shown, and whether the channel must be encrypted."
CONNECTION_CONTROL: Final = "Connection control"
CONNECTION_HELP: Final = "Which computers may connect at all."
RELAY_CONTROL: Final = "Relay restrictions"
RELAY_HELP: Final = "Who may send through this virtual server to other domains."
COLLECT_CONTROL: Final = "Mailbox access"
COLLECT_HELP: Final = "Who may collect mail here."
AUTHENTICATION: Final = "Authentication..."
CERTIFICATE: Final = "Certificate..."
COMMUNICATION: Final = "Communication..."
CONNECTION: Final = "Connection..."
RELAY: Final = "Relay..."
USERS: Final = "Users..."

TABLE: Final = "The access table"
TABLE_HELP: Final = (
    "A deny wins over every allow; what no entry allows is refused. The order does not matter."
)
TABLE_EMPTY: Final = "No entry: nobody may do anything here. Add one, or open a dialog above."
TABLE_BROKEN: Final = (
    "The access list in the file cannot be read; see what is wrong above, and mend the file by hand."
)
ADD_ENTRY: Final = "Add an entry..."
REMOVE_ENTRY: Final = "Remove this entry: {sentence}"

# the side of every dialog
MEANS: Final = "What the table then says"
NEW_MARK: Final = "new"
GONE_MARK: Final = "goes"
LEFT_ALONE: Final = "Not shown by this dialog, and left as it is"
WHO: Final = "Who could relay now"
WORKING: Final = "Working it out..."
NOBODY: Final = "Nobody."
NOT_VALID: Final = "That cannot be said before the draft is valid."
EVERYBODY: Final = (
    "Whoever can log in ({count} accounts here), from where the entries say; not protected accounts."
)
GROUP_ELSEWHERE: Final = "Members of {name}, as a directory says (no group here has that name)."
FROM: Final = "{who}, from {places}{tls}"
ANYWHERE: Final = "anywhere"
OVER_TLS: Final = ", over TLS only"
WITHOUT_LOGIN: Final = "Whoever is not logged in"
MEANT_BUT_NOT: Final = "Meant by an entry, and may not all the same"
WHY_NOT: Final = "{who}: {why}"
MORE: Final = "and {count} more"
MANY_MORE: Final = "and more accounts than are shown here"

# Connection and Relay
CONNECTION_TITLE: Final = "Connection"
CONNECTION_QUESTION: Final = "Which computers may connect to this virtual server:"
RELAY_TITLE: Final = "Relay Restrictions"
RELAY_QUESTION: Final = "Which computers may relay through this virtual server:"
ONLY: Final = "Only the list below"
EXCEPT: Final = "All except the list below"
LIST_EMPTY: Final = "The list is empty."
COMPUTERS: Final = "Computers"
COMPUTER: Final = "Address, network or host name"
COMPUTER_HINT: Final = "10.0.5.7, 10.0.5.0/24, 2001:db8::/32 or scanner.example.org"
AUTHENTICATED_BOX: Final = (
    "Allow all computers which successfully authenticate to relay, regardless of the list above"
)
USERS_HELP: Final = "Single users and groups are given Submit and Relay by Users..."

# Users
USERS_TITLE: Final = "Permissions for Submit and Relay"
COLLECT_TITLE: Final = "Permissions for Collecting"
GROUP_OR_USER: Final = "Group or user"
ALLOW: Final = "Allow"
DENY: Final = "Deny"
RIGHTS: Final = {"submit": "Submit", "relay": "Relay", "collect": "Collect"}
CELL: Final = "{effect} {right} to {name}"
AUTHENTICATED_USERS: Final = "Whoever is logged in"
GROUP: Final = "Group: {name}"
USER: Final = "User: {name}"
NO_USERS: Final = "No user and no group has a permission of its own. Add one."
ADD_TITLE: Final = "Add users or groups"
SEARCH: Final = "Search for a name"
SEARCH_HINT: Final = "Type a part of the name of a group or user."
NOTHING_FOUND: Final = "No group and no account here is called so."
TAKE_GROUP: Final = "Add the group {name} of a directory"
TAKE_USER: Final = "Add the user {name} of a directory"
MEMBERS: Final = "{count} users"
EVERY_LOGIN: Final = "Whoever is logged in (every account)"

# Authentication
AUTHENTICATION_TITLE: Final = "Authentication"
ANONYMOUS: Final = "Anonymous access"
ANONYMOUS_HELP: Final = (
    "Mail can be handed in without logging in. A server for mail from the Internet needs this; "
    "it never lets anybody relay."
)
METHODS: Final = "Methods offered"
MECHANISMS: Final = {
    "SCRAM-SHA-256-PLUS": "SCRAM-SHA-256-PLUS: the password is never sent, and bound to the TLS channel",
    "SCRAM-SHA-256": "SCRAM-SHA-256: the password is never sent",
    "PLAIN": "PLAIN: basic, needs TLS",
    "LOGIN": "LOGIN: basic, for old programs, needs TLS",
    "EXTERNAL": "EXTERNAL: client certificates",
    "GSSAPI": "GSSAPI: Kerberos tickets of a Windows domain",
    "OAUTHBEARER": "OAUTHBEARER: tokens of an identity provider",
    "XOAUTH2": "XOAUTH2: the older form of the same",
}
POP3_COMMANDS: Final = "USER and PASS, as every POP3 program knows them"
IN_CLEAR: Final = "Take passwords over channels that are not encrypted"
IN_CLEAR_HELP: Final = (
    "Whoever listens on that network reads them. Only where connecting is for named networks."
)

# Communication and Certificate
COMMUNICATION_TITLE: Final = "Security"
CHANNEL: Final = "Encrypted channel (TLS)"
TLS_MODES: Final = {
    "off": "Off",
    "offer": "Offered: clients may use it",
    "require": "Required: nothing that matters before STARTTLS",
    "implicit": "From the first byte (as on ports 465 and 995)",
}
OLDEST: Final = "Oldest version taken"
OLDEST_HELP: Final = "Versions below 1.2 are broken; they need connecting to be for named networks alone."
CERTIFICATE_TITLE: Final = "Certificate"
CERTIFICATES_SHOWN: Final = "Certificates of this virtual server"
CERTIFICATES_HELP: Final = (
    "A client that asks for a name gets the certificate for that name, others the first."
)
NO_CERTIFICATE: Final = (
    "There is no certificate yet. Import one under Certificates, or `gatepost cert import FILE`."
)
CERTIFICATE_LINE: Final = "for {names}, until {until} ({days} days left)"
CLIENT_CA: Final = "Client certificates are signed by (file)"
CLIENT_CRL: Final = "File of revoked client certificates"
CLIENT_CRL_HINT: Final = "PEM lists of what these authorities revoked"
CLIENT_CA_HINT: Final = "Empty: client certificates are not asked for."

# one entry
ENTRY_TITLE: Final = "Add an entry"
EFFECT: Final = "What it does"
RIGHTS_LEGEND: Final = "Rights"
RIGHT_WORDS: Final = {
    "connect": "Connect",
    "submit": "Submit: hand in mail",
    "relay": "Relay: name recipients in other domains",
    "any-sender": "Any sender: not only the own addresses",
    "collect": "Collect mail",
}
TO: Final = "To whom"
KINDS: Final = {
    "anyone": "Anyone",
    "anonymous": "Whoever is not logged in",
    "authenticated": "Whoever is logged in",
    "group": "Group",
    "user": "User",
    "net": "Network",
    "host": "Host name",
    "certificate": "Client certificate",
}
NAME: Final = "Name"
ONLY_FROM: Final = "Only from these networks (empty: from anywhere)"
ONLY_TLS: Final = "Only over TLS"
