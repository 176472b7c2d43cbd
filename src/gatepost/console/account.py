"""The page of one's own sign-in: an app for codes, security keys, the password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import pyotp
import segno
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from gatepost.console.forms import Forms, origin, signed_in
from gatepost.console.office import Office
from gatepost.console.people import Person, step_of
from gatepost.console.security_keys import BadKey, SecurityKeys, site_of
from gatepost.console.sessions import BARE, HALF, Session
from gatepost.console.signin_texts import TEXTS
from gatepost.directory.password_rules import require_good
from gatepost.secret import Secret
from gatepost.store.account_error import AccountError

_MOST: Final = 1_000
_Act = Callable[[Request, Session, Mapping[str, str]], Awaitable[Response]]


class AccountPages:
    """`router` has them. `now` gives Unix seconds."""

    def __init__(self, office: Office, forms: Forms, keys: SecurityKeys, now: Callable[[], float]) -> None:
        self._office = office
        self._forms = forms
        self._keys = keys
        self._now = now
        self._administrators = office.house.accounts.administrators
        self._offered: dict[bytes, str] = {}
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route("/account", self._show, methods=["GET"], response_model=None)
        self.router.add_api_route("/account/keys/options", self._key_options, methods=["POST"])
        self.router.add_api_route("/account/keys", self._add_key, methods=["POST"])
        for path, act in (
            ("/account/app", self._add_app),
            ("/account/app/remove", self._remove_app),
            ("/account/keys/remove", self._remove_key),
            ("/account/password", self._change_password),
        ):
            self.router.add_api_route(path, self._form(act), methods=["POST"], response_model=None)

    async def _show(self, request: Request) -> Response:
        session = await self._session(request)
        return RedirectResponse("/sign-in", 303) if session is None else self._page(request, session)

    # the app

    async def _add_app(self, request: Request, session: Session, fields: Mapping[str, str]) -> Response:
        secret = self._offered.get(session.row.id)
        step = None if secret is None else step_of(secret, fields.get("code", ""), self._now())
        if secret is None or step is None:
            return self._page(request, session, problem=TEXTS["code_wrong"])
        name = session.row.name
        await self._office.house.work(lambda: self._administrators.set_totp(name, secret, step=step, by=name))
        del self._offered[session.row.id]
        return await self._proved(request, session)

    async def _remove_app(self, request: Request, session: Session, fields: Mapping[str, str]) -> Response:
        name = session.row.name
        await self._office.house.work(lambda: self._administrators.set_totp(name, None, by=name))
        return RedirectResponse("/account", 303)

    # security keys

    async def _key_options(self, request: Request) -> Response:
        session = await self._required(request)
        await self._forms.json(request, session)
        owner = self._administrators.get(session.row.name)
        try:
            return JSONResponse(self._keys.add_options(session.row.id, owner, site_of(request)))
        except BadKey:
            raise HTTPException(422, TEXTS["key_unavailable"]) from None

    async def _add_key(self, request: Request) -> Response:
        session = await self._required(request)
        fields = await self._forms.json(request, session)
        name, label = session.row.name, str(fields.get("label", ""))
        try:
            key = self._keys.added(session.row.id, fields.get("credential"), label, site_of(request))
            await self._office.house.work(lambda: self._administrators.add_key(name, key, by=name))
        except (BadKey, AccountError):
            raise HTTPException(422, TEXTS["key_failed"]) from None
        done = JSONResponse({"added": key.label})
        moved = await self._proved(request, session)
        done.raw_headers += [header for header in moved.raw_headers if header[0] == b"set-cookie"]
        return done

    async def _remove_key(self, request: Request, session: Session, fields: Mapping[str, str]) -> Response:
        name = session.row.name
        try:
            number = base64url_to_bytes(fields.get("key", ""))
            await self._office.house.work(lambda: self._administrators.remove_key(name, number, by=name))
        except (AccountError, ValueError):
            return self._page(request, session, problem=TEXTS["expired"])
        return RedirectResponse("/account", 303)

    # the password

    async def _change_password(
        self, request: Request, session: Session, fields: Mapping[str, str]
    ) -> Response:
        name, password = session.row.name, Secret(fields.get("password", ""))
        if not session.row.own:
            return self._page(request, session, problem=TEXTS["directory_password"])
        if fields.get("again", "") != password.reveal():
            return self._page(request, session, problem=TEXTS["differ"])
        found = await self._office.people.by_password(
            name, Secret(fields.get("present", "")), origin(request)
        )  # fmt: skip
        if not isinstance(found, Person) or found.name != name:
            return self._page(request, session, problem=TEXTS["wrong_password"])

        def change() -> None:
            require_good(name, password)
            kept = self._office.passwords.credential(password)
            self._administrators.set_password(name, kept.password_hash, by=name)

        try:
            await self._office.passwords.work(change)
        except AccountError as problem:
            return self._page(request, session, problem=f"{problem.problem}.".capitalize())
        await self._office.sessions.end_all_of(name, but=session)
        return self._page(request, session, done=TEXTS["changed"])

    # inside

    def _form(self, act: _Act) -> Callable[[Request], Awaitable[Response]]:
        """The act behind a form: of a session, its own form, and a fresh proof."""

        async def answer(request: Request) -> Response:
            session = await self._session(request)
            if session is None:
                return RedirectResponse("/sign-in", 303)
            fields = await self._forms.fields(request, session)
            if not self._is_fresh(session):
                return RedirectResponse("/sign-in/again?next=/account", 303)
            return await act(request, session, fields)

        return answer

    def _is_fresh(self, session: Session) -> bool:
        return self._office.actor(session).fresh

    async def _session(self, request: Request) -> Session | None:
        session = await self._forms.session(request)
        return None if session is None or session.row.stage == HALF else session

    async def _required(self, request: Request) -> Session:
        session = await self._session(request)
        if session is None or not self._is_fresh(session):
            raise HTTPException(401, TEXTS["sign_in"])
        return session

    async def _proved(self, request: Request, session: Session) -> Response:
        """With a second factor the session is whole; it goes on under another cookie."""
        if session.row.stage == BARE:
            return signed_in(request, "/account", await self._office.sessions.complete(session))
        return RedirectResponse("/account", 303)

    def _page(self, request: Request, session: Session, *, problem: str = "", done: str = "") -> Response:
        row = self._administrators.get(session.row.name)
        secret = "" if row.totp_secret is not None else self._offer(session)
        shown = [{"id": bytes_to_base64url(key.credential_id), "label": key.label} for key in row.keys]
        return self._forms.page(
            "account.html", status=422 if problem else 200, form=session.row.form, problem=problem, done=done,
            name=row.name, role=session.role.value, bare=session.row.stage == BARE, own=session.row.own,
            vouched=session.voucher is not None,
            has_code=row.totp_secret is not None, secret_text=secret, keys=shown,
            qr=self._qr(row.name, secret) if secret else "", keys_possible=site_of(request).host is not None,
        )  # fmt: skip

    def _offer(self, session: Session) -> str:
        """A secret that counts once its first code was typed; the same until then."""
        if len(self._offered) >= _MOST:
            self._offered.clear()
        return self._offered.setdefault(session.row.id, pyotp.random_base32())

    def _qr(self, name: str, secret: str) -> str:
        issuer = f"Gatepost {self._office.settings().hostname}"
        uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)
        image: str = segno.make(uri, error="m").svg_data_uri(scale=4, border=2)
        return image
