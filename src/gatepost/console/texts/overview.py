"""The first page: how everything is going."""

from __future__ import annotations

from typing import Final

OVERVIEW: Final = "Overview"
SINCE: Final = "Period"
DAY: Final = "the last 24 hours"
PERIODS: Final = {"7d": "the last 7 days", "30d": "the last 30 days"}
RUNNING: Final = "Runs since {at}, generation {generation}, {workers}."
WORKERS: Final = ("worker", "workers")
IN: Final = "Messages in"
OUT: Final = "Delivered or relayed"
REFUSED: Final = "Refused"
QUEUE: Final = "In the queue"
OLDEST: Final = "oldest: {age}"
SESSIONS: Final = "Sessions now"
FAILED_LOGINS: Final = "Failed logins"
MESSAGES_CHART: Final = "Messages in and out"
MESSAGES_SAYS: Final = (
    "Messages over {period}: {in_} in, {out} delivered or relayed, {deferred} put off, {failed} given up."
)
CURVE_IN: Final = "in"
CURVES_OUT: Final = {
    "relayed": "relayed", "delivered": "delivered", "deferred": "put off", "failed": "given up"
}  # fmt: skip
REFUSALS_CHART: Final = "Refusals by reason"
REFUSALS_SAYS: Final = "Refusals over {period}: {reasons}."
OTHERS: Final = "others"
NO_REFUSALS: Final = "Nothing was refused in {period}."
QUEUE_CHART: Final = "Queue"
QUEUE_SAYS: Final = "Messages in the queue over {period}: at most {most}."
CURVES_QUEUE: Final = {"deferred": "tried again later", "held": "held", "active": "new or being delivered"}
AGE_CHART: Final = "Age of the oldest message, in minutes"
AGE_SAYS: Final = "Age of the oldest message over {period}: at most {most}."
NO_HISTORY: Final = "There are no curves yet: numbers are written down once a minute while Gatepost runs."
CERTIFICATES: Final = "Certificates"
NAME: Final = "Name"
ENDS: Final = "Ends"
LEFT: Final = "Left"
DAYS: Final = ("day", "days")
ENDED: Final = "ended"
UNREADABLE: Final = "cannot be read"
NO_CERTIFICATES: Final = "The file names no certificate."
NO_CERTIFICATES_REMEDY: Final = "Import one, or make a self-signed one, under Certificates."
ALARMS: Final = "Alarms"
WHEN: Final = "When"
WHAT: Final = "What"
NO_ALARMS: Final = "Nothing alarming has happened."
NO_ALARMS_REMEDY: Final = (
    "Attacks, contained accounts, ending certificates and a growing queue would stand here."
)
EVENTS: Final = {
    "attack": "attack",
    "login-after-failures": "login after failures",
    "login-from-new-network": "login from a new network",
    "contained": "account contained",
    "queue-growing": "queue grows",
    "certificate-ending": "certificate ends",
    "disk-nearly-full": "disk nearly full",
    "test": "test",
}
TROUBLE: Final = "{server} does not listen: {problem}"
DISK_TROUBLE: Final = "{problem}."
SELFTEST_FAILED: Final = "The self-test found a way to relay that should not be: {text}"
NOT_RUNNING: Final = "Gatepost does not run. Start it: `gatepost run`, or the service."
CONTAINED: Final = "{accounts} contained."
ACCOUNTS: Final = ("account is", "accounts are")
WHO_COULD: Final = "Who could relay, and what is weak"
SEE: Final = "Show"
