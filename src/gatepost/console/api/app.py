"""The API as one application, mounted under /api/v1 behind both doors."""

from __future__ import annotations

from fastapi import FastAPI

from gatepost import __version__
from gatepost.console.office import Office


def api_app(office: Office) -> FastAPI:
    """All routers over the office."""
    app = FastAPI(title="Gatepost", version=__version__, docs_url=None, redoc_url=None)
    app.state.office = office
    return app
