"""An OpenID provider on this machine: signs in whoever is `person` at once, and lies where it is told to."""

from __future__ import annotations

import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from issuer import CLIENT, SECRET, Issuer

ANN = {"sub": "0001", "preferred_username": "Ann", "groups": ["staff", "Mail Admins"]}


@dataclass
class Given:
    """A code that waits for its exchange, and the request it answers."""

    asked: dict[str, str]
    redirect: str


class OpenIdProvider(Issuer):
    """`said` are further claims of ID tokens (None takes one out), `header` and `key` how they are signed.

    `asked` of the last sign-in is in `requests`; `userinfo` is what it says there.
    """

    def __init__(self, folder: Path) -> None:
        self.requests: list[dict[str, str]] = []
        self.codes: dict[str, Given] = {}
        self.begin_anew()
        super().__init__(folder)

    def begin_anew(self) -> None:
        """Ann, and nothing but the truth."""
        self.person: dict[str, Any] = dict(ANN)
        self.said: dict[str, Any] = {}
        self.signing: dict[str, Any] = {}
        self.id_token: str | None = None
        self.unsigned = False
        self.userinfo: dict[str, Any] = {"sub": ANN["sub"]}
        self.signed_in_at: float | None = None

    def table(self, **more: str) -> dict[str, Any]:
        """`[console.openid]`, as plain values."""
        return {
            "issuer": self.url, "ca_file": str(self.ca_file), "client_id": CLIENT, "label": "Example ID",
            "administrators": "Mail Admins", "viewers": ["staff"], **more,
        }  # fmt: skip

    def _page(self, page: BaseHTTPRequestHandler) -> Any:
        path = urlsplit(page.path)
        if path.path == "/tenant/userinfo":
            return self.userinfo
        if path.path == "/tenant/authorize":
            return self._authorized({key: one[0] for key, one in parse_qs(path.query).items()})
        said = super()._page(page)
        if page.path == "/tenant/.well-known/openid-configuration":
            for name in ("authorize", "userinfo", "leave"):
                key = {"authorize": "authorization", "leave": "end_session"}.get(name, name)
                said[f"{key}_endpoint"] = f"{self.url}/{name}"
        return said

    def _authorized(self, asked: dict[str, str]) -> Any:
        assert asked["response_type"] == "code"
        assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT, "S256")
        self.requests.append(asked)
        code = secrets.token_urlsafe(8)
        self.codes[code] = Given(asked, asked["redirect_uri"])
        return 303, f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}".encode()

    def _token_page(self, page: BaseHTTPRequestHandler) -> Any:
        body = page.rfile.read(int(page.headers["Content-Length"])).decode()
        form = {key: one[0] for key, one in parse_qs(body).items()}
        basic = page.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, secret = b64decode(basic).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client", "error_description": "who is that"}
        given = self.codes.pop(form["code"], None)
        if given is None or not self._fits(given, form):
            return 400, {"error": "invalid_grant", "error_description": "no such code"}
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300}
        return {**answer, "id_token": self.id_token or self._id_token(given)}

    def _fits(self, given: Given, form: dict[str, str]) -> bool:
        challenge = create_s256_code_challenge(form.get("code_verifier", ""))
        return challenge == given.asked["code_challenge"] and form.get("redirect_uri") == given.redirect

    def _id_token(self, given: Given) -> str:
        at = int(self.signed_in_at or time.time())
        claims = {"aud": CLIENT, "nonce": given.asked["nonce"], "auth_time": at, **self.person, **self.said}
        token = self.token(claims.pop("preferred_username", None), **self.signing, **claims)
        return _unsigned(token) if self.unsigned else token


def _unsigned(token: str) -> str:
    """The same claims under the algorithm `none` (RFC 7519 §6)."""
    header = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."
