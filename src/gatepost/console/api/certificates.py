"""Certificates."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field, SecretStr, StrictBool
from starlette.exceptions import HTTPException

from gatepost.admin.acts import Acts
from gatepost.admin.acts_certificates import NewCertificate
from gatepost.admin.certificate import certificate_rows
from gatepost.console.api.caller import acts_of, asks
from gatepost.console.api.idempotency import idempotency_key
from gatepost.console.api.shapes import Body, Row, Word, example, examples
from gatepost.secret import Secret

router = APIRouter(tags=["certificates"])
Base64 = Annotated[str, Field(min_length=4, max_length=2_000_000, description="Base64 of the file.")]


class CertificateToImport(Body):
    """PKCS#12, or PEM with the key in it or beside it."""

    model_config = examples(pfx={"name": "default", "content": "MIIKcQIBAzCCC...", "password": "secret"})
    content: Base64
    key: Base64 | None = None
    name: Word = "default"
    password: Annotated[SecretStr, Field(max_length=1_024)] | None = None
    even_so: Annotated[StrictBool, Field(description="Also one that has ended or not begun.")] = False


class SelfSigned(Body):
    """A certificate that nobody vouches for, to begin with."""

    model_config = examples(one={"names": ["mail.example.org"], "name": "default"})
    names: Annotated[tuple[Word, ...], Field(min_length=1, max_length=100)]
    name: Word = "default"


@router.get(
    "/certificates", responses=example([{"name": "default", "names": ["mail.example.org"], "days_left": 80}])
)
def certificates(acts: Annotated[Acts, Depends(asks("cert-show"))]) -> list[Row]:
    """Each certificate of the file: for which names, by whom, until when, who uses it. Never a key."""
    return certificate_rows(acts.house.settings())


@router.post(
    "/certificates", dependencies=[Depends(idempotency_key)],
    responses=example({"name": "default", "names": ["mail.example.org"], "doubts": []}),
)  # fmt: skip
async def bring(new: CertificateToImport, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Checked with its key, put beside the file, named in it, shown to new connections.

    With an Idempotency-Key done once. The pair before is kept as `.old`.
    """
    password = None if new.password is None else Secret(new.password.get_secret_value())
    key = None if new.key is None else _bytes("key", new.key)
    return await acts.certificate.bring(
        NewCertificate(_bytes("content", new.content), new.name, key, password, new.even_so)
    )


@router.post(
    "/certificates/self-signed", dependencies=[Depends(idempotency_key)],
    responses=example({"name": "default", "names": ["mail.example.org"], "doubts": ["..."]}),
)  # fmt: skip
async def make_certificate(new: SelfSigned, acts: Annotated[Acts, Depends(acts_of)]) -> Row:
    """Made, put beside the file, named in it, shown to new connections. The pair before is kept as `.old`."""
    return await acts.certificate.make(new.names, name=new.name)


def _bytes(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise HTTPException(422, f"{field} is not Base64") from None
