"""What stands around every page."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = "Gatepost"
NAVIGATION: Final = "Everything there is"
OPEN_NAVIGATION: Final = "Show or hide the tree"
SKIP: Final = "Skip to the content"
SIGN_OUT: Final = "Sign out"
THEME: Final = "Light or dark"
SMTP: Final = "SMTP"
POP3: Final = "POP3"
DELIVERY: Final = "Delivery"
DOMAINS: Final = "Domains"
ROUTES: Final = "Routes"
QUEUES: Final = "Queues"
SESSIONS: Final = "Current sessions"
RECIPIENTS: Final = "Recipients"
USERS: Final = "Users"
GROUPS: Final = "Groups"
ALIASES: Final = "Aliases"
DIRECTORY: Final = "Directory"
GUARD: Final = "Guard"
ATTACKS: Final = "Attacks"
BANS: Final = "Who is shut out"
CONTAINED: Final = "Contained accounts"
TRACKING: Final = "Tracking"
EXPLAIN: Final = "Explain"
CERTIFICATES: Final = "Certificates"
AUDIT: Final = "Audit"
CHANGES: Final = "Who did what"
WEAKNESSES: Final = "What is weak"
SETTINGS: Final = "Settings"
HISTORY: Final = "History"
ROLES: Final = {"viewer": "Viewer", "operator": "Operator", "administrator": "Administrator"}
STATES: Final = {"running": "running", "paused": "paused", "stopped": "stopped"}
NOT_RUNNING: Final = "Gatepost does not answer: what is shown is what the file says."
