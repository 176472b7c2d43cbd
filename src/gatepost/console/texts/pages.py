"""The pages Settings, Domains, Routes and History."""

from __future__ import annotations

from typing import Final

SETTINGS: Final = "Settings"
SETTINGS_HELP: Final = (
    "What holds for the whole house. Everything here stands in gatepost.toml, and nowhere else."
)
HOST: Final = "This host"
SHARED_LIMITS: Final = "Limits of every virtual server"
SHARED_LIMITS_HELP: Final = "A virtual server that says nothing of its own has these."
TABLES: Final = {
    "mailboxes": "Mailboxes",
    "retry": "Attempts to deliver",
    "log": "Log",
    "tracking": "Tracking",
}

DOMAINS: Final = "Domains"
DOMAINS_HELP: Final = "Mail for these is local: it is never relay."
NO_DOMAINS: Final = "No mail is local yet. Add the domain whose mail is kept here."
DOMAIN: Final = "Domain"
DOMAIN_HINT: Final = "example.org"
ADD_DOMAIN: Final = "Add a domain"

ROUTES: Final = "Routes"
ROUTES_HELP: Final = 'Where mail for other domains goes: the exact name first, then "*.parent", then "*".'
NO_ROUTES: Final = "No route: mail for other domains goes to their mail exchangers (MX)."
ROUTE: Final = "Domain or pattern"
ROUTE_HINT: Final = "partner.example, *.partner.example or *"
ADD_ROUTE: Final = "Add a route"
REMOVE: Final = "Remove {name}"
THERE: Final = "{name} is there already."

HISTORY: Final = "History"
HISTORY_HELP: Final = (
    "Every configuration that was in force, the newest first. Any of them can be gone back to."
)
NO_HISTORY: Final = "Nothing has run with this file yet."
NUMBER: Final = "Generation"
AT: Final = "In force since"
BY: Final = "By"
NOW: Final = "in force"
COMPARE: Final = "Compare with now"
COMPARE_ONE: Final = "Compare generation {number} with now"
UNDO: Final = "Go back..."
UNDO_ONE: Final = "Go back to generation {number}..."
COMPARED: Final = "From generation {number} to now"
SAME: Final = "They are the same."
NOT_READABLE: Final = "That text is not valid any more, so it is only shown, not said in words."
OLDER: Final = "Older"
NEWER: Final = "Newer"

FILE_BROKEN: Final = "The file cannot be read. Mend it by hand, or go back with `gatepost config undo`."
