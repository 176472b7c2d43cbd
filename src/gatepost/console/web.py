"""What answers at the address of `[console]`: the API, the sign-in, the console."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from gatepost.console.account import AccountPages
from gatepost.console.console import mount_console
from gatepost.console.forms import Forged, Forms
from gatepost.console.guarded import App, Guarded, Scope, SignedIn
from gatepost.console.invitation import InvitationPages
from gatepost.console.office import Office
from gatepost.console.security_keys import SecurityKeys
from gatepost.console.signin import SignInPages
from gatepost.console.signin_openid import OpenIdPages
from gatepost.console.signin_texts import TEXTS

_API = "/api/v1"
_OPEN = ("/sign-in", "/sign-out", "/invitation", "/account", _API)
"""What is reached without a whole session, and looks itself at who asks."""


def web_app(
    office: Office, api: FastAPI, console: Callable[[FastAPI, Office], None] = mount_console
) -> FastAPI:
    """The API is below /api/v1, the console everywhere else; what is not open wants a session."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    forms, keys = Forms(office), SecurityKeys()
    app.include_router(SignInPages(office, forms, keys).router)
    app.include_router(OpenIdPages(office, forms).router)
    app.include_router(InvitationPages(office, forms).router)
    app.include_router(AccountPages(office, forms, keys, time.time).router)
    console(app, office)
    app.add_exception_handler(Forged, _forged(forms))
    app.add_middleware(Below, api=api)
    app.add_middleware(SignedIn, sessions=office.sessions, open_paths=_OPEN)
    app.add_middleware(Guarded, names=office.names)
    return app


def socket_app(api: FastAPI) -> FastAPI:
    """The API alone, below /api/v1 too."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Below, api=api)
    return app


class Below:
    """What is below /api/v1 is the API's, whatever stands in the path: a mount leaves out line ends."""

    def __init__(self, app: App, api: App) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{_API}/"):
            await self._app(scope, receive, send)
            return
        await self._api({**scope, "root_path": scope.get("root_path", "") + _API}, receive, send)


def _forged(forms: Forms) -> Any:
    async def answer(request: Request, problem: Exception) -> Response:
        return forms.open_page(
            request, "sign_in.html", status=403, problem=TEXTS["expired"], name="", next="/"
        )  # fmt: skip

    return answer
