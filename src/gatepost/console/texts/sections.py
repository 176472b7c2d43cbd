"""Sections of the file as panels: what can be done with each, and the pages they stand on."""

from __future__ import annotations

from typing import Final

YES: Final = "yes"
NO: Final = "no"
NOTHING: Final = "nothing"
AS_EVERYBODY: Final = "Everything is as it is unless set."
TRY: Final = "Try it"
EDIT: Final = "Edit..."
SET_UP: Final = "Set up..."
REMOVE: Final = "Remove"
UP: Final = "Earlier"
DOWN: Final = "Later"
MOVE_UP: Final = "Ask {name} earlier"
MOVE_DOWN: Final = "Ask {name} later"
NAME_WRONG: Final = "Letters, digits, - and _ only."

# services
SERVICES: Final = "Console and services"
ABOUT_SERVICES: Final = "What runs beside the mail. Each is off until it is set up."
CONSOLE: Final = "Web console and API"
ABOUT_CONSOLE: Final = (
    "What you are looking at. A change of its address moves it: open it there after you have applied. "
    "Removed, it ends, and the command line is left."
)
METRICS: Final = "Numbers for Prometheus"
ABOUT_METRICS: Final = "Whoever can connect may read: keep it on this machine or a management network."
ACME: Final = "Certificates that renew themselves (ACME)"
ABOUT_ACME: Final = (
    "Fetched from Let's Encrypt or another authority. Setting it up says that you agree to its terms."
)
KERBEROS: Final = "Kerberos tickets"
ABOUT_KERBEROS: Final = "For AUTH GSSAPI, which a virtual server offers under Access, Authentication."
TABLES: Final = {"openid": "Sign-in by a provider (OpenID Connect)"}
IS_OFF: Final = "Not set up."

# directories
DIRECTORIES: Final = "Directories"
ABOUT_DIRECTORIES: Final = (
    "Where accounts are. Somebody is looked for in the first, then in the next; the first that knows him "
    "counts."
)
LOCAL: Final = "local"
ABOUT_LOCAL: Final = "Gatepost's own accounts: Users, Groups and Aliases. Always there."
DIRECTORY_NAME: Final = "Name of the directory"
DIRECTORY_HINT: Final = "Short, as in ad"
ADD_DIRECTORY: Final = "Add a directory"
NO_ORDER: Final = "The file writes its directories so that their order can only be changed by hand."
TEST: Final = "Test"
NOT_YET: Final = "What is tried is the draft, before it is applied."
NOT_VALID: Final = "The draft is not valid; mend it first."

# alarms
ALARMS: Final = "Alarms"
ABOUT_ALARMS: Final = "Who is told at once of what should be known: by webhook, by a command, by mail."
NO_ALARMS: Final = "Nobody is told. Add somebody who should hear of an attack or a full disk."
ALARM_NAME: Final = "Name of the alarm"
ALARM_HINT: Final = "Short, as in chief"
ADD_ALARM: Final = "Add an alarm"
TELL: Final = "Tell a test"
TELLING: Final = "Telling {name} that this is a test"
TOLD: Final = "{alarm} was told by {way}."
NOT_TOLD: Final = "{alarm} was not told by {way}: {problem}"
APPLY_FIRST: Final = "Apply it first: only what is in force can be tried."

# tokens
OAUTH: Final = "Issuers of tokens"
ABOUT_OAUTH: Final = (
    "With an audience their tokens let people in (OAUTHBEARER, XOAUTH2); with a client ID we fetch one for "
    "a route."
)
NO_OAUTH: Final = (
    "No issuer. Add the one of Microsoft 365, Google or your own, when people log in with tokens."
)
OAUTH_NAME: Final = "Name of the issuer"
OAUTH_HINT: Final = "Short, as in entra"
ADD_OAUTH: Final = "Add an issuer"

# certificates as files
CERTIFICATE_FILES: Final = "Certificates in the file"
ABOUT_CERTIFICATE_FILES: Final = (
    "Which files each certificate is. What is imported under Certificates is named here by itself."
)
NO_CERTIFICATE_FILES: Final = "None. Import one under Certificates."
CERTIFICATE_NAME: Final = "Name of the certificate"
CERTIFICATE_HINT: Final = "Short, as in default"
ADD_CERTIFICATE: Final = "Add a certificate"

# limits of single senders
SENDERS: Final = "Limits of users, groups, networks"
ABOUT_SENDERS: Final = (
    "Who may send more or less than everybody. A user's own number stands over those of its groups; of "
    "several groups the smallest holds. Who does not log in has limits of its network, of its certificate. "
    "Device passwords have theirs on the page Devices."
)
EVERYBODY: Final = "Everybody's are under Settings"
KINDS: Final = {
    "users": "Users",
    "groups": "Groups: each member",
    "networks": "Networks: each address that does not log in",
    "certificates": "Client certificates that do not log in",
}
NO_SENDERS: Final = "None has limits of its own."
SENDER_NAME: Final = {
    "users": "User",
    "groups": "Group",
    "networks": "Network",
    "certificates": "Certificate",
}
SENDER_HINT: Final = {
    "users": "bob@example.org, as an access entry names it",
    "groups": "Newsletter, as an access entry names it",
    "networks": "10.0.5.0/24",
    "certificates": "scanner7, as in certificate:NAME",
}
ADD_SENDER: Final = "Add limits"
NAME: Final = "Name"
CHANGE: Final = "Change"
LIMITS_OF: Final = "Limits of {name}"
NOT_KNOWN: Final = "No such name here; one of another directory is taken on trust."
LIMITS: Final = "What it may send"
WHAT: Final = "What"
GROUPS_MEMBERS: Final = "What each member may send"
AS_ALL: Final = "as everybody"
HOW_MUCH: Final = "How much"
WHOSE: Final = "By whose word"
OWN: Final = "its own limits"
OF_GROUPS: Final = "of its groups, by {groups}"
ON_SERVER: Final = "{what}, on {server}"
OF_SERVER: Final = "as everybody on {server}, by the virtual server"
NO_LIMIT: Final = "no limit"
EDIT_LIMITS: Final = "Limits..."

# guard
GUARD: Final = "Guard settings"
ABOUT_GUARD: Final = "When guessing is slowed, when it is shut out, when an account is contained."
PASSWORDS: Final = "Wrong passwords"
ANSWERS: Final = "What is done"
SPRAYS: Final = "Sprays and other offences"
NAMES: Final = "Names and networks"
HARVEST: Final = "Who looks for addresses"
HABITS: Final = "Containment"
DEVICES: Final = "Devices and directories that fall silent"
RECORDS: Final = "What is kept"
