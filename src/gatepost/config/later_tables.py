"""Tables of the file whose behaviour comes with later versions; `later` refuses them until then."""

from __future__ import annotations

from typing import Annotated

from gatepost.config.model import Model
from gatepost.config.value import FilePath, HttpUrl, Listed, Text


class OAuth(Model):
    """`[oauth.NAME]`: an issuer whose tokens are taken, or from whom tokens are fetched."""

    issuer: HttpUrl
    audience: Text | None = None
    client_id: Text | None = None
    client_secret_file: FilePath | None = None
    scopes: Annotated[tuple[Text, ...], Listed] = ()
    groups_claim: Text | None = None
