"""Which passwords are refused when one is set.

Short ones, and what attackers try first. No rules about characters: they make people write notes, a guess
list costs the attacker nothing (NIST SP 800-63B §3.1.1.2).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from gatepost.directory.guesses import own_guesses
from gatepost.directory.password import PASSWORD_BYTES, prepared
from gatepost.secret import Secret
from gatepost.store.account_error import PasswordRefused

LEAST_CHARACTERS: Final = 8  # NIST SP 800-63B §3.1.1.2
_TRAILING: Final = re.compile(r"[\W\d_]+$")


def common_passwords() -> frozenset[str]:
    """The list of passwords attackers try, lower case."""
    text = resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def require_good(name: str, password: Secret, *, full_name: str = "", even_so: bool = False) -> None:
    """The password may be set for the user. `even_so` lets one pass that is short, or that attackers try.

    Raises:
        PasswordRefused: it is empty, cannot be sent by every mail program, is too short, or is tried first.
    """
    text = password.reveal()
    if not text.strip():
        raise PasswordRefused("the password is empty", "give one of at least a few words")
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise PasswordRefused("the password has control characters", "mail programs cannot send them")
    if len(prepared(password)) > PASSWORD_BYTES:
        raise PasswordRefused(f"the password is longer than {PASSWORD_BYTES} bytes", "give a shorter one")
    if even_so:
        return
    if _is_tried_first(name, full_name, text):
        raise PasswordRefused(
            "the password is one that attackers try first", "give another", risk="expect a break-in"
        )
    if len(text) < LEAST_CHARACTERS:
        raise PasswordRefused(
            f"the password has fewer than {LEAST_CHARACTERS} characters",
            "give a longer one; three plain words will do",
            risk="expect a break-in",
        )


def _is_tried_first(name: str, full_name: str, text: str) -> bool:
    """On the list, also with digits or marks behind it; or made of the names, as `gatepost audit` tries."""
    word = text.strip().lower()
    stem = _TRAILING.sub("", word)
    local, _, domain = name.lower().partition("@")
    own = {name.lower(), local, domain, domain.partition(".")[0]} - {""}
    common = common_passwords()
    if word in common or stem in common | own or word in own or len(set(word)) == 1:
        return True
    return any(guess.lower() == word for guess in own_guesses(name, full_name, datetime.now(UTC).year))
