"""The English texts of the sign-in pages, in one place."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "sign_in": "Sign in",
    "name": "Name",
    "password": "Password",
    "new_password": "New password",
    "again": "The same again",
    "present_password": "Present password",
    "refused": "Name or password is wrong, or this account may not sign in here.",
    "silent": "The directory does not answer. Try again in a moment.",
    "expired": "The form was too old. Try again.",
    "second": "Second factor",
    "code": "Code from the app",
    "code_wrong": "That is not the code of now, or it was used already.",
    "code_hint": "Six digits.",
    "go_on": "Go on",
    "use_key": "Use a security key",
    "key_failed": "The security key was not accepted.",
    "or": "or",
    "sign_out": "Sign out",
    "reauth": "Once more your password",
    "reauth_why": "What you are about to do is dangerous, and you signed in a while ago.",
    "wrong_password": "The password is wrong.",
    "first": "The first administrator",
    "first_why": "Choose your name and password. This link works once.",
    "invited": "Set your password",
    "invited_why": "This link works once.",
    "link_dead": "This link is not good any more",
    "link_dead_why": "It works once and for a limited time. `gatepost admin reset NAME` prints a new one.",
    "differ": "The two passwords differ.",
    "account": "Your sign-in",
    "account_bare": "A second factor is required here. Set up an app or a security key to go on.",
    "app": "Code from an app",
    "app_on": "Set up: a code is asked for at each sign-in.",
    "app_off": "Scan this with an authenticator app, then type the code that it shows.",
    "app_text": "Or type this into the app:",
    "app_remove": "Remove the app",
    "security_keys": "Security keys",
    "keys_none": "None yet.",
    "key_label": "What to call it",
    "key_add": "Add a security key",
    "key_remove": "Remove",
    "key_unavailable": "Security keys need a host name: open the console by its name, not by an address.",
    "change_password": "Change the password",
    "changed": "Done.",
    "directory_password": "Your password is the directory's.",
    "to_console": "To the console",
    "sign_in_with": "Sign in with",
    "signed_out": "You are signed out here.",
    "signed_out_there": "You may still be signed in there. Sign out of",
    "provider_again": "Once more your password",
    "provider_password": "Your password is kept by",
    "welcome": "You are signed in",
}

OPENID: Final = {
    "silent": "{label} does not answer. Sign in with a password, or try again in a moment.",
    "issuer_unavailable": (
        "{label} does not answer as it should. Sign in with a password, or try again in a moment; Gatepost's "
        "log says what is wrong."
    ),
    "stale": "This sign-in was not begun in this browser, took too long, or was used already. Begin again.",
    "denied": "{label} did not sign you in ({words}). Begin again, or ask those who run it.",
    "access_denied": (
        "{label} has signed you in, but nothing that it says of you gives a role here. Ask whoever runs "
        "Gatepost which group has one."
    ),
    "token_refused": (
        "The answer of {label} cannot be believed. Begin again; if that is no help, Gatepost's log says why."
    ),
    "token_expired": (
        "The answer of {label} has ended, or not begun. Begin again; if that does not help, the clock of one "
        "of the two machines is wrong."
    ),
    "token_not_for_us": "{label} gave an answer that is for another program: client_id does not fit.",
    "login_refused_by_guard": "Too many sign-ins have failed from where you are. Try again later.",
    "login_later": "Too many sign-ins are under way from where you are. Try again in a moment.",
    "no_auth_time": (
        "{label} did not say when you gave your password (auth_time): it may not have been asked for. Have "
        "it heed prompt=login and send auth_time; until then, sign in as an administrator of Gatepost's own."
    ),
    "not_again": (
        "{label} did not say that you, and nobody else, have just given your password. Try again; if that "
        "does not help, sign in as an administrator of Gatepost's own."
    ),
}
"""What went wrong at a provider, and what to do."""
