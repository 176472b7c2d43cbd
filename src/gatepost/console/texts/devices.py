"""Devices: what sends here without being a person, and whether it still does."""

from __future__ import annotations

from typing import Final

DEVICES: Final = "Devices"
ABOUT: Final = (
    "Printers, scanners and programs: by device password, by account, by address. Those that fell silent "
    "stand first. A new device password is made on the page of its user."
)
NONE: Final = "No device was seen yet, and there is no device password."
NONE_REMEDY: Final = "Make a device password on a user's page; Guard settings say what else counts."
CONTAINING: Final = "Name contains"
STATE: Final = "State"
KIND: Final = "Known by"
LAST_SEEN: Final = "Last seen"
FROM: Final = "From"
USUALLY: Final = "Usually"
EVERY: Final = "every {span}"
SILENT_SINCE: Final = "silent since {at}"
NEVER: Final = "never"
ACTS: Final = "Acts"
STATES: Final = {
    "well": "as usual",
    "silent": "silent",
    "learning": "being learnt",
    "unused": "never used",
    "expired": "expired",
}
KINDS: Final = {"app-password": "device password", "account": "account", "address": "address"}
FORGET: Final = "Forget"
FORGET_THIS: Final = "Forget {name}"
SURE_FORGET: Final = "Forget {name}? It is not missed any more. When it sends again, it is learnt anew."
FORGETTING: Final = "Forgetting {name}"
CHANGE: Final = "Change..."
CHANGE_THIS: Final = "Change {label}..."
SENDERS: Final = "Sends only as these addresses, one a line (empty: all of the account)"
EXPIRES: Final = "Expires: days from now, or a day like 2027-01-31 (empty: never)"
COUNT: Final = ("device", "devices")
