"""The pages of the sign-in: password, second factor, once more the password, sign-out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from gatepost.console.forms import STATIC, Forms, origin, peer_of, signed_in, signed_out
from gatepost.console.guarded import safe_next
from gatepost.console.office import Office
from gatepost.console.people import Person
from gatepost.console.security_keys import BadKey, SecurityKeys, site_of
from gatepost.console.sessions import HALF, Session
from gatepost.console.signin_texts import TEXTS
from gatepost.policy.reasons import Reason
from gatepost.secret import Secret
from gatepost.store.administrators import Administrator


class SignInPages:
    """`router` has them all."""

    def __init__(self, office: Office, forms: Forms, keys: SecurityKeys) -> None:
        self._office = office
        self._forms = forms
        self._keys = keys
        self.router = APIRouter(include_in_schema=False)
        for path, methods, answer in (
            ("/sign-in", ["GET"], self._ask),
            ("/sign-in", ["POST"], self._password),
            ("/sign-in/second", ["GET"], self._ask_second),
            ("/sign-in/second", ["POST"], self._code),
            ("/sign-in/key/options", ["POST"], self._key_options),
            ("/sign-in/key", ["POST"], self._key),
            ("/sign-in/again", ["GET"], self._ask_again),
            ("/sign-in/again", ["POST"], self._again),
            ("/sign-out", ["POST"], self._out),
            ("/sign-in/static/{name}", ["GET"], _static),
        ):
            self.router.add_api_route(path, answer, methods=methods, response_model=None)

    # the password

    async def _ask(self, request: Request) -> Response:
        session = await self._forms.session(request)
        if session is not None and session.is_whole:
            return RedirectResponse(safe_next(request.query_params.get("next")), 303)
        done = TEXTS["signed_out"] if "out" in request.query_params else ""
        return self._sign_in_page(request, next=safe_next(request.query_params.get("next")), done=done)

    async def _password(self, request: Request) -> Response:
        fields = await self._forms.open_fields(request)
        name, onward = fields.get("name", ""), safe_next(fields.get("next"))
        found = await self._office.people.by_password(
            name, Secret(fields.get("password", "")), origin(request)
        )  # fmt: skip
        if not isinstance(found, Person):
            silent = found is Reason.DIRECTORY_UNAVAILABLE
            problem = TEXTS["silent" if silent else "refused"]
            status = 503 if silent else 403
            return self._sign_in_page(request, status=status, next=onward, name=name, problem=problem)
        before = await self._forms.session(request)
        if before is not None:
            await self._office.sessions.end(before)
        cookie = await self._office.sessions.begin(found, str(peer_of(request)))
        return signed_in(request, after_password(found, onward), cookie)

    def _sign_in_page(self, request: Request, *, status: int = 200, **values: str) -> Response:
        return self._forms.open_page(request, "sign_in.html", status=status, **{"name": "", **values})

    # the second factor

    async def _ask_second(self, request: Request) -> Response:
        session = await self._half(request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        return self._second_page(session, safe_next(request.query_params.get("next")))

    async def _code(self, request: Request) -> Response:
        session = await self._half(request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        fields = await self._forms.fields(request, session)
        onward = safe_next(fields.get("next"))
        if await self._office.people.by_code(session.row.name, fields.get("code", ""), origin(request)):
            return signed_in(request, onward, await self._office.sessions.complete(session))
        if not await self._office.sessions.wrong_code(session):
            return signed_out(request)
        return self._second_page(session, onward, problem=TEXTS["code_wrong"], status=403)

    def _second_page(
        self, session: Session, onward: str, *, problem: str = "", status: int = 200
    ) -> Response:
        row = self._row(session)
        return self._forms.page(
            "second.html", status=status, form=session.row.form, next=onward, problem=problem,
            has_code=row.totp_secret is not None, has_keys=bool(row.keys),
        )  # fmt: skip

    async def _key_options(self, request: Request) -> Response:
        session = await self._required(request, HALF)
        await self._forms.json(request, session)
        row = self._row(session)
        return JSONResponse(self._keys.use_options(session.row.id, row, site_of(request)))

    async def _key(self, request: Request) -> Response:
        session = await self._required(request, HALF)
        fields = await self._forms.json(request, session)
        if not await self._key_is_right(request, session, fields.get("credential")):
            await self._office.sessions.wrong_code(session)
            raise HTTPException(403, TEXTS["key_failed"])
        cookie = await self._office.sessions.complete(session)
        onward = safe_next(str(fields.get("next", "/")))
        answer = JSONResponse({"next": onward})
        answer.raw_headers += [
            h for h in signed_in(request, onward, cookie).raw_headers if h[0] == b"set-cookie"
        ]
        return answer

    async def _key_is_right(self, request: Request, session: Session, credential: Any) -> bool:
        row, site = self._row(session), site_of(request)

        def is_right() -> bool:
            try:
                key, count = self._keys.used(session.row.id, row, credential, site)
            except BadKey:
                return False
            self._office.house.accounts.administrators.count_key(key, count)
            return True

        return await self._office.people.by_key(session.row.name, origin(request), is_right)

    # once more the password

    async def _ask_again(self, request: Request) -> Response:
        session = await self._forms.session(request)
        if session is None or session.row.stage == HALF:
            return RedirectResponse("/sign-in", 303)
        return self._again_page(session, safe_next(request.query_params.get("next")))

    async def _again(self, request: Request) -> Response:
        session = await self._forms.session(request)
        if session is None or session.row.stage == HALF:
            return RedirectResponse("/sign-in", 303)
        fields = await self._forms.fields(request, session)
        onward = safe_next(fields.get("next"))
        if session.voucher is not None:
            return self._again_page(session, onward)
        found = await self._office.people.by_password(
            session.row.name, Secret(fields.get("password", "")), origin(request)
        )
        if not isinstance(found, Person) or found.name != session.row.name:
            return self._again_page(session, onward, problem=TEXTS["wrong_password"], status=403)
        await self._office.sessions.prove(session.row.id)
        return RedirectResponse(onward, 303)

    def _again_page(self, session: Session, onward: str, *, problem: str = "", status: int = 200) -> Response:
        if session.voucher is not None:
            return self._forms.page("provider.html", status=status, problem=problem, next=onward)
        return self._forms.page(
            "again.html", status=status, form=session.row.form, next=onward, problem=problem,
            name=session.row.name,
        )  # fmt: skip

    async def _out(self, request: Request) -> Response:
        session = await self._forms.session(request)
        if session is not None:
            await self._office.sessions.end(session)
        of_provider = session is not None and session.voucher is not None
        return signed_out(request, "/sign-in?out=1" if of_provider else "/sign-in")

    # inside

    async def _half(self, request: Request) -> Session | None:
        session = await self._forms.session(request)
        return session if session is not None and session.row.stage == HALF else None

    async def _required(self, request: Request, *stages: str) -> Session:
        session = await self._forms.session(request)
        if session is None or session.row.stage not in stages:
            raise HTTPException(401, TEXTS["sign_in"])
        return session

    def _row(self, session: Session) -> Administrator:
        return self._office.house.accounts.administrators.get(session.row.name)


def after_password(person: Person, onward: str) -> str:
    """Where it goes on: at the second factor, if there is one."""
    if not person.row.has_second_factor:
        return onward
    return "/sign-in/second" + ("" if onward == "/" else f"?next={quote(onward, safe='')}")


async def _static(name: str) -> Response:
    if name not in STATIC:
        raise HTTPException(404)
    content, kind = STATIC[name]
    return Response(content, media_type=kind, headers={"cache-control": "max-age=3600"})
