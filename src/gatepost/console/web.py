"""What answers at the address of `[console]`: the API, the sign-in, the console."""

from __future__ import annotations

from fastapi import FastAPI

from gatepost.console.console import mount_console
from gatepost.console.office import Office


def web_app(office: Office, api: FastAPI) -> FastAPI:
    """The API is below /api/v1, the console everywhere else."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/api/v1", api)
    mount_console(app, office)
    return app


def socket_app(api: FastAPI) -> FastAPI:
    """The API alone, below /api/v1 too."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/api/v1", api)
    return app
