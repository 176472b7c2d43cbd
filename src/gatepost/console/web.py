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
from gatepost.console.guarded import Guarded, SignedIn
from gatepost.console.invitation import InvitationPages
from gatepost.console.office import Office
from gatepost.console.security_keys import SecurityKeys
from gatepost.console.signin import SignInPages
from gatepost.console.signin_texts import TEXTS

_OPEN = ("/sign-in", "/sign-out", "/invitation/", "/account", "/api/v1/")
"""What is reached without a whole session, and looks itself at who asks."""


def web_app(
    office: Office, api: FastAPI, console: Callable[[FastAPI, Office], None] = mount_console
) -> FastAPI:
    """The API is below /api/v1, the console everywhere else; what is not open wants a session."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    forms, keys = Forms(office), SecurityKeys()
    app.include_router(SignInPages(office, forms, keys).router)
    app.include_router(InvitationPages(office, forms).router)
    app.include_router(AccountPages(office, forms, keys, time.time).router)
    app.mount("/api/v1", api)
    console(app, office)
    app.add_exception_handler(Forged, _forged(forms))
    app.add_middleware(SignedIn, sessions=office.sessions, open_paths=_OPEN)
    app.add_middleware(Guarded, names=office.names)
    return app


def socket_app(api: FastAPI) -> FastAPI:
    """The API alone, below /api/v1 too."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/api/v1", api)
    return app


def _forged(forms: Forms) -> Any:
    async def answer(request: Request, problem: Exception) -> Response:
        return forms.open_page(
            request, "sign_in.html", status=403, problem=TEXTS["expired"], name="", next="/"
        )  # fmt: skip

    return answer
