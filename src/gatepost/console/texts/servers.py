"""Virtual servers: their menu and their property sheets."""

from __future__ import annotations

from typing import Final

MENU_OF: Final = "Menu of {server}"
START: Final = "Start"
STOP: Final = "Stop"
PAUSE: Final = "Pause"
PROPERTIES: Final = "Properties"
NEW: Final = "New virtual server..."
SWITCHING: Final = {
    "start": "{server} is being started",
    "stop": "{server} is being stopped",
    "pause": "{server} is being paused",
}

KIND: Final = {"smtp": "SMTP virtual server", "pop3": "POP3 virtual server"}
NOT_THERE: Final = "There is no virtual server {server} in the file."
GENERAL: Final = "General"
ACCESS: Final = "Access"
MESSAGES: Final = "Messages"
MAILBOXES: Final = "Mailboxes"
DELIVERY: Final = "Delivery"
LISTENS: Final = "Listens on {where}"
ADDRESSES: Final = "Addresses"
LIMITS: Final = "Limits"
LOGGING: Final = "Logging"
LOGGING_HELP: Final = "For all virtual servers; one line an event, no content, no passwords."
FLOW: Final = "What it takes"
CONTENT: Final = "Content check and block lists"
RETRY: Final = "Attempts"
RETRY_HELP: Final = "For mail of all virtual servers."
ROUTES: Final = "Where mail goes"
ROUTES_HELP: Final = (
    "Mail for local domains goes into mailboxes or where Domains says; everything else by Routes."
)
TO_DOMAINS: Final = "Domains"
TO_ROUTES: Final = "Routes"
RENAME: Final = "Rename..."
RENAME_TITLE: Final = "Rename {server}"
RENAME_TEXT: Final = (
    "The name changes wherever the file says it. Addresses and rights stay, open sessions go on; one that "
    "is stopped or paused stays so. Sessions that are open, tracking and the records of logins keep the old "
    "name. Nothing happens before you review and apply."
)
NEW_NAME: Final = "New name"
DELETE: Final = "Delete..."
DELETE_TITLE: Final = "Delete {server}"
DELETE_TEXT: Final = (
    "The virtual server goes out of the draft. Nothing happens before you review and apply; "
    "then nobody reaches its addresses any more."
)

# the wizard
NEW_TITLE: Final = "New virtual server"
STEP_NAME: Final = "Name and addresses"
STEP_PURPOSE: Final = "What it is for"
PROTOCOL: Final = "Protocol"
PROTOCOLS: Final = {"smtp": "SMTP: takes mail in", "pop3": "POP3: gives mail out"}
NAME: Final = "Name"
NAME_HINT: Final = "Short, as in submission or printers"
NAME_TAKEN: Final = "There is a virtual server {name} already."
NAME_WRONG: Final = "Letters, digits, - and _ only."
ADDRESS: Final = "Address and port"
ADDRESS_HINT: Final = "0.0.0.0:587 listens on all addresses"
PURPOSES: Final = {
    "smtp": {
        "internet": "Mail from the Internet: no logging in, nothing relays",
        "submission": "People and programs that log in over TLS; relay is given to groups afterwards",
        "devices": "Old devices on one network of ours: no logging in, they may relay",
        "empty": "Nothing yet: everything is refused until the access table says more",
    },
    "pop3": {
        "mail": "People who collect mail, encrypted by STLS (port 110)",
        "mail-tls": "People who collect mail, TLS from the first byte (port 995)",
        "empty": "Nothing yet: everything is refused until the access table says more",
    },
}
DEVICE_NETWORK: Final = "Network of the devices"
DEVICE_NETWORK_HINT: Final = "10.0.5.0/24"
NEXT: Final = "Next"
BACK: Final = "Back"
MAKE: Final = "Make it"
