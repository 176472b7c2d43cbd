"""Signing in by way of a provider: to it, back from it, once more the password, and out of it.

The provider's answer comes from another site, so browsers send no cookie of the session with it, which is
SameSite=Strict. What is under way stands in a cookie of its own, and the page that is answered leads on
into the console: from here, and so with the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gatepost.console.forms import Forms, keep_session, keep_under_way, origin, peer_of, under_way_cookie
from gatepost.console.guarded import cookie, safe_next
from gatepost.console.house_provider import HouseProvider
from gatepost.console.office import Office
from gatepost.console.people import Person
from gatepost.console.sealed import LASTS_SECONDS, Opening, UnderWay, sealed
from gatepost.console.sessions import HALF, Session
from gatepost.console.signin import after_password
from gatepost.console.signin_texts import OPENID
from gatepost.directory.granted import TokenRefused
from gatepost.directory.idtoken import Voucher
from gatepost.directory.issuer import IssuerSilent
from gatepost.policy.reasons import Reason

_BACK: Final = "/sign-in/openid/back"
_WORDS_CHARACTERS: Final = 200
_PATH_CHARACTERS: Final = 1_000
_STATUS: Final = {Reason.ISSUER_UNAVAILABLE: 503}


class OpenIdPages:
    """`router` has them. `clock` counts Unix seconds."""

    def __init__(self, office: Office, forms: Forms, clock: Callable[[], float] = time.time) -> None:
        self._office = office
        self._forms = forms
        self._clock = clock
        self._opening = Opening(clock)
        self._house = HouseProvider(office)
        self.router = APIRouter(include_in_schema=False)
        for path, answer in (
            ("/sign-in/openid", self._begin),
            ("/sign-in/openid/again", self._begin_again),
            (_BACK, self._back),
            ("/sign-in/openid/out", self._out),
        ):
            self.router.add_api_route(path, answer, methods=["GET"], response_model=None)

    # to the provider

    async def _begin(self, request: Request) -> Response:
        session = await self._forms.session(request)
        onward = safe_next(request.query_params.get("next"))
        if session is not None and session.is_whole:
            return RedirectResponse(onward, 303)
        return await self._sent(request, onward, session, again=False)

    async def _begin_again(self, request: Request) -> Response:
        session = await self._forms.session(request)
        if session is None or session.row.stage == HALF or session.voucher is None:
            return RedirectResponse("/sign-in", 303)
        return await self._sent(request, safe_next(request.query_params.get("next")), session, again=True)

    async def _sent(self, request: Request, onward: str, session: Session | None, *, again: bool) -> Response:
        house = self._required()
        under_way = UnderWay.begun(
            onward if len(onward) <= _PATH_CHARACTERS else "/", self._clock(),
            session="" if session is None else session.row.id.hex(), again=again,
        )  # fmt: skip
        try:
            address = await house.provider().sign_in_address(
                under_way.asking, _back_address(request), again=again,
                within_seconds=self._office.console().session_seconds,
            )  # fmt: skip
        except IssuerSilent as silent:
            self._office.log.warning("openid-silent", peer=peer_of(request), problem=str(silent))
            return self._failed(request, under_way, "silent", status=503)
        answer = RedirectResponse(address, 303)
        keep_under_way(request, answer, sealed(under_way), LASTS_SECONDS)
        return answer

    # back from it

    async def _back(self, request: Request) -> Response:
        house, said = self._required(), request.query_params
        kept = cookie(request.scope, under_way_cookie(request))
        under_way = self._opening.opened(kept, said.get("state", ""))
        issuer = said.get("iss", house.openid.issuer).rstrip("/")  # RFC 9207 §2.4
        if under_way is None or issuer != house.openid.issuer:
            self._refused(request, "not begun in this browser, too old, or used already")
            return self._failed(request, None, "stale", status=400)
        code = said.get("code")
        if code is None:
            words = f"{said.get('error', '')}: {said.get('error_description', '')}"[:_WORDS_CHARACTERS]
            self._refused(request, f"the provider says {words!r}")
            return self._failed(request, under_way, "denied", status=403, words=words)
        return await self._answered(request, under_way, code)

    async def _answered(self, request: Request, under_way: UnderWay, code: str) -> Response:
        vouchers: list[Voucher] = []

        async def ask() -> Voucher:
            provider = self._required().provider()
            voucher = await provider.voucher(under_way.asking, code, _back_address(request))
            vouchers.append(voucher)
            if under_way.again:
                await self._require_same(under_way, voucher)
            return voucher

        found = await self._office.people.by_provider(ask, origin(request))
        if not isinstance(found, Person):
            kind = found.value.replace("-", "_")
            if under_way.again and found is Reason.TOKEN_REFUSED:
                untold = bool(vouchers) and vouchers[0].signed_in_at is None
                kind = "no_auth_time" if untold else "not_again"
            kind = kind if kind in OPENID else "token_refused"
            return self._failed(request, under_way, kind, status=_STATUS.get(found, 403))
        if under_way.again:
            await self._office.sessions.prove(bytes.fromhex(under_way.session))
            return self._onward(request, under_way.onward)
        return await self._welcomed(request, under_way, found)

    async def _welcomed(self, request: Request, under_way: UnderWay, found: Person) -> Response:
        if under_way.session:
            await self._office.sessions.end_number(bytes.fromhex(under_way.session))
        secret = await self._office.sessions.begin(found, str(peer_of(request)))
        await self._house.note(found)
        answer = self._onward(request, after_password(found, under_way.onward))
        keep_session(request, answer, secret)
        return answer

    async def _require_same(self, under_way: UnderWay, voucher: Voucher) -> None:
        """It is the same person, who has given the password since it was asked for. Raises TokenRefused."""
        session = await self._office.sessions.numbered(bytes.fromhex(under_way.session))
        before = None if session is None else session.voucher
        if before is None or (before.issuer, before.subject) != (voucher.issuer, voucher.subject):
            raise TokenRefused(Reason.TOKEN_REFUSED, "somebody else signed in, or the session has ended")
        since = under_way.at - self._required().openid.leeway_seconds
        if voucher.signed_in_at is None:
            raise TokenRefused(
                Reason.TOKEN_REFUSED, "it does not say when the password was given (auth_time)"
            )
        if voucher.signed_in_at < since:
            raise TokenRefused(
                Reason.TOKEN_REFUSED, "it says that the password was not given anew (auth_time)"
            )

    def _onward(self, request: Request, path: str) -> Response:
        answer = self._forms.page("onward.html", next=path)
        keep_under_way(request, answer, "", 0)
        return answer

    # out of it

    async def _out(self, request: Request) -> Response:
        try:
            address = await self._required().provider().sign_out_address()
        except IssuerSilent:
            return self._failed(request, None, "silent", status=503)
        return RedirectResponse(address or "/sign-in", 303)

    # inside

    def _required(self) -> HouseProvider:
        if self._office.console().openid is None:
            raise HTTPException(404)
        return self._house

    def _refused(self, request: Request, problem: str) -> None:
        self._office.log.warning(
            "console-refused", server="console", peer=peer_of(request), mechanism="OPENID", problem=problem
        )

    def _failed(
        self, request: Request, under_way: UnderWay | None, kind: str, *, status: int, words: str = ""
    ) -> Response:
        """Says what is wrong and what to do; a password goes on working beside it."""
        label = self._required().openid.label
        problem = OPENID[kind].format(label=label, words=words)
        again, onward = under_way is not None and under_way.again, under_way.onward if under_way else "/"
        if again:
            return self._forms.page("provider.html", status=status, problem=problem, next=onward)
        return self._forms.open_page(
            request, "sign_in.html", status=status, problem=problem, name="", next=onward
        )  # fmt: skip


def _back_address(request: Request) -> str:
    """Where the provider sends the browser: at the name under which the console was opened, one of ours."""
    parts = urlsplit(str(request.url))
    return f"{parts.scheme}://{parts.netloc}{_BACK}"
