"""Who is told at once of what an administrator should know."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, PlainValidator, model_validator

from gatepost.config.model import Model
from gatepost.config.value import (
    Count,
    FilePath,
    HttpUrl,
    Listed,
    MailAddress,
    OnceEach,
    Seconds,
    SmartHost,
    Text,
    choice,
    wrong,
)

EVENTS: Final = (
    "attack",
    "login-after-failures",
    "login-from-new-network",
    "contained",
    "queue-growing",
    "certificate-ending",
    "disk-nearly-full",
    "device-silent",
    "device-back",
    "directory-down",
)


def _event(value: object) -> str:
    return choice(value, EVENTS)


class Alarm(Model):
    """`[alarms.NAME]`: by a signed webhook, a command, or mail by a way of its own."""

    webhook: HttpUrl | None = None
    secret_file: FilePath | None = None
    command: Annotated[tuple[Text, ...], Listed, Field(min_length=1)] | None = None
    mail_to: MailAddress | None = None
    via: SmartHost | None = None
    events: Annotated[tuple[Annotated[str, PlainValidator(_event)], ...], Listed, OnceEach] = EVENTS
    quiet_seconds: Seconds = 3_600
    at_most_per_hour: Count = 20

    @model_validator(mode="after")
    def _whole(self) -> Alarm:
        if self.webhook is None and self.command is None and self.mail_to is None:
            raise wrong("nobody is told", "set webhook, command or mail_to")
        if self.webhook is not None and self.secret_file is None:
            raise wrong("a webhook is signed", "set secret_file to a file that holds the key")
        if self.mail_to is not None and self.via is None:
            raise wrong("mail about trouble goes by another way", 'set via, like "smtp://192.0.2.25:25"')
        return self
