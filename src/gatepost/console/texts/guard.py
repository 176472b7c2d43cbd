"""Attacks, and who is shut out."""

from __future__ import annotations

from typing import Final

ATTACKS: Final = "Attacks"
ABOUT_ATTACKS: Final = "Logins that failed: when, with which names, from where, and what was done about it."
SINCE: Final = "Period"
PERIODS: Final = {"1h": "the last hour", "7d": "the last 7 days", "30d": "the last 30 days"}
DAY: Final = "the last 24 hours"
NO_ATTACKS: Final = "No login has failed in {period}."
NO_ATTACKS_REMEDY: Final = "There is nothing to do. Look further back, or at Tracking for refused mail."
TIMELINE: Final = "Failed logins over time"
TIMELINE_SAYS: Final = "Failed logins over time: {failed} in all, {good} succeeded meanwhile."
FAILED: Final = "failed"
SUCCEEDED: Final = "succeeded"
NOW: Final = "Now"
NOW_SAYS: Final = "{refused} refused, {banned} banned, {names} under attack."
ADDRESSES_ARE: Final = ("address is", "addresses are")
SOURCES_ARE: Final = ("source is", "sources are")
NAMES_ARE: Final = ("name is", "names are")
UNDER_ATTACK: Final = "Names under attack"
ABOUT_UNDER_ATTACK: Final = "Heard only from where they logged in before, so that the owner goes on working."
SPRAY: Final = "A spray goes on: many names, a few tries each. Each address is allowed less now."
OWNERS: Final = "What the owners noticed"
ABOUT_OWNERS: Final = (
    "Accounts of ours that were tried. An owner notices what is refused where he logs in from."
)
NO_OWNERS: Final = "None of the names tried is an account here."
ACCOUNT: Final = "Account"
GUESSES: Final = "Guesses"
FROM_PLACES: Final = "{guesses} from {places}"
PLACES: Final = ("address", "addresses")
OWN_LOGINS: Final = "Own logins"
LAST_LOGIN: Final = "Last login"
NEVER: Final = "none on record"
NOTICED: Final = "Noticed"
NOTHING: Final = "nothing"
HINDERED: Final = "{count} of its own logins refused"
NAMES: Final = "Names tried"
NAMES_SHORT: Final = "Names"
NAME: Final = "Name"
TRIES: Final = "Tries"
REFUSED: Final = "Refused"
LAST: Final = "Last"
NETWORKS: Final = "Sources by network"
NETWORK: Final = "Network"
SOURCES: Final = "Addresses"
SOURCE: Final = "Address"
TREATMENTS: Final = "What was done"
TREATMENT: Final = "Treatment"
TREATMENT_WORDS: Final = {
    "none": "answered as ever",
    "slowed": "answered slowly",
    "refused": "refused without asking for the password",
}
COUNT: Final = "How often"
OFFENCES: Final = "What else was wrong"
ABOUT_OFFENCES: Final = (
    "No login, and wrong all the same; counted by the hour. Who goes on is refused for a while."
)
NO_OFFENCES: Final = "Nothing else was wrong."
OFFENCE: Final = "What it did"
OFFENCE_WORDS: Final = {
    "auth-not-offered": "wanted to log in where that is not offered",
    "unknown-recipient": "wrote to recipients whom nobody knows",
    "rubbish": "sent what is no command",
    "silent": "connected and said nothing",
}
EXPORT: Final = "Export"
EXPORTING: Final = "Collecting"
EXPORTS: Final = {"names": "Names", "addresses": "Addresses", "nftables": "Who is shut out, for nftables"}
BAN: Final = "Ban"
BAN_THIS: Final = "Ban {source}"
LOADING: Final = "Counting ..."
NEXT: Final = "More"

BANS: Final = "Who is shut out"
ABOUT_BANS: Final = "Connections from there are refused, by you or for a while by the guard."
NEW_BAN: Final = "Ban a source..."
NO_BANS: Final = "Nobody is shut out."
NO_BANS_REMEDY: Final = "The guard does it by itself when passwords are guessed; you do it with Ban a source."
UNTIL: Final = "Until"
UNTIL_PARDONED: Final = "pardoned"
BY: Final = "By"
THE_GUARD: Final = "the guard"
NOTE: Final = "Note"
PARDON: Final = "Pardon"
PARDON_THIS: Final = "Pardon {source}"
ADDRESS_OR_NETWORK: Final = "Address or network, as in 192.0.2.0/24"
FOR_HOW_LONG: Final = "For how long"
SPANS: Final = {"": "until pardoned", "3600": "an hour", "86400": "a day", "604800": "a week"}
BANNING: Final = "Banning {source}"
PARDONING: Final = "Pardoning {source}"
SURE_BAN: Final = "Ban {source}? Every connection from there is refused until you pardon it."
PARDON_NAME: Final = "Pardon a name..."
PARDON_NAME_ABOUT: Final = (
    "Under attack a name is heard only from where it logged in before; pardoned, from anywhere."
)
IS_BANNED: Final = "{source} is shut out."
