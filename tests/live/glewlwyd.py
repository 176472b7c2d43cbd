"""Glewlwyd, an OpenID Connect provider that others run: Debian's, in a folder of its own, over HTTPS."""

from __future__ import annotations

import json
import shutil
import sqlite3
import ssl
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from live import loopback
from live.authority import Authority
from live.program import Program

PROGRAM = shutil.which("glewlwyd") or shutil.which("glewlwyd", path="/usr/sbin:/usr/bin")
_TABLES = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
_PAGES = Path("/usr/share/glewlwyd/webapp")
_PORT = 4593
_ADMIN = {"username": "admin", "password": "password"}
PASSWORD = "a long walk at dusk"
CLIENT, SECRET = "gatepost", "the secret of gatepost"
_CONFIGURATION = """
port={port}
bind_address="{host}"
external_url="https://{host}:{port}"
login_url="login.html"
api_prefix="api"
static_files_path="{pages}"
static_files_mime_types = (
  {{ extension = ".html" mime_type = "text/html" }}, {{ extension = ".css" mime_type = "text/css" }},
  {{ extension = ".js" mime_type = "application/javascript" }},
  {{ extension = ".json" mime_type = "application/json" }}
)
log_mode="console"
log_level="WARNING"
cookie_domain="{host}"
cookie_secure=1
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
use_secure_connection=true
secure_connection_key_file="{key}"
secure_connection_pem_file="{chain}"
hash_algorithm="SHA512"
database = {{ type = "sqlite3" path = "{database}" }};
"""


class Glewlwyd:
    """Ann is one of its "Mail Admins", bob is in no group. `url` is the issuer."""

    def __init__(self, folder: Path, back: str) -> None:
        self.host = loopback.address(_PORT)
        self.address = f"https://{self.host}:{_PORT}"
        self.url = f"{self.address}/api/oidc"
        authority = Authority(folder / "authority")
        self.ca_file = authority.ca_file
        certificate = authority.issue(self.host)
        database = folder / "glewlwyd.db"
        _make(database)
        file = folder / "glewlwyd.conf"
        file.write_text(
            _CONFIGURATION.format(
                host=self.host, port=_PORT, key=certificate.key, chain=certificate.chain, database=database,
                pages=_pages(folder),
            )
        )  # fmt: skip
        assert PROGRAM is not None
        self.program = Program([PROGRAM, "--config-file", file], folder=folder)
        self.program.wait_for_port(self.host, _PORT)
        self._furnish(back)

    def _furnish(self, back: str) -> None:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        with httpx.Client(base_url=f"{self.address}/api", verify=trust, timeout=60) as admin:
            _done(admin.post("/auth/", json=_ADMIN))
            _done(admin.post("/mod/plugin/", json=_plugin(self.url)))
            for name, group in (("ann", "Mail Admins"), ("bob", "Nobody")):
                _done(
                    admin.post(
                        "/user/",
                        json={
                            "username": name, "name": name.title(), "password": PASSWORD, "enabled": True,
                            "email": f"{name}@example.org", "scope": ["openid", "g_profile"],
                            "groups": [group],
                        },
                    )
                )  # fmt: skip
            _done(
                admin.post(
                    "/client/",
                    json={
                        "client_id": CLIENT, "name": "Gatepost", "enabled": True, "confidential": True,
                        "client_secret": SECRET, "redirect_uri": [back], "authorization_type": ["code"],
                        "token_endpoint_auth_method": ["client_secret_basic", "client_secret_post"],
                    },
                )
            )  # fmt: skip

    def table(self) -> str:
        """`[console.openid]` in the file; the secret lies beside it."""
        return (
            f'[console.openid]\nissuer = "{self.url}"\nca_file = "{self.ca_file}"\nclient_id = "{CLIENT}"\n'
            'client_secret_file = "openid-secret"\nlabel = "Glewlwyd"\nscopes = ["openid"]\n'
            'administrators = "Mail Admins"\nuser_claim = "username"\n'
        )

    def stop(self) -> None:
        self.program.stop()


def _pages(folder: Path) -> Path:
    """Its pages; Debian's package has a folder where their config.json should be."""
    made = folder / "pages"
    shutil.copytree(_PAGES, made)
    config = made / "config.json"
    if config.is_dir():
        text = (config / "config.json").read_text()
        shutil.rmtree(config)
        config.write_text(text)
    return made


def _make(database: Path) -> None:
    with sqlite3.connect(database) as made:
        made.executescript(_TABLES.read_text())
        [(text,)] = made.execute("SELECT gumi_parameters FROM g_user_module_instance").fetchall()
        parameters = json.loads(text)
        parameters["data-format"]["groups"] = {
            "multiple": True, "read": True, "write": True, "profile-read": True, "profile-write": False,
        }  # fmt: skip
        made.execute("UPDATE g_user_module_instance SET gumi_parameters = ?", (json.dumps(parameters),))
    made.close()


def _plugin(issuer: str) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    claims = [
        {"name": name, "user-property": source, "type": "string", "mandatory": True, "scope": []}
        for name, source in (("username", "username"), ("groups", "groups"))
    ]
    parameters = {
        "iss": issuer, "subject-type": "public", "jwt-type": "rsa", "jwt-key-size": "256", "key": private,
        "cert": public, "jwks-show": True, "access-token-duration": 3600, "refresh-token-duration": 3600,
        "code-duration": 600, "refresh-token-rolling": True, "allow-non-oidc": False,
        "auth-type-code-enabled": True, "auth-type-token-enabled": False, "auth-type-id-token-enabled": False,
        "auth-type-none-enabled": False, "auth-type-password-enabled": False,
        "auth-type-client-enabled": False, "auth-type-device-enabled": False,
        "auth-type-refresh-enabled": False, "pkce-allowed": True, "pkce-method-plain-allowed": False,
        "pkce-required": True, "session-management-allowed": True,
        "session-cookie-name": "GLEWLWYD2_OIDC_SID",
        "session-cookie-expiration": 3600, "claims": claims, "scope": [],
        "additional-parameters": [], "name-claim": "no", "email-claim": "no", "scope-claim": "no",
    }  # fmt: skip
    return {
        "module": "oidc", "name": "oidc", "display_name": "OpenID", "order_rank": 0, "readonly": False,
        "parameters": parameters,
    }  # fmt: skip


def _done(answer: httpx.Response) -> None:
    assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text}"
