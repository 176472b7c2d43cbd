"""Every kind of weak point the audit knows: why it matters, and what to do about it.

The manual's page on the audit has a line for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Weak(Enum):
    """The kinds, those about relaying first. The names are lasting: programs may look for them."""

    OPEN_RELAY = "open-relay"
    WEAK_PASSWORD = "weak-password"  # noqa: S105  a kind, no password
    GUESSABLE_RELAYS = "guessable-name-relays"
    ADMINISTRATOR_RELAYS = "administrator-relays"
    PROTECTED_MEMBER = "protected-member"
    EVERYBODY_RELAYS = "everybody-relays"
    WIDE_NETWORK_RELAYS = "wide-network-relays"
    GATEWAY_RELAYS = "container-gateway-relays"
    HOSTNAME_RELAYS = "hostname-relays"
    STALE_MEMBER = "stale-member"
    DISABLED_MEMBER = "disabled-member"
    CONTAINED = "contained-account"
    NO_MEMBER = "nobody-relays"
    NO_RECORDS = "no-records"
    PASSWORDS_NOT_TRIED = "passwords-not-tried"
    AUTH_IN_CLEAR = "auth-in-clear"
    PUBLIC_LOGIN = "public-login"
    ANY_SENDER = "any-sender"
    OLD_TLS = "old-tls"
    CERTIFICATE_ENDED = "certificate-ended"
    CERTIFICATE_ENDS = "certificate-ends"
    CERTIFICATE_NAME = "certificate-name"
    CERTIFICATE_WEAK = "certificate-weak"
    CERTIFICATE_SELF_SIGNED = "certificate-self-signed"
    NO_SECOND_FACTOR = "administrator-without-second-factor"
    ENDLESS_TOKEN = "token-without-end"  # noqa: S105
    APP_PASSWORD_ANYWHERE = "app-password-anywhere"  # noqa: S105
    GUARD_OFF = "guard-off"
    GUARD_EXEMPT = "guard-exempt"
    LIMIT_HIGH = "limit-high"
    NO_ALARMS = "no-alarms"
    CONSOLE_OPEN = "console-open"
    METRICS_OPEN = "metrics-open"
    DIRECTORY_IN_CLEAR = "directory-in-clear"
    DIRECTORY_SILENT = "directory-silent"
    ROUTE_LOGIN_IN_CLEAR = "route-login-in-clear"
    ROUTE_LOGIN_UNVERIFIED = "route-login-unverified"
    CAPTURED = "mail-captured"
    ALIAS_OUTSIDE = "alias-outside"
    FILE_OPEN = "file-open"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One sentence each."""

    why: str
    remedy: str


MEANINGS: dict[Weak, Meaning] = {
    Weak.OPEN_RELAY: Meaning(
        "Spammers find an open relay within hours; the address is on every block list a day later.",
        "Allow relay to a group, or to networks of your own. Gatepost does not start with this file.",
    ),
    Weak.WEAK_PASSWORD: Meaning(
        "The password is among the first that attackers try, so it holds for hours, not years.",
        "`gatepost user passwd NAME`, and look with `gatepost trace --user NAME` whether it was used.",
    ),
    Weak.GUESSABLE_RELAYS: Meaning(
        "Attackers try this name everywhere, so only the password stands between them and the relay.",
        "Send with an account of another name, and take the entry that names this one out.",
    ),
    Weak.ADMINISTRATOR_RELAYS: Meaning(
        "A stolen password of this account is more than spam: it rules the house.",
        "Send with a plain account, and take the entry that names this one out.",
    ),
    Weak.PROTECTED_MEMBER: Meaning(
        "The group gives it no relay, but whoever put it there expected that; one day an entry may name it.",
        "Send with a plain account; `gatepost group leave GROUP NAME`.",
    ),
    Weak.EVERYBODY_RELAYS: Meaning(
        "One weak password of anybody is enough, also of an account that never sends mail.",
        "Give relay to a group of those who need it.",
    ),
    Weak.WIDE_NETWORK_RELAYS: Meaning(
        "One infected machine in the network sends as much spam as it likes, without a login.",
        "Name the devices one by one, or a small network of their own.",
    ),
    Weak.GATEWAY_RELAYS: Meaning(
        "Where published ports show everybody as the gateway, the whole Internet relays by this entry.",
        "Run with network_mode: host, or name a balancer in `proxies`; then name the devices themselves.",
    ),
    Weak.HOSTNAME_RELAYS: Meaning(
        "Whoever writes that DNS zone decides who relays here.",
        'Name the address: to = "net:10.0.5.7".',
    ),
    Weak.STALE_MEMBER: Meaning(
        "Nobody would notice its password being used by somebody else.",
        "`gatepost user disable NAME`, or `gatepost group leave GROUP NAME`.",
    ),
    Weak.DISABLED_MEMBER: Meaning(
        "It relays again the moment somebody enables it.",
        "`gatepost group leave GROUP NAME`.",
    ),
    Weak.CONTAINED: Meaning(
        "It left its habits: probably its password is in other hands.",
        "Set a new password, look with `gatepost trace --user NAME`, then `gatepost release NAME`.",
    ),
    Weak.NO_MEMBER: Meaning(
        "The entry means nobody: a name was mistyped, or the group is still to be filled.",
        "Mend the name, or fill the group.",
    ),
    Weak.NO_RECORDS: Meaning(
        "Without records nobody can tell which accounts are still in use.",
        "Let Gatepost run for a while, and keep `[guard] records_days` at 90 or more.",
    ),
    Weak.PASSWORDS_NOT_TRIED: Meaning(
        "A password that attackers try first may be among those that were not looked at.",
        "Run `gatepost audit` again: it goes on where it stopped. --password-minutes gives it longer.",
    ),
    Weak.AUTH_IN_CLEAR: Meaning(
        "Whoever listens on that network reads the passwords, and mail, as they pass.",
        'Set tls = "require" and take auth_in_clear out; keep it to one network of old devices.',
    ),
    Weak.PUBLIC_LOGIN: Meaning(
        "Passwords are guessed from the whole Internet here; the guard slows that and does not end it.",
        'Allow connect to your own networks or a VPN, where users can live with it: to = "net:...".',
    ),
    Weak.ANY_SENDER: Meaning(
        "Whoever it means can write in anybody's name, the director's too.",
        "Give any-sender to the one account that needs it, from its own address.",
    ),
    Weak.OLD_TLS: Meaning(
        "TLS 1.0 and 1.1 can be broken by those who listen.",
        "Take tls_min out once the old devices are gone.",
    ),
    Weak.CERTIFICATE_ENDED: Meaning(
        "Mail programs refuse to log in, or teach people to click warnings away.",
        "`gatepost cert import FILE`, or `[acme]`.",
    ),
    Weak.CERTIFICATE_ENDS: Meaning(
        "From that day mail programs refuse to log in.",
        "`gatepost cert import FILE`, or `[acme]`, which renews by itself.",
    ),
    Weak.CERTIFICATE_NAME: Meaning(
        "Mail programs warn, and people learn to click warnings away.",
        "Have it made for the name that clients connect to.",
    ),
    Weak.CERTIFICATE_WEAK: Meaning(
        "A key or signature of this kind can be broken; clients begin to refuse it.",
        "Have a new one made: ECDSA P-256, or RSA of 2048 bits or more, signed with SHA-256.",
    ),
    Weak.CERTIFICATE_SELF_SIGNED: Meaning(
        "Clients cannot tell it from an attacker's, unless it was installed on each of them.",
        "`gatepost cert import FILE` with one of your own authority, or `[acme]`.",
    ),
    Weak.NO_SECOND_FACTOR: Meaning(
        "Whoever learns that one password rules the house.",
        'Let them add a code or a security key, and set [console] second_factor = "require".',
    ),
    Weak.ENDLESS_TOKEN: Meaning(
        "A token that leaked from a script or a backup is good for ever.",
        "`gatepost token revoke ID`, and make one with an end and for the areas that are needed.",
    ),
    Weak.APP_PASSWORD_ANYWHERE: Meaning(
        "A secret read from a device's menu works from the whole Internet.",
        "`gatepost user app-password NAME --change LABEL --from NETWORK`; the secret stays.",
    ),
    Weak.GUARD_OFF: Meaning(
        "What keeps guessing and stolen accounts in bounds does not work for them.",
        "Take the setting out: the defaults serve.",
    ),
    Weak.GUARD_EXEMPT: Meaning(
        "Nobody stops such an account when it begins to send spam.",
        "Raise its limits instead, or keep it to one address with `from`.",
    ),
    Weak.LIMIT_HIGH: Meaning(
        "A stolen account sends this much before anything stops it.",
        "Lower the limit to what people here really send, or take it out: the default serves.",
    ),
    Weak.NO_ALARMS: Meaning(
        "An attack, or an account contained, is seen only by who looks.",
        "Write [alarms.NAME] with a webhook, a command, or mail_to.",
    ),
    Weak.CONSOLE_OPEN: Meaning(
        "Whoever reaches the console may guess at administrators' passwords.",
        'Set [console] listen = "127.0.0.1:8025" and reach it by SSH or a VPN, or give it a certificate.',
    ),
    Weak.METRICS_OPEN: Meaning(
        "Whoever reaches it reads how much mail comes and goes, and which virtual servers there are.",
        "Let it listen on 127.0.0.1, or on the network of the monitoring alone.",
    ),
    Weak.DIRECTORY_IN_CLEAR: Meaning(
        "Passwords go to the directory in clear.", "Use ldaps://, or take starttls = false out."
    ),
    Weak.DIRECTORY_SILENT: Meaning(
        "What is in this directory could not be looked at: the report is not whole.",
        "`gatepost directory test` tries each step.",
    ),
    Weak.ROUTE_LOGIN_IN_CLEAR: Meaning(
        "The next hop may ask for the password where there is no TLS.", 'Set tls = "verify" for this route.'
    ),
    Weak.ROUTE_LOGIN_UNVERIFIED: Meaning(
        "Whoever stands between shows any certificate and gets the password.",
        'Set tls = "verify" for this route, with ca_file for an authority of your own.',
    ),
    Weak.CAPTURED: Meaning(
        "Mail for these domains is written to a folder and sent to nobody.",
        'Set via = "mx" or the smart host, once trying is over.',
    ),
    Weak.ALIAS_OUTSIDE: Meaning(
        "Mail that comes in leaves again, spam too; others count it as yours.",
        "`gatepost alias delete ADDRESS`, or let people collect the mail here.",
    ),
    Weak.FILE_OPEN: Meaning(
        "Other users of this machine read, or change, what is in it: passwords, keys, mail.",
        "`chmod o-rwx,g-w` it, and see whom it belongs to.",
    ),
}
