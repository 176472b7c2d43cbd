"""The library's mail clients, made patient, and closed whatever the server does.

`smtplib` raises from the end of a `with` when the server says 421 or anything else there, over whatever
happened inside; `poplib` leaves its socket open when it is not greeted.
"""

from __future__ import annotations

import poplib
import smtplib
from contextlib import suppress
from types import TracebackType
from typing import Any

from patience import PATIENCE_SECONDS

CLIENT = "client.example"
"""What a client says it is, who would otherwise ask the resolver what it is called."""


class _Ending:
    """Ends with QUIT, and is closed whatever the answer."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with suppress(smtplib.SMTPException, OSError):
                self.docmd("QUIT")  # type: ignore[attr-defined]
        finally:
            self.close()  # type: ignore[attr-defined]


class Smtp(_Ending, smtplib.SMTP):
    def __init__(
        self, host: str, port: int, name: str = CLIENT, *, timeout: float = PATIENCE_SECONDS, **more: Any
    ) -> None:
        super().__init__(host, port, name, timeout=timeout, **more)


class SmtpTls(_Ending, smtplib.SMTP_SSL):
    def __init__(
        self, host: str, port: int, name: str = CLIENT, *, timeout: float = PATIENCE_SECONDS, **more: Any
    ) -> None:
        super().__init__(host, port, name, timeout=timeout, **more)


class _Greeted:
    """Is closed when it is not greeted, and at the end of a `with`."""

    sock: Any = None
    file: Any = None

    def __init__(self, *place: Any, timeout: float = PATIENCE_SECONDS, **more: Any) -> None:
        try:
            super().__init__(*place, timeout=timeout, **more)
        except BaseException:
            self.close()  # type: ignore[attr-defined]
            raise

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()  # type: ignore[attr-defined]


class Pop3(_Greeted, poplib.POP3):
    pass


class Pop3Tls(_Greeted, poplib.POP3_SSL):
    pass
