"""`[console.openid]`: people whom a provider signs in to the console (OpenID Connect Core 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

from gatepost.config.fault import Complaint
from gatepost.config.oauth import Issuer, issuer_complaints, not_installed
from gatepost.config.value import FilePath, Listed, OneOrList, Text

if TYPE_CHECKING:
    from gatepost.config.schema import Settings

_PATH: Final = ("console", "openid")
_LABEL_CHARACTERS: Final = 60


class OpenId(Issuer):
    """Who we are there, and which values of `roles_claim` give a role here. Without one nobody is let in.

    Without `client_secret_file` we are a public client, which PKCE alone protects.
    """

    client_id: Text
    client_secret_file: FilePath | None = None
    label: Text = "single sign-on"
    scopes: Annotated[tuple[Text, ...], Listed] = ("openid", "profile", "email")
    user_claim: Text = "preferred_username"
    roles_claim: Text = "groups"
    administrators: Annotated[tuple[Text, ...], OneOrList] = ()
    operators: Annotated[tuple[Text, ...], OneOrList] = ()
    viewers: Annotated[tuple[Text, ...], OneOrList] = ()

    @property
    def meaningful(self) -> frozenset[str]:
        """The values that give a role."""
        return frozenset({*self.administrators, *self.operators, *self.viewers})


def openid_complaints(settings: Settings) -> Iterator[Complaint]:
    """Every complaint about the sign-in by a provider."""
    openid = None if settings.console is None else settings.console.openid
    if openid is None:
        return
    yield from not_installed(_PATH)
    yield from issuer_complaints(_PATH, openid)
    if "openid" not in openid.scopes:
        yield Complaint((*_PATH, "scopes"), "has no openid, without which nobody is named", "add openid")
    if not openid.meaningful:
        remedy = f'write administrators = "...", a value of the claim {openid.roles_claim}'
        yield Complaint(_PATH, "nobody could sign in", remedy)
    for key in ("administrators", "operators", "viewers"):
        if any(not value.strip() for value in getattr(openid, key)):
            yield Complaint((*_PATH, key), "an empty value would be a role for the nameless", "take it out")
    if not (0 < len(openid.label.strip()) <= _LABEL_CHARACTERS and openid.label.isprintable()):
        problem = "does not fit on a button"
        yield Complaint((*_PATH, "label"), problem, f"write 1 to {_LABEL_CHARACTERS} characters")
    for key in ("client_id", "user_claim", "roles_claim"):
        if not getattr(openid, key).strip():
            yield Complaint((*_PATH, key), "is empty", "write what the provider calls it")
