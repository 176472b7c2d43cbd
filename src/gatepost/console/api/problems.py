"""Errors of the API: problem details (RFC 9457), a `type` for each thing that a program may tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match

from gatepost.admin.actor import Forbidden, SignInAgain
from gatepost.admin.certimport import CannotImport
from gatepost.admin.configuration import Stale, Unsafe, fault_row, finding_row
from gatepost.admin.file_edits import BadEdit
from gatepost.admin.link import NotRunning, Refused
from gatepost.admin.queue import BadFilter
from gatepost.admin.trace import NoTime
from gatepost.config.edit import EditError
from gatepost.config.load import ConfigError
from gatepost.console.forms import Forged
from gatepost.directory.directory import Unavailable
from gatepost.guard.bans import NotASource
from gatepost.log import Log
from gatepost.store.account_error import (
    AccountError,
    Ambiguous,
    LastAdministrator,
    NameTaken,
    NotFound,
    ProtectedMember,
)

_TYPES: Final = "urn:gatepost:problem:"
MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457. Further members say more: `errors`, `faults`, `findings`, `remedy`."""

    type: str
    title: str
    status: int
    detail: str


class NoCredentials(Exception):
    """Nobody has said who asks."""


def problem(
    status: int, kind: str, title: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """The answer to a request that was not done."""
    content = {"type": f"{_TYPES}{kind}", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(content, status, media_type=MEDIA_TYPE, headers=headers)


# (status, type, title) of what the functions of `admin` raise
_SAID: Final[dict[type[Exception], tuple[int, str, str]]] = {
    Forbidden: (403, "forbidden", "This role or scope does not reach so far"),
    SignInAgain: (403, "sign-in-again", "First sign in again"),
    Forged: (403, "forged", "This request was not sent by a page of ours"),
    NotRunning: (503, "not-running", "No Gatepost runs here now"),
    Unavailable: (503, "directory-unavailable", "A directory does not answer now"),
    NotFound: (404, "not-found", "Not found"),
    NameTaken: (409, "name-taken", "The name is taken"),
    Ambiguous: (409, "ambiguous", "This means more than one"),
    ProtectedMember: (409, "protected-member", "This would give relay to a protected account"),
    LastAdministrator: (409, "last-administrator", "Nobody would be left"),
    AccountError: (422, "refused", "This cannot be"),
    Stale: (412, "changed-meanwhile", "The file is another one by now"),
    EditError: (409, "changed-meanwhile", "The file is another one by now"),
    BadEdit: (422, "refused", "This cannot be"),
    CannotImport: (422, "no-certificate", "This certificate cannot be used"),
    BadFilter: (422, "bad-filter", "This filter names nothing"),
    NotASource: (422, "not-a-source", "This is no address or network"),
    NoTime: (422, "no-time", "This is no time"),
}
_BY_EXIT_CODE: Final = {
    2: (422, "refused", "This cannot be"),
    3: (404, "not-found", "Not found"),
}
_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
    for status, text in (
        (400, "The request cannot be read"),
        (401, "Nobody has said who asks"),
        (403, "Role, scope or session do not reach so far"),
        (404, "Not found"),
        (409, "It does not go with what is there"),
        (411, "The length was not said"),
        (412, "The file is another one by now"),
        (413, "Too long"),
        (422, "Something in the request is wrong"),
        (428, "If-Match is missing"),
        (503, "Gatepost or a directory does not answer"),
    )
}  # fmt: skip


def install(app: FastAPI, log: Log) -> None:
    """Every error of the application is told in this form."""
    for kind in _SAID:
        app.add_exception_handler(kind, _said)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(ConfigError, _invalid_file)
    app.add_exception_handler(Unsafe, _unsafe_file)
    app.add_exception_handler(NoCredentials, _no_credentials)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)

    async def failed(request: Request, error: Exception) -> JSONResponse:
        log.error("api-failed", path=request.url.path, problem=f"{type(error).__name__}: {error}")
        return problem(500, "failed", "This failed here", "The log says more.")

    app.add_exception_handler(Exception, failed)


async def _said(request: Request, error: Exception) -> JSONResponse:
    known = next(kind for kind in type(error).__mro__ if kind in _SAID)
    status, kind, title = _SAID[known]
    more: dict[str, Any] = {}
    if isinstance(error, AccountError):
        more["remedy"] = error.remedy
        if error.risk:
            more["remedy"] = f"{error.remedy}, or say even_so: {error.risk}"
    detail = error.problem if isinstance(error, AccountError) else str(error)
    return problem(status, kind, title, detail, **more)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    code = error.exit_code if isinstance(error, Refused) else 1
    status, kind, title = _BY_EXIT_CODE.get(code, (409, "refused", "This was refused"))
    return problem(status, kind, title, str(error))


async def _invalid_file(request: Request, error: Exception) -> JSONResponse:
    faults = [fault_row(fault) for fault in error.faults] if isinstance(error, ConfigError) else []
    return problem(
        422, "invalid-configuration", "The configuration is not valid", f"{len(faults)} faults", faults=faults
    )


async def _unsafe_file(request: Request, error: Exception) -> JSONResponse:
    items = error.findings.items if isinstance(error, Unsafe) else ()
    return problem(
        422, "unsafe-configuration", "A stranger could relay", str(error),
        findings=[finding_row(one) for one in items],
    )  # fmt: skip


async def _no_credentials(request: Request, error: Exception) -> JSONResponse:
    return problem(
        401, "no-credentials", "Nobody has said who asks", str(error), {"www-authenticate": "Bearer"}
    )


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"at": ".".join(map(str, one["loc"])), "problem": one["msg"]} for one in found]
    unreadable = any(one["type"] == "json_invalid" for one in found)
    detail = "; ".join(f"{one['at']}: {one['problem']}" for one in errors)
    return problem(
        400 if unreadable else 422, "invalid", "Something in the request is wrong", detail, errors=errors
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 405:
        headers = {"allow": ", ".join(_methods(request))}
    kind = {404: "not-found", 405: "method"}.get(status, "refused")
    return problem(status, kind, detail, detail, headers)


def _methods(request: Request) -> list[str]:
    """What the path answers to, by all its routes (RFC 9110 §10.2.1)."""
    found: set[str] = set()
    for route in request.app.state.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)
