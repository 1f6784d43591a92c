"""Codes on log records, before anybody writes them."""

import io
import logging
import logging.handlers
import queue
from collections.abc import Iterator

import pytest

import faultbook
from faultbook.logging import FIELDS, ErrorCodeFilter, ErrorCodeHandler

FORMAT = logging.Formatter(
    "%(levelname)s %(errorCode)s %(errorRetry)s %(message)s", defaults={"errorCode": "-", "errorRetry": "-"}
)


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.Logger("test")
    yield logger
    for handler in logger.handlers:
        handler.close()


def fail(logger: logging.Logger, **options: object) -> None:
    try:
        raise RuntimeError("AADSTS7000222: The client secret is expired.")
    except RuntimeError:
        logger.exception("no token", **options)  # type: ignore[arg-type]


def first_lines(output: io.StringIO) -> list[str]:
    return [line for line in output.getvalue().splitlines() if line.startswith(("INFO", "WARNING", "ERROR"))]


def test_a_filter_of_a_handler(engine: faultbook.Engine, logger: logging.Logger, output: io.StringIO) -> None:
    handler = logging.StreamHandler(output)
    handler.setFormatter(FORMAT)
    handler.addFilter(ErrorCodeFilter(engine, connector="exchange"))
    logger.addHandler(handler)
    logger.info("begun")
    fail(logger)
    logger.warning("slow", exc_info=TimeoutError("x"))
    logger.warning("odd")
    logger.error("AADSTS7000215: Invalid client secret provided.")
    assert first_lines(output) == [
        "INFO - - begun",
        "ERROR DSEX001 fix-config no token",
        "WARNING DSUNK001 undiagnosed slow",
        "WARNING - - odd",
        "ERROR DSEX002 fix-config AADSTS7000215: Invalid client secret provided.",
    ]


def test_a_handler_in_front_of_another(engine: faultbook.Engine, logger: logging.Logger, output: io.StringIO) -> None:
    target = logging.StreamHandler(output)
    target.setLevel(logging.ERROR)
    handler = ErrorCodeHandler(target, engine, connector="exchange")
    handler.setFormatter(FORMAT)
    logger.addHandler(handler)
    logger.warning("below", exc_info=TimeoutError("x"))
    fail(logger)
    handler.flush()
    assert first_lines(output) == ["ERROR DSEX001 fix-config no token"]


def test_the_record_says_more_than_the_default(engine: faultbook.Engine, logger: logging.Logger) -> None:
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(ErrorCodeFilter(engine, connector="webhook"))
    logger.addHandler(handler)
    fail(logger, extra={"connector": "exchange"})
    record = records.get()
    assert {name: getattr(record, name) for name in FIELDS} == {
        "errorCode": "DSEX001",
        "errorStatus": "InvalidBackOfficeSettings",
        "errorRetry": "fix-config",
        "errorAction": "fix-config",
        "errorRule": "exchange/secret-expired",
    }


def test_a_record_is_asked_for_once(engine: faultbook.Engine, logger: logging.Logger) -> None:
    for _ in range(2):
        handler = logging.StreamHandler(io.StringIO())
        handler.addFilter(ErrorCodeFilter(engine))
        logger.addHandler(handler)
    before = sum(engine.status["unknown_by_reason"].values())
    logger.error("nothing that anybody knows")
    assert sum(engine.status["unknown_by_reason"].values()) == before + 1


def test_what_goes_wrong_costs_no_record(
    engine: faultbook.Engine, logger: logging.Logger, output: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise SystemExit

    class NoTrace(logging.Formatter):
        def formatException(self, ei: object) -> str:
            return "no trace"

    handler = logging.StreamHandler(output)
    handler.setFormatter(NoTrace("%(message)s %(errorCode)s", defaults={"errorCode": "-"}))
    handler.addFilter(ErrorCodeFilter(engine))
    logger.addHandler(handler)
    logger.error("odd", exc_info=Odd())
    logger.error("empty", exc_info=(None, None, None))
    logger.error("%d of %d", "one")
    assert output.getvalue().splitlines()[0] == "odd DSUNK001"
    assert "empty DSUNK001" in output.getvalue()
    assert "--- Logging error ---" in capsys.readouterr().err
