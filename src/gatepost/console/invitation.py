"""The page of a one-time link: the first administrator, or a password for one that was invited."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gatepost.admin.roles import Role
from gatepost.console.forms import Forms, peer_of, signed_in
from gatepost.console.office import Office
from gatepost.console.people import Person
from gatepost.console.signin_texts import TEXTS
from gatepost.directory.own import OWN
from gatepost.directory.password_rules import require_good
from gatepost.policy.facts import Identity
from gatepost.secret import Secret
from gatepost.store.account_error import AccountError
from gatepost.store.administrators import Administrator, Invitation


class InvitationPages:
    """`router` has them."""

    def __init__(self, office: Office, forms: Forms) -> None:
        self._office = office
        self._forms = forms
        self._administrators = office.house.accounts.administrators
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route("/invitation/{secret}", self._ask, methods=["GET"], response_model=None)
        self.router.add_api_route("/invitation/{secret}", self._accept, methods=["POST"], response_model=None)

    async def _ask(self, request: Request, secret: str) -> Response:
        invitation = await self._office.house.work(lambda: self._administrators.invitation(secret))
        if invitation is None:
            return self._forms.page("dead.html", status=404)
        return self._page(request, invitation)

    async def _accept(self, request: Request, secret: str) -> Response:
        fields = await self._forms.open_fields(request)
        invitation = await self._office.house.work(lambda: self._administrators.invitation(secret))
        if invitation is None:
            return self._forms.page("dead.html", status=404)
        name = invitation.name or fields.get("name", "").strip()
        password = Secret(fields.get("password", ""))
        if fields.get("again", "") != password.reveal():
            return self._page(request, invitation, name=name, problem=TEXTS["differ"])
        try:
            made = await self._office.passwords.work(lambda: self._made(secret, name, password))
        except AccountError as problem:
            return self._page(request, invitation, name=name, problem=f"{problem.problem}.".capitalize())
        if made is None:
            return self._forms.page("dead.html", status=404)
        await self._office.sessions.end_all_of(made.name)
        identity = Identity(made.name, frozenset({made.name}), frozenset(), frozenset(), directory=OWN)
        person = Person(identity, Role(made.role or ""), made)
        cookie = await self._office.sessions.begin(person, str(peer_of(request)))
        self._office.log.event("console-invited", name=made.name, peer=peer_of(request))
        return signed_in(request, "/", cookie)

    def _made(self, secret: str, name: str, password: Secret) -> Administrator | None:
        require_good(name, password)
        credential = self._office.passwords.credential(password)
        return self._administrators.accept(secret, name, credential.password_hash, by=name)

    def _page(
        self, request: Request, invitation: Invitation, *, name: str = "", problem: str = ""
    ) -> Response:
        return self._forms.open_page(
            request, "invitation.html", status=422 if problem else 200, first=invitation.name is None,
            name=invitation.name or name, problem=problem,
        )  # fmt: skip
