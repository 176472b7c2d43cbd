"""The configuration: read, judged, compared, applied, undone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from pydantic import Field, StrictBool, StrictInt
from starlette.exceptions import HTTPException

from gatepost.admin.acts import Acts
from gatepost.admin.acts_config import Applied
from gatepost.admin.configuration import changes, finding_row, judged, written
from gatepost.admin.file_edits import BadEdit, Edit, Entry, SetKey, UnsetKey
from gatepost.config.edit import EditError
from gatepost.config.renames import NAME
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.idempotency import idempotency_key
from gatepost.console.api.shapes import Body, Row, Word, example, examples

router = APIRouter(tags=["config"])
_APPLIED = {"generation": 13, "digest": "9f2c...", "changes": ["..."], "after_restart": []}
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=80, description="The ETag of what you changed.")
]
Plain = str | StrictInt | StrictBool
Value = Plain | list[Plain] | dict[str, Plain | list[Plain]]


class Text(Body):
    """A whole configuration file."""

    model_config = examples(file={"text": 'hostname = "mail.example.org"\n...'})
    text: Annotated[str, Field(max_length=4 * 1024 * 1024)]


class Number(Body):
    model_config = examples(twelve={"generation": 12})
    generation: Annotated[int, Field(ge=1, le=2**53, strict=True)]


class NewName(Body):
    model_config = examples(submission={"server": "smtp.submission", "name": "clients"})
    server: Annotated[str, Field(pattern="^(smtp|pop3)[.].", max_length=200)]
    name: Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


Rights = Annotated[tuple[Word, ...], Field(min_length=1, max_length=20)]


class Change(Body):
    """One of `set` (with `value`), `unset`, `allow` and `deny` (with `server` and `to`, and `from`)."""

    model_config = examples(key={"set": "smtp.submission.tls", "value": "require"})
    set_key: Annotated[Word | None, Field(alias="set")] = None
    value: Value | None = None
    unset: Word | None = None
    allow: Rights | None = None
    deny: Rights | None = None
    server: Annotated[Word | None, Field(description="smtp.NAME, pop3.NAME, or NAME.")] = None
    to: Word | None = None
    source: Annotated[tuple[Word, ...], Field(alias="from", max_length=100)] = ()

    def wanted(self) -> Edit:
        """Raises BadEdit: it is none, or half of one, or two."""
        said = {name for name in ("set_key", "unset", "allow", "deny") if getattr(self, name) is not None}
        if len(said) != 1:
            raise BadEdit("say one of set, unset, allow, deny in each change")
        if self.set_key is not None and self.value is not None:
            return SetKey(self.set_key, self.value)
        if self.unset is not None:
            return UnsetKey(self.unset)
        rights = self.allow or self.deny
        if rights is None or self.server is None or self.to is None:
            raise BadEdit("set wants a value; allow and deny want server and to")
        return Entry(self.server, said.pop(), rights, self.to, self.source)


class Changes(Body):
    """Made one after the other, and in force together."""

    model_config = examples(
        grant={"changes": [{"allow": ["submit", "relay"], "server": "submission", "to": "group:POP3 Relay"}]},
        key={
            "changes": [{"set": "smtp.submission.tls", "value": "require"}, {"unset": "smtp.submission.scan"}]
        },
    )
    changes: Annotated[tuple[Change, ...], Field(min_length=1, max_length=100)]


@router.get(
    "/config",
    responses=example({"text": 'hostname = "mail.example.org"\n', "digest": "9f2c...", "in_force": True}),
)
def config(response: Response, acts: Annotated[Acts, Depends(asks("config-show"))]) -> Row:
    """The file as it stands; its ETag is what If-Match wants. `in_force` false: it waits for a reload."""
    now = written(acts.house.file)
    history = acts.house.generations.history()
    in_force = bool(history) and acts.house.generations.text(history[-1].number) == now.text
    response.headers["etag"] = f'"{now.digest}"'
    generation = history[-1].number if history else None
    return {"text": now.text, "digest": now.digest, "generation": generation, "in_force": in_force}


@router.post(
    "/config/check", dependencies=[Depends(idempotency_key)], responses=example({"valid": True, "safe": True})
)
def check(wanted: Text, acts: Annotated[Acts, Depends(asks("config-check"))]) -> Row:
    """Whether the text would be valid and closed. Changes nothing. Faults make it 422."""
    _, findings = judged(wanted.text, acts.house.file)
    return {"valid": True, "safe": findings.is_safe, "findings": [finding_row(one) for one in findings.items]}


@router.post("/config/diff", dependencies=[Depends(idempotency_key)], responses=example({"changes": ["..."]}))
def diff(wanted: Text, acts: Annotated[Acts, Depends(asks("config-check"))]) -> Row:
    """What the text would change against what is in force, in words. Changes nothing."""
    after, _ = judged(wanted.text, acts.house.file)
    said = changes(acts.house.settings(), after, acts.house.accounts)
    return {"changes": [{"text": one.text, "about_relay": one.about_relay} for one in said]}


@router.put("/config", responses=example(_APPLIED))
async def apply(
    wanted: Text, response: Response, acts: Annotated[Acts, Depends(acts_of)], if_match: IfMatch = None
) -> Row:
    """The file is the text, and in force in all workers; or nothing has changed. Idempotent.

    If-Match is the ETag of the file that you changed: 412 when somebody was faster.
    """
    return _answer(response, await acts.config.apply(wanted.text, base=_base(if_match)))


@router.patch("/config", responses=example(_APPLIED))
async def change_config(
    wanted: Changes, response: Response, acts: Annotated[Acts, Depends(acts_of)], if_match: IfMatch = None
) -> Row:
    """Keys and access entries as `gatepost config set|unset|allow|deny`, comments kept, in force or nothing.

    If-Match as for PUT: the same request is not done twice, the file having another ETag then (412).
    """
    edits = [change.wanted() for change in wanted.changes]
    return _answer(response, await acts.config.edit(edits, base=_base(if_match)))


@router.get("/config/history", responses=example([{"generation": 12, "taken_over_at": "...", "by": "ann"}]))
def history(acts: Annotated[Acts, Depends(asks("config-show"))]) -> list[Row]:
    """Every configuration that was taken over, oldest first."""
    return [
        {"generation": one.number, "taken_over_at": one.at, "by": one.by}
        for one in acts.house.generations.history()
    ]


@router.get("/config/history/{generation}", responses=example({"generation": 12, "text": "..."}))
def generation(generation: int, acts: Annotated[Acts, Depends(asks("config-show"))]) -> Row:
    """The file as it was in that generation."""
    try:
        return {"generation": generation, "text": acts.house.generations.text(generation)}
    except (FileNotFoundError, OverflowError):
        raise HTTPException(404, f"there is no generation {generation}") from None


@router.post("/config/undo", dependencies=[Depends(idempotency_key)], responses=example(_APPLIED))
async def undo(
    wanted: Number, response: Response, acts: Annotated[Acts, Depends(acts_of)], if_match: IfMatch = None
) -> Row:
    """The file is what it was in that generation, and in force. If-Match as for PUT."""
    return _answer(response, await acts.config.undo(wanted.generation, base=_base(if_match)))


@router.post("/config/rename-server", dependencies=[Depends(idempotency_key)], responses=example(_APPLIED))
async def rename_server(
    wanted: NewName, response: Response, acts: Annotated[Acts, Depends(acts_of)], if_match: IfMatch = None
) -> Row:
    """The virtual server has another name, in force at once; whether it is stopped goes with it.

    If-Match as for PUT. 409 where the name is taken, or there is no such virtual server.
    """
    protocol, _, old = wanted.server.partition(".")
    try:
        done = await acts.config.rename_server(protocol, old, wanted.name, base=_base(if_match))
    except EditError as problem:
        raise HTTPException(409, str(problem)) from None
    return _answer(response, done)


@router.post("/config/reload", dependencies=[Depends(idempotency_key)], responses=example(_APPLIED))
async def reload(response: Response, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """The file as it stands is in force; open sessions go on."""
    return _answer(response, await acts.config.reload())


def _base(if_match: str | None) -> str:
    if not if_match:
        raise HTTPException(428, "If-Match is missing: send the ETag of the file that you changed")
    return if_match.removeprefix("W/").strip('"')


def _answer(response: Response, applied: Applied) -> Row:
    response.headers["etag"] = f'"{applied.digest}"'
    return asdict(applied)
