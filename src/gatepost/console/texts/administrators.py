"""The English texts of the page of administrators and tokens."""

from __future__ import annotations

from typing import Final

ADMINISTRATORS: Final = "Administrators"
ABOUT: Final = "Who signs in here. An administrator is a protected account: no group gives it relay."
FORBIDDEN: Final = "Only an administrator sees this page."
NEW: Final = "New administrator..."
ADD: Final = "Add"
NAME: Final = "Name"
ROLE: Final = "Role"
ROLES: Final = {
    "viewer": "Viewer: looks",
    "operator": "Operator: keeps mail flowing",
    "administrator": "Administrator: changes what is allowed",
}
BY_DIRECTORY: Final = "by its groups in a directory"
FACTORS: Final = "Second factor"
APP: Final = "code from an app"
NONE: Final = "none"
SESSIONS: Final = "Sessions"
VERBS: Final = "Change"
CHANGE_ROLE: Final = "Role..."
CHANGE_ROLE_OF: Final = "Role of {name}"
SAVE: Final = "Save"
RESET: Final = "New link..."
RESET_OF: Final = "New link for {name}"
SURE_RESET: Final = (
    "{name} is signed out everywhere and gets a link for a new password; app and security keys are gone then."
)
REMOVE: Final = "Remove"
REMOVE_OF: Final = "Remove {name}"
SURE_REMOVE: Final = "{name} is removed and signed out, and the tokens it made are worth nothing. Go on?"
WORKING: Final = "Changing {name}..."
LINK: Final = "One-time link"
LINK_ABOUT: Final = (
    "Give this link to {name}. It sets a password, works once, for a day, and is shown this once."
)
TOKENS: Final = "Tokens"
TOKENS_ABOUT: Final = "What programs show to the API."
NO_TOKENS: Final = "There is no token."
NEW_TOKEN: Final = "New token..."
LABEL: Final = "What it is for"
FOR_HOW_LONG: Final = "For how long"
SPANS: Final = {"1": "1 day", "30": "30 days", "90": "90 days", "365": "1 year"}
SCOPE: Final = "Only for"
EVERYTHING: Final = "everything its role may"
EXPIRES: Final = "Ends"
NEVER: Final = "never"
MADE_BY: Final = "Made by"
LAST_USED: Final = "Last used"
TOKEN_ABOUT: Final = "The token for {label}. It is shown this once."
REVOKE: Final = "Revoke"
REVOKE_OF: Final = "Revoke {label}"
SURE_REVOKE: Final = "The token for {label} is worth nothing from now on. Go on?"
I_HAVE_IT: Final = "I have it"
