"""Codes on log records: `errorCode` and what follows from it, set before a record is formatted.

A handler cannot change what other handlers have already written, so there are two shapes: `ErrorCodeFilter`, added to the
handlers that write, and `ErrorCodeHandler`, put in front of one of them where only handlers can be configured.
"""

from __future__ import annotations

import logging
from typing import Final

from ._engine import Decision, Engine

__all__ = ["FIELDS", "ErrorCodeFilter", "ErrorCodeHandler"]

#: The attributes that are set on a record, with the fields of the decision that they hold.
FIELDS: Final[dict[str, str]] = {
    "errorCode": "code",
    "errorStatus": "status",
    "errorRetry": "retry",
    "errorAction": "action",
    "errorRule": "rule",
}


class ErrorCodeFilter(logging.Filter):
    """Sets `errorCode`, `errorStatus`, `errorRetry`, `errorAction` and `errorRule` on records of failures; lets all pass.

    A record is of a failure when it has an exception, or when its level is `level` (`ERROR` unless told) or above; its
    message is then read as text. Add it to handlers: filters of a logger do not see the records of loggers below it.

    `connector`, `operation` and `phase` count where the record has no attribute of that name.
    Whatever goes wrong, the record passes unchanged.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        level: int = logging.ERROR,
        connector: str | None = None,
        operation: str | None = None,
        phase: str | None = None,
    ) -> None:
        super().__init__()
        self._engine = engine
        self._level = level
        self._context = {"connector": connector, "operation": operation, "phase": phase}

    def filter(self, record: logging.LogRecord) -> bool:
        # Several handlers see the same record; the first one has asked.
        if not hasattr(record, "errorCode"):
            try:
                decision = self._decision(record)
            except Exception:  # a message that cannot be formatted is the handler's to report
                decision = None
            if decision is not None:
                for attribute, field in FIELDS.items():
                    setattr(record, attribute, getattr(decision, field))
        return True

    def _decision(self, record: logging.LogRecord) -> Decision | None:
        exception = record.exc_info[1] if record.exc_info else None
        if exception is None and record.levelno < self._level:
            return None
        context = {name: self._said(record, name, default) for name, default in self._context.items()}
        failure = exception if exception is not None else record.getMessage()
        return self._engine.classify(failure, **context)

    @staticmethod
    def _said(record: logging.LogRecord, name: str, default: str | None) -> str | None:
        value = getattr(record, name, None)
        return value if isinstance(value, str) and value else default


class ErrorCodeHandler(logging.Handler):
    """Puts codes on records, as `ErrorCodeFilter` does, and hands them to another handler.

    The other handler keeps its own level, filters and formatter, and is closed with this one.
    """

    def __init__(
        self,
        target: logging.Handler,
        engine: Engine,
        *,
        level: int = logging.ERROR,
        connector: str | None = None,
        operation: str | None = None,
        phase: str | None = None,
    ) -> None:
        super().__init__()
        self.target = target
        self.addFilter(ErrorCodeFilter(engine, level=level, connector=connector, operation=operation, phase=phase))

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= self.target.level:
            self.target.handle(record)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        self.target.setFormatter(fmt)

    def flush(self) -> None:
        self.target.flush()

    def close(self) -> None:
        self.target.close()
        super().close()
