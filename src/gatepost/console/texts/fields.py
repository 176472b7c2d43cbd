"""The settings that pages show as fields: what each is called and what it is for."""

from __future__ import annotations

from typing import Final

INHERITED: Final = "{value} as in Settings"
DEFAULT: Final = "{value} unless set"
UNSET: Final = "not set"
REQUIRED: Final = "required"

LABELS: Final = {
    "listen": ("Addresses", "Address and port, one a line: 0.0.0.0:25 or [::]:25"),
    "proxies": ("Trusted proxies", "Networks whose PROXY header is believed, one a line"),
    "connections": ("Connections at most", "Of this virtual server at one time"),
    "connections_per_peer": ("Connections of one address at most", ""),
    "idle_seconds": ("Silence before a session ends (seconds)", ""),
    "command_seconds": ("Time for one command (seconds)", ""),
    "data_seconds": ("Time for one message (seconds)", ""),
    "handshake_seconds": ("Time for the TLS handshake (seconds)", ""),
    "errors_per_session": ("Errors before a session ends", ""),
    "message_size_bytes": ("Largest message (bytes)", "Announced by SIZE"),
    "recipients_per_message": ("Recipients of one message at most", ""),
    "received_headers": ("Received headers before it is a loop", ""),
    "messages_per_minute_per_user": ("Messages a minute of one user", ""),
    "domains_per_day_per_user": ("Domains a day of one user", ""),
    "recipients_per_hour_per_user": ("Recipients an hour of one user", ""),
    "recipients_per_day_per_user": ("Recipients a day of one user", ""),
    "login_delay_seconds": ("Seconds between two logins of one user", "0: none"),
    "expire_days": ("Days that mail is kept for sure", "Announced to clients; empty: for ever"),
    "block_lists": ("DNS block lists", "One a line: zen.spamhaus.org"),
    "scan.url": ("Content check (rspamd)", "http://127.0.0.1:11333; empty: none"),
    "scan.when_silent": ("When the content check is silent", ""),
    "scan.on_reject": ("Mail it would reject", ""),
    "scan.on_add_header": ("Mail it would mark", ""),
    "scan.on_greylist": ("Mail it would put off", ""),
    "hostname": ("Name of this host", "As other mail servers know it: mail.example.org"),
    "workers": ("Worker processes", "Takes effect at the next start"),
    "retry.intervals_seconds": ("Waits between attempts (seconds)", "One a line; the last is repeated"),
    "retry.delay_warning_seconds": ("Tell the sender of the delay after (seconds)", ""),
    "retry.give_up_seconds": ("Give up after (seconds)", "The sender gets a report"),
    "mailboxes.quota_bytes": ("Mailbox size at most (bytes)", "Empty: no limit"),
    "mailboxes.when_full": ("When a mailbox is full", ""),
    "log.level": ("Log from", ""),
    "log.format": ("Log format", ""),
    "tracking.days": ("Days that tracking is kept", ""),
    "tracking.size_bytes": ("Size of tracking at most (bytes)", ""),
    "guard.guessable": ("Names that attackers guess", "One a line; relay only by an entry that names it"),
    "guard.decoys": ("Decoys", "One a line; who tries one that is no account is an attacker"),
    "guard.trusted": ("Trusted networks", "One a line; never shut out, though guessing is slowed"),
    "guard.wrong_passwords_per_address": ("Wrong passwords from one address", ""),
    "guard.wrong_passwords_per_small_network": ("Wrong passwords from one small network", ""),
    "guard.wrong_passwords_per_network": ("Wrong passwords from one network", ""),
    "guard.wrong_passwords_per_name": ("Wrong passwords for one name", ""),
    "guard.slow_after": ("Answers slow down after so many", ""),
    "guard.delay_most_seconds": ("Slowest answer (seconds)", ""),
    "guard.window_seconds": ("Counted over (seconds)", ""),
    "guard.refuse_seconds": ("Shut out for (seconds)", "The first time"),
    "guard.refuse_most_seconds": ("Shut out for at most (seconds)", ""),
    "guard.records_days": ("Days that attempts are kept", ""),
    "guard.habits.messages_per_day": ("Messages a day before containment", ""),
    "guard.habits.recipients_per_day": ("Recipients a day before containment", ""),
    "guard.habits.domains_per_day": ("Domains a day before containment", ""),
    "deliver": ("Delivered to", "mailbox, smtp://host:port or lmtp://host:port"),
    "unknown": ("Unknown recipients", "reject, or smtp://host:port to forward them"),
    "catch_all": ("Catch-all address", "Empty: none"),
    "postmaster": ("Postmaster", "Empty: the first administrator"),
    "via": ("By way of", "mx, smtp://host:port, smtps://host:port or lmtp://host:port"),
    "tls": ("TLS", "verify: its certificate too"),
    "login.user": ("Log in as", "Empty: no logging in"),
    "login.password_file": ("File with the password", "Relative to gatepost.toml"),
    "guard.habits.refusals_per_day": ("Refusals a day before containment", ""),
}  # fmt: skip
CHOICES: Final = {
    "Directory.login.search": "search: the entry is found, then its password checked",
    "Directory.login.direct": "direct: log in as what was typed, then look",
    "Console.second_factor.offer": "offer: who has one needs it",
    "Console.second_factor.require": "require: everybody sets one up",
    "Acme.challenge.http-01": "http-01: on port 80",
    "Acme.challenge.tls-alpn-01": "tls-alpn-01: on port 443",
    "LocalDomain.when_silent.defer": "defer: 451",
    "LocalDomain.when_silent.accept": "accept, and keep it",
    "Mailboxes.when_full.defer": "defer: 452, the sender tries again",
    "Mailboxes.when_full.refuse": "refuse: 552",
    "app-password": "Who logs in with a device password",
    "account": "The accounts and groups named here",
    "address": "Addresses that send without a login",
    "attack": "Guessing: a source is shut out, a name is under attack",
    "login-after-failures": "A login after many wrong passwords",
    "login-from-new-network": "A login from a new network",
    "contained": "An account was contained",
    "queue-growing": "The queue grows",
    "certificate-ending": "A certificate is ending",
    "disk-nearly-full": "The disk is nearly full",
    "device-silent": "A device fell silent",
    "device-back": "It sends again",
    "directory-down": "A directory is down",
}
"""What a word of the file means; of one key where it stands before the word."""

# secrets
SECRET: Final = "Set..."
SECRET_OF: Final = "Set or replace: {label}"
SECRET_SET: Final = "Set"
SECRET_FIELD: Final = "The secret"
SECRET_ABOUT: Final = (
    "It is written into a new file that only Gatepost can read, and never shown again. "
    "It is used when the change is applied."
)
SECRET_EMPTY: Final = "Type the secret: one line."
UPLOAD: Final = "Upload..."
UPLOAD_OF: Final = "Upload or replace: {label}"
KEYTAB_FIELD: Final = "Keytab, as ktutil or ktpass wrote it"
NO_KEYTAB: Final = "This is no keytab; choose the file that ktutil, ktpass or samba-tool wrote."
SECRET_WRITING: Final = "Writing the secret"
SECRET_FAILED: Final = "The secret could not be written: {problem}"

# dialogs over several keys
ALSO_WRONG: Final = "{key}: {problem}"
