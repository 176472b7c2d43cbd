"""Pages that are rendered here, and forms that only our own pages can send."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from importlib import resources
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gatepost.console.guarded import cookie, cookie_name
from gatepost.console.office import Office
from gatepost.console.people import Origin
from gatepost.console.policy import OWN_POLICY
from gatepost.console.sessions import Session
from gatepost.console.signin_texts import TEXTS
from gatepost.policy.facts import Peer

_FIELD_CHARACTERS: Final = 4_096
_HEADERS: Final = {"content-security-policy": OWN_POLICY, "cache-control": "no-store"}

STATIC: Final = {
    name: (resources.files(__package__).joinpath("static", name).read_bytes(), kind)
    for name, kind in (("signin.css", "text/css"), ("signin.js", "text/javascript"))
}


class Forged(Exception):
    """The form was not one of ours, or too old."""


class Forms:
    """Renders templates and reads forms."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._templates = Environment(
            loader=PackageLoader("gatepost.console"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The page; every value in it is escaped."""
        openid = self._office.console().openid
        known = {
            "problem": "", "done": "", "hostname": self._office.settings().hostname, "t": TEXTS,
            "provider": "" if openid is None else openid.label,
        }  # fmt: skip
        text = self._templates.get_template(template).render(known | values)
        return HTMLResponse(text, status, headers=_HEADERS)

    def open_page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for whoever has not signed in: its form belongs to a cookie of its own."""
        form = cookie(request.scope, _form_cookie(request)) or secrets.token_urlsafe(24)
        answer = self.page(template, status=status, form=form, **values)
        _set_cookie(request, answer, _form_cookie(request), form)
        return answer

    async def open_fields(self, request: Request) -> Mapping[str, str]:
        """What stands in such a form. Raises Forged."""
        fields = await _fields(request)
        _require(fields.get("form", ""), cookie(request.scope, _form_cookie(request)))
        return fields

    async def fields(self, request: Request, session: Session) -> Mapping[str, str]:
        """What stands in a form of the session. Raises Forged."""
        fields = await _fields(request)
        _require(fields.get("form", ""), session.row.form)
        return fields

    async def json(self, request: Request, session: Session) -> dict[str, Any]:
        """What a script of the session's page sent. Raises Forged."""
        require_script(request, session)
        try:
            value = await request.json()
        except ValueError:
            raise Forged from None
        if not isinstance(value, dict):
            raise Forged
        return value

    async def session(self, request: Request) -> Session | None:
        """The session of the request, whole or not."""
        return await self._office.sessions.find(cookie(request.scope, cookie_name(request.scope)))


def require_script(request: Request, session: Session) -> None:
    """The request carries the session's own word, which no foreign page can read. Raises Forged."""
    _require(request.headers.get("x-csrf-token", ""), session.row.form)


def signed_in(request: Request, path: str, secret: str) -> Response:
    """The browser has the session's cookie, and goes on."""
    answer = RedirectResponse(path, 303)
    keep_session(request, answer, secret)
    return answer


def signed_out(request: Request, path: str = "/sign-in") -> Response:
    """The browser has no cookie any more."""
    answer = RedirectResponse(path, 303)
    answer.delete_cookie(
        cookie_name(request.scope), path="/", secure=_is_secure(request), httponly=True, samesite="strict"
    )
    return answer


def under_way_cookie(request: Request) -> str:
    """The name of the cookie that a sign-in at a provider lives in."""
    return f"{cookie_name(request.scope)}-openid"


def keep_under_way(request: Request, answer: Response, value: str, seconds: int) -> None:
    """The browser sends it back so long, also when another site leads here; 0: no more."""
    answer.set_cookie(
        under_way_cookie(request), value, max_age=seconds, path="/", secure=_is_secure(request),
        httponly=True, samesite="lax",
    )  # fmt: skip


def keep_session(request: Request, answer: Response, secret: str) -> None:
    """The browser has the session's cookie."""
    _set_cookie(request, answer, cookie_name(request.scope), secret)


def origin(request: Request) -> Origin:
    """Where the request comes from."""
    return Origin(peer_of(request), _is_secure(request), secrets.token_hex(5).upper())


def peer_of(request: Request) -> Peer:
    """The address at the other end, never an IPv4-mapped one."""
    assert request.client is not None
    address = ip_address(request.client.host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _form_cookie(request: Request) -> str:
    return f"{cookie_name(request.scope)}-form"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _set_cookie(request: Request, answer: Response, name: str, value: str) -> None:
    # of the browser's session: how long it holds is decided here, not there
    answer.set_cookie(name, value, path="/", secure=_is_secure(request), httponly=True, samesite="strict")


async def _fields(request: Request) -> Mapping[str, str]:
    form = await request.form(max_files=0, max_fields=20)
    return {key: value[:_FIELD_CHARACTERS] for key, value in form.items() if isinstance(value, str)}


def _require(said: str, known: str | None) -> None:
    if not known or not hmac.compare_digest(said.encode("utf-8", "replace"), known.encode()):
        raise Forged
