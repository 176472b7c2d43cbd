"""The API as one application, mounted under /api/v1 behind both doors."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from gatepost import __version__
from gatepost.console.api import (
    administrators,
    certificates,
    config,
    devices,
    findings,
    groups,
    guard,
    mailboxes,
    problems,
    queue,
    servers,
    status,
    tracking,
    users,
)
from gatepost.console.api.idempotency import Idempotent
from gatepost.console.office import Office

_ABOUT = """
What the command line does, over HTTP. Errors are problem details (RFC 9457). PUT, PATCH and DELETE say
what shall be and may be sent again; POST may be sent again with an `Idempotency-Key`.
"""


def api_app(office: Office) -> FastAPI:
    """All routers over the office."""
    app = FastAPI(
        title="Gatepost",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        generate_unique_id_function=lambda route: f"{route.name}",
    )
    app.state.office = office
    app.state.routes = []
    for part in (
        status, findings, servers, queue, users, devices, groups, mailboxes, guard, tracking, config,
        certificates, administrators,
    ):  # fmt: skip
        app.include_router(part.router)
        app.state.routes += part.router.routes
    problems.install(app, office.log)
    app.add_middleware(Idempotent, store=office.store)
    app.openapi = _documented(app)  # type: ignore[method-assign]
    return app


def _documented(app: FastAPI) -> Any:
    """The OpenAPI document, with the one shape of errors."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = problems.Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    return openapi
