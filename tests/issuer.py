"""An OpenID Connect issuer on this machine: HTTPS, discovery, keys, and tokens as real ones sign them."""

from __future__ import annotations

import json
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from joserfc import jwk, jwt

from live.authority import Authority

AUDIENCE = "gatepost"
CLIENT, SECRET = "mail gate", "the client's secret"


class Issuer:
    """Serves until closed. `keys` are the published ones; `asked` are the paths asked for.

    `answer` takes the place of what is said at a path; `hangs` makes it say nothing at all.
    """

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder / "issuer")
        self.ca_file = authority.ca_file
        self.keys: list[jwk.Key] = [rsa_key("first")]
        self.asked: list[str] = []
        self.answer: dict[str, Any] = {}
        self.hangs = threading.Event()
        self.token_seconds = 3600
        self.token_claims: dict[str, Any] = {"preferred_username": "relay@example.org"}
        issuer = self

        class Page(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                issuer._served(self, issuer._page)

            def do_POST(self) -> None:
                issuer._served(self, issuer._token_page)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._server.daemon_threads = True
        certificate = authority.issue("127.0.0.1")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.chain, certificate.key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/tenant"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.hangs.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self, **more: str) -> str:
        """Its table in the configuration, named `house`; values are TOML."""
        keys = {
            "issuer": f'"{self.url}"',
            "ca_file": f'"{self.ca_file}"',
            "audience": f'"{AUDIENCE}"',
            **more,
        }
        return "[oauth.house]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())

    def token(
        self,
        user: str | None = "bob@example.org",
        *,
        key: jwk.Key | None = None,
        header: Any = None,
        **more: Any,
    ) -> str:
        """A good one for `user`, unless `more` (its claims; None takes one out) says otherwise."""
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": AUDIENCE, "exp": now + 3600, "iat": now, "preferred_username": user,
            **more,
        }  # fmt: skip
        key = key or self.keys[0]
        kind = {"RSA": "RS256", "EC": "ES256"}.get(key.key_type, "HS256")
        wanted = {"alg": kind, "kid": key.kid, **(header or {})}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(wanted, kept, key, algorithms=[wanted["alg"]])

    def _served(self, page: BaseHTTPRequestHandler, answer: Callable[[BaseHTTPRequestHandler], Any]) -> None:
        self.asked.append(page.path)
        while self.hangs.is_set():
            time.sleep(0.05)
        said = self.answer.get(page.path.removeprefix("/tenant")) or answer(page)
        status, body = said if isinstance(said, tuple) else (200, said)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            page.send_response(status)
            if status == 303:  # the body is where it goes on
                page.send_header("Location", data.decode())
            page.send_header("Content-Type", "application/json")
            page.send_header("Content-Length", str(len(data)))
            page.end_headers()
            page.wfile.write(data)
        except OSError:
            pass

    def _page(self, page: BaseHTTPRequestHandler) -> Any:
        if page.path == "/tenant/.well-known/openid-configuration":
            return {
                "issuer": self.url, "jwks_uri": f"{self.url}/keys", "token_endpoint": f"{self.url}/token",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }  # fmt: skip
        if page.path == "/tenant/keys":
            return {"keys": [key.as_dict(private=False) for key in self.keys]}
        return 404, {}

    def _token_page(self, page: BaseHTTPRequestHandler) -> Any:
        form = parse_qs(page.rfile.read(int(page.headers["Content-Length"])).decode())
        basic = page.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, secret = b64decode(basic).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client", "error_description": "who is that"}
        claims = {
            **self.token_claims,
            "exp": int(time.time()) + self.token_seconds,
            "scope": form["scope"][0],
        }
        return {
            "access_token": self.token(**{"user": None, **claims}),
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
        }


def rsa_key(kid: str) -> jwk.Key:
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})
