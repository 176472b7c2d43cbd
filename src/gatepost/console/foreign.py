"""What libraries have to say stands in our log, as one event a line like everything else there."""

from __future__ import annotations

import logging

from gatepost.log import Log


class Foreign(logging.Handler):
    """Takes what goes to the standard `logging`, from warnings on."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        problem = record.exc_info[1] if record.exc_info else None
        raised = None if problem is None else f"{type(problem).__name__}: {problem}"
        tell = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        tell("library-says", library=record.name, text=_said(record), problem=raised)


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # words and values that do not fit each other
        return str(record.msg)
