"""What CAPA lists (RFC 2449 §6 and those that add to it), and what LANG answers (RFC 6856 §3). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gatepost.pop3.reply import Reply, err, listing, ok


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What is offered now: it differs before and after TLS, and before and after login.

    `user`: USER and PASS would be heard. `mechanisms`: SASL, empty when none. `stls`: not yet in TLS.
    `login_delay_seconds`: 0 is not shown. `expire_days`: None is NEVER: mail is kept until deleted.
    `implementation`: None hides it.
    """

    user: bool
    stls: bool
    mechanisms: tuple[str, ...] = ()
    login_delay_seconds: int = 0
    expire_days: int | None = None
    implementation: str | None = None

    def reply(self) -> Reply:
        """The answer to CAPA."""
        return listing("capability list follows", (line.encode() for line in self.lines()))

    def lines(self) -> Iterator[str]:
        """Each capability, as CAPA shows it."""
        yield from ("TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING")
        if self.user:
            yield "USER"
        if self.mechanisms:
            yield "SASL " + " ".join(self.mechanisms)
        if self.stls:
            yield "STLS"
        if self.login_delay_seconds:
            yield f"LOGIN-DELAY {self.login_delay_seconds}"
        yield f"EXPIRE {'NEVER' if self.expire_days is None else self.expire_days}"
        # RFC 6856 §2.1: USER tells that names and passwords may be UTF-8.
        yield "UTF8 USER"
        yield "LANG"
        if self.implementation is not None:
            yield f"IMPLEMENTATION {self.implementation}"

    def mechanisms_reply(self) -> Reply:
        """The answer to AUTH without a mechanism."""
        return listing("mechanisms follow", (name.encode() for name in self.mechanisms))


# RFC 6856 §3.2: i-default must be there; it is English here.
_LANGUAGES: Final = {"en": "English", "i-default": "Default language (English)"}


def language(tag: str | None) -> Reply:
    """The answer to LANG: the list, or the language now spoken (RFC 6856 §3)."""
    if tag is None:
        return listing("languages follow", (f"{name} {words}".encode() for name, words in _LANGUAGES.items()))
    wanted = "i-default" if tag == "*" else tag.lower()
    name = wanted if wanted in _LANGUAGES else wanted.partition("-")[0]
    if name not in _LANGUAGES:
        return err("that language is not spoken here")
    return ok(f"{name} now spoken")
