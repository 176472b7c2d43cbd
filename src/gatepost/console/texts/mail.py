"""Mail that waits, mail on record, and who is connected."""

from __future__ import annotations

from typing import Final

# queues
QUEUES: Final = "Queues"
ABOUT_QUEUES: Final = "Mail that was taken in and is not delivered yet. Nothing in it is lost by a restart."
QUEUE_CAPTION: Final = "Messages in the queue"
STATES: Final = {"active": "being delivered", "deferred": "tried again later", "held": "held"}
MARKS: Final = {"active": "good", "deferred": "warn", "held": ""}
TOTALS: Final = (
    "{total} ({size}): {active} being delivered or new, {deferred} tried again later, {held} held."
)
MESSAGES: Final = ("message", "messages")
SENDER: Final = "Sender"
RECIPIENT: Final = "Recipient"
RECIPIENTS: Final = "To"
DOMAIN: Final = "Recipient domain"
USER: Final = "Handed in by"
LOGGED_IN: Final = "Logged in as"
MESSAGES_TITLE: Final = "Messages"
PEER: Final = "From address or network"
STATE: Final = "State"
ORDER: Final = "Order"
OLDEST_FIRST: Final = "oldest first"
NEWEST_FIRST: Final = "newest first"
MESSAGE: Final = "Message"
ARRIVED: Final = "Arrived"
NEXT_TRY: Final = "Next try"
NOW: Final = "now"
SIZE: Final = "Size"
LAST_ANSWER: Final = "Last answer"
NOT_TRIED: Final = "not tried yet"
TRIES: Final = ("try", "tries")
NULL_SENDER: Final = "<> (a report)"
MORE_RECIPIENTS: Final = "and {count} more"
QUEUE_EMPTY: Final = "No message is waiting: everything is delivered."
QUEUE_EMPTY_REMEDY: Final = "What was delivered is found under Tracking."
LOOKED: Final = "Looked at {looked} of {total} so far ..."
LOOKED_ALL: Final = "Looked at {looked}."
NOT_RUNNING: Final = "Gatepost does not answer, so nobody knows what is waiting."
START_IT: Final = "Start it: `gatepost run`, or the service."

# verbs
HOLD: Final = "Hold"
RELEASE: Final = "Release"
RETRY: Final = "Try now"
BOUNCE: Final = "Return to sender..."
DELETE: Final = "Delete..."
ALL_MATCHING: Final = "all {what}, also on other pages"
ALL_THERE_ARE: Final = "messages there are"
ALL_LIKE_THIS: Final = "that are like this"
CHOSEN_NONE: Final = "Tick messages to act on them."
DOING: Final = {
    "hold": "Holding",
    "release": "Releasing",
    "retry": "Trying",
    "bounce": "Returning to the sender",
    "delete": "Deleting",
}
DONE: Final = {
    "hold": "{what}: held until released.",
    "release": "{what}: goes on now.",
    "retry": "{what}: tried now.",
    "bounce": "{what}: given up; senders get a report.",
    "delete": "{what}: deleted.",
}
NONE_DONE: Final = "There was nothing to do it to: the messages have gone, or are not held."
SURE: Final = {
    "bounce": "Give up {what}? Each sender gets a report that it was not delivered.",
    "delete": "Delete {what} for good? Neither sender nor recipient is told.",
    "hold": "Hold {what}?",
    "release": "Release {what}?",
    "retry": "Try {what} now?",
}
VERBS: Final = {"bounce": "Return to sender", "delete": "Delete", "hold": "Hold", "release": "Release",
                "retry": "Try now"}  # fmt: skip

# one message
MESSAGE_TITLE: Final = "Message {id}"
WAITING: Final = "It waits in the queue."
NOT_WAITING: Final = "It is not in the queue any more. This is what is on record of it."
NOWHERE: Final = "There is no message {id}, neither in the queue nor on record."
NOWHERE_REMEDY: Final = "History is kept for the days in [tracking] only; look at the id once more."
ATTEMPTS: Final = "Attempts"
VIRTUAL_SERVER: Final = "Virtual server"
SESSION: Final = "Session"
SUBJECT: Final = "Subject"
HEADER: Final = "Header"
STILL_FOR: Final = "Waits for"
WHAT_HAPPENED: Final = "What happened"
TIME: Final = "Time"
BY: Final = "Next hop"
OUTCOME: Final = "Outcome"
ANSWER: Final = "Its words"
ANONYMOUS: Final = "nobody: not logged in"
NOTHING_HAPPENED: Final = "Nothing has happened yet."

# sessions
SESSIONS: Final = "Current sessions"
SESSIONS_OF: Final = "Current sessions of {server}"
ABOUT_SESSIONS: Final = "Who is connected now. The list follows by itself."
SESSIONS_EMPTY: Final = "Nobody is connected."
SESSIONS_EMPTY_REMEDY: Final = "As soon as a client connects it stands here."
PROTOCOL: Final = "Protocol"
FROM: Final = "From"
SINCE: Final = "Since"
TLS: Final = "TLS"
IN_CLEAR: Final = "in clear"
CLOSE: Final = "Close"
CLOSE_THIS: Final = "Close session {id}"
CLOSING: Final = "Closing session {id}"
CLOSED: Final = "Session {id} is closed."
GONE: Final = "Session {id} had ended already."
SHOWN_OF: Final = "{shown} of {all} are shown."

# tracking
TRACKING: Final = "Tracking"
ABOUT_TRACKING: Final = "Every message that was taken in and everything that was refused, newest first."
TRACKING_CAPTION: Final = "Messages and refusals"
SEARCH_ID: Final = "Message or session"
REASON: Final = "Reason of refusal"
SAID: Final = "Words of the next hop"
SINCE_WHEN: Final = "Since"
SINCE_HINT: Final = "2h, 3d, 2026-01-31"
WHAT: Final = "What"
REFUSED: Final = "refused"
ACCEPTED: Final = "taken in"
WHERE: Final = "Where"
WHERE_AND_WHO: Final = "{where}, by {user}"
TRACKING_EMPTY: Final = "Nothing is on record."
TRACKING_EMPTY_REMEDY: Final = (
    "Take a condition away, or look further back. History is kept for the days in [tracking]."
)
STAGE: Final = "at {stage}"
SESSION_TITLE: Final = "Session {id}"
SESSION_NOWHERE: Final = "Nothing is on record of a session {id}."
MEANS: Final = "What it means"
REMEDY: Final = "To change it"
REPLY: Final = "The peer heard"
