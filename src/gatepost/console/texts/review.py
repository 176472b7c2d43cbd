"""Looking at changes before they are applied."""

from __future__ import annotations

from typing import Final

NOT_VALID: Final = "Not valid"
DANGEROUS: Final = "Dangerous: this cannot be applied"
DOUBTFUL: Final = "Probably not meant"
LINE: Final = "line {number}:  {line}"
REMEDY: Final = "What to do: {remedy}"

PENDING: Final = "You have changes that are not applied yet."
THEIRS: Final = "Somebody else has changed the file meanwhile. Reviewing puts your changes on top of it."
DISCARD: Final = "Discard"
REVIEW: Final = "Review and apply..."
TITLE: Final = "Review and apply"
LOOKING: Final = "Working out what would change..."
APPLYING: Final = "Writing the file and taking it over..."
MEANWHILE: Final = "Changed meanwhile by somebody else, and kept:"
MEANWHILE_SAME: Final = "The file was rewritten meanwhile; no setting is different by that."
CONFLICT: Final = "You both changed these. Whose values shall stand?"
CONFLICT_ROW: Final = "{key}: yours is {mine}, theirs is {theirs}"
KEEP_THEIRS: Final = "Theirs"
KEEP_MINE: Final = "Mine"
GONE: Final = "taken out"
IN_WORDS: Final = "What changes, in words"
ONLY_WORDING: Final = "Only comments or layout change; no setting is different."
IN_FILE: Final = "What changes in the file"
NO_CHANGE: Final = "The file stays as it is."
WARNINGS: Final = "What to know before"
UNDERSTOOD: Final = "I have read this and mean it"
APPLY: Final = "Apply"
CANCEL: Final = "Cancel"
BY_HAND: Final = (
    "The file also holds changes made outside the console that are not in force yet; they come with it."
)
IN_FORCE: Final = "Generation {number} is in force."
RESTART: Final = "From the next start on: {keys}."
REFUSED: Final = "It could not be taken over, and the file is as it was: {problem}"
MORE: Final = "and {count} more"
