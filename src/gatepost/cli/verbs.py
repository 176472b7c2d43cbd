"""Every verb, and the module that brings it: who asks for one waits for no other's to be loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import typer


@dataclass(frozen=True, slots=True)
class Part:
    """A module and the words that lead to it. With a `help` it is one word with verbs below it."""

    module: str
    words: tuple[str, ...]
    help: str | None = None

    def add_to(self, app: typer.Typer) -> None:
        module = import_module(f"gatepost.cli.{self.module}")
        if self.help is None:
            module.add_to(app)
        else:
            app.add_typer(module.app, name=self.words[0], help=self.help)


PARTS: Final = (
    Part("house", ("init", "check")),
    Part("run", ("run",)),
    Part("status", ("status",)),
    Part("install", ("install-service",)),
    Part("service", ("reload", "start", "stop", "pause", "sessions")),
    Part("selftest", ("selftest",)),
    Part("explain", ("explain",)),
    Part("trace", ("trace",)),
    Part("attacks", ("attacks", "ban", "pardon")),
    Part("custody", ("contain", "release")),
    Part("devices", ("devices",)),
    Part("audit", ("audit",)),
    Part("editing", ("config",), "The file edited, and the configurations that were taken over."),
    Part("alarm", ("alarm",), "Who is told of trouble."),
    Part("account", ("user",), "People and devices that may log in."),
    Part("group", ("group",), 'Groups; relaying is given to one, usually "POP3 Relay".'),
    Part("alias", ("alias",), "Addresses whose mail goes to others."),
    Part("mailbox", ("mailbox",), "What lies in the mailboxes; old mail in and out."),
    Part("directory", ("directory",), "Active Directory, LDAP: is everything there."),
    Part("oauth", ("oauth",), "Issuers of tokens: does each step work."),
    Part("cert", ("cert",), "The certificates of the virtual servers."),
    Part("acme", ("acme",), "Certificates fetched from an authority by themselves."),
    Part("admin", ("admin",), "Who signs in to the console."),
    Part("token", ("token",), "What programs show to the API."),
    Part("bring", ("import",), "Settings of Exchange and IIS, as a file of ours."),
    Part("queue", ("queue",), "Mail that waits to be delivered."),
)
"""In the order in which help shows them."""

_FILE: Final = ("-c", "--config")


def asked_for(arguments: Sequence[str]) -> tuple[Part, ...]:
    """The one that is meant, where the command line leaves no doubt; else all of them."""
    word = _first_word(arguments)
    return tuple(part for part in PARTS if word in part.words) or PARTS


def _first_word(arguments: Sequence[str]) -> str | None:
    """What stands first but for `-c FILE`; None when that is another option."""
    left = iter(arguments)
    for word in left:
        if word in _FILE:
            next(left, None)
        elif not word.startswith("--config="):
            return None if word.startswith("-") else word
    return None
