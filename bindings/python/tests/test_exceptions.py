"""Exceptions: what is read off them, and that nothing that they do hurts."""

import io
import socket
import sys
import urllib.error
from collections.abc import Callable
from email.message import Message
from typing import Any

import httpx
import pytest
import requests

import faultbook
from faultbook import failure_from_exception as failure

Raised = Callable[[Callable[[], object]], BaseException]


def chain(*errors: BaseException, by: str = "__cause__") -> BaseException:
    """Exceptions from the outermost to the innermost."""
    for outer, inner in zip(errors, errors[1:], strict=False):
        setattr(outer, by, inner)
    return errors[0]


def types(error: BaseException) -> list[str]:
    return [exception["type"] for exception in failure(error)["exceptions"]]


def test_an_exception_that_was_raised_is_diagnosed(engine: faultbook.Engine, raised: Raised) -> None:
    def token() -> None:
        raise RuntimeError("AADSTS7000222: The provided client secret keys for app '1b2c' are expired.")

    def synchronize() -> None:
        try:
            token()
        except RuntimeError as error:
            raise ValueError("no token") from error

    decision = engine.classify(raised(synchronize), connector="exchange", operation="create", phase="token")
    assert (decision.code, decision.retry, decision.rule) == ("DSEX001", "fix-config", "exchange/secret-expired")
    assert decision.message == "[DSEX001] The client secret of application 1b2c has expired."


def test_types_have_their_names_as_in_tracebacks() -> None:
    class Local(LookupError):
        pass

    read = failure(Local("lost"))
    assert read["exceptions"] == [
        {
            "type": f"{__name__}.test_types_have_their_names_as_in_tracebacks.<locals>.Local",
            "message": "lost",
            "ancestors": ["LookupError", "Exception", "BaseException"],
        }
    ]
    assert types(requests.exceptions.ReadTimeout("slow")) == ["requests.exceptions.ReadTimeout"]
    assert "httpx.TimeoutException" in failure(httpx.ReadTimeout("slow"))["exceptions"][0]["ancestors"]


def test_the_cause_comes_before_the_context() -> None:
    error = ValueError("outer")
    error.__context__ = KeyError("while")
    assert types(error) == ["ValueError", "KeyError"]
    error.__cause__ = OSError("from")
    assert types(error) == ["ValueError", "OSError"]
    error.__cause__ = None
    assert error.__suppress_context__
    assert types(error) == ["ValueError"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
def test_groups_keep_their_branches(engine: faultbook.Engine) -> None:
    group: Any = ExceptionGroup(  # type: ignore[name-defined,unused-ignore]  # noqa: F821
        "both",
        [chain(ValueError("a"), TimeoutError("slow")), RuntimeError("AADSTS7000222: expired")],
    )
    read = failure(group)["exceptions"]
    assert [exception["type"] for exception in read] == ["ExceptionGroup", "ValueError", "TimeoutError", "RuntimeError"]
    assert [exception.get("parent") for exception in read] == [None, None, None, 0]
    assert read[0]["message"] == "both (2 sub-exceptions)"
    assert engine.classify(group, connector="exchange").code == "DSEX001"


def test_circles_are_cut() -> None:
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    assert types(first) == ["ValueError", "KeyError"]
    own = ValueError("own")
    own.__cause__ = own
    assert types(own) == ["ValueError"]


def test_of_long_chains_the_innermost_one_counts(engine: faultbook.Engine) -> None:
    def long(count: int) -> BaseException:
        return chain(*[RuntimeError(f"{index}") for index in range(count)], RuntimeError("AADSTS7000222: expired"))

    assert len(failure(long(31))["exceptions"]) == 32
    assert not engine.classify(long(31), connector="exchange").truncated
    decision = engine.classify(long(500), connector="exchange")
    assert (decision.code, decision.truncated) == ("DSEX001", True)
    endless = engine.classify(long(100_000), connector="exchange")
    assert (endless.code, endless.unknown_reason) == ("DSUNK001", "truncated")


def test_a_connection_that_is_refused_is_no_time_out(engine: faultbook.Engine, raised: Raised) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with requests.Session() as session:
            session.trust_env = False
            refused = raised(lambda: session.get(address))
    read = failure(refused)["exceptions"]
    assert read[2]["type"] == "urllib3.exceptions.NewConnectionError"
    assert not any("Timeout" in name for exception in read for name in [exception["type"], *exception["ancestors"]])
    assert read[-1]["type"] == "ConnectionRefusedError" and read[-1]["error_numbers"]
    assert engine.classify(refused, connector="webhook").rule != "webhook/timeout"


class Hostile(Exception):
    """Raises whatever is asked of it."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(f"no {name}")


class Endless(Exception):
    def __str__(self) -> str:
        return str(self)


class Odd(Exception):
    response = property(lambda self: 1 / 0)
    errno = "111"
    __suppress_context__ = 7  # type: ignore[assignment]

    def __str__(self) -> str:
        return "\ud800\0odd"


class Meta(type):
    @property
    def __mro__(cls) -> tuple[type, ...]:
        raise ValueError("no bases")


class Nameless(Exception, metaclass=Meta):
    pass


@pytest.mark.parametrize("kind", [Hostile, Endless, Odd, Nameless])
def test_what_raises_is_absent(engine: faultbook.Engine, kind: type[BaseException]) -> None:
    assert engine.classify(kind()).code == "DSUNK001"
    decisions = engine.classify_many([kind(), chain(ValueError("x"), kind()), Exception(kind())])
    assert [decision.code for decision in decisions] == ["DSUNK001"] * 3


def test_ctrl_c_is_no_failure_of_the_exception(engine: faultbook.Engine) -> None:
    class Slow(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.classify(Slow())
    assert engine.classify(KeyboardInterrupt()).code == "DSUNK001"


def test_numbers_of_the_system() -> None:
    error = failure(ConnectionRefusedError(111, "Connection refused"))["exceptions"][0]
    assert (error["error_numbers"], error["message"]) == ([111], "[Errno 111] Connection refused")
    assert "error_numbers" not in failure(OSError("no number"))["exceptions"][0]

    class Own(Exception):
        errno = 111

    assert "error_numbers" not in failure(Own())["exceptions"][0]


def http_error(status: int) -> urllib.error.HTTPError:
    return urllib.error.HTTPError("https://example.com", status, "no", Message(), io.BytesIO())


def of_requests(status: int, body: bytes | None = None) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    if body is not None:
        response._content = body
    return requests.HTTPError("no", response=response)


def of_httpx(status: int, **content: Any) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "https://example.com")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(status, request=request, **content))


GRAPH = b'{"error": {"code": "ErrorItemNotFound", "message": "The specified object was not found in the store."}}'


def test_statuses_of_replies(engine: faultbook.Engine) -> None:
    for error in (http_error(503), of_requests(503), of_httpx(503)):
        assert failure(error)["http_status"] == 503, error
        decision = engine.classify(chain(RuntimeError("outer"), error), connector="business-central")
        assert decision.code == "DSHTTP001", error
    assert "http_status" not in failure(requests.ConnectionError("no reply"))
    assert "http_status" not in failure(httpx.ConnectError("no reply"))
    assert "http_status" not in failure(of_requests(99))
    assert "http_status" not in failure(chain(ValueError(503)))

    class Own(Exception):
        status_code = code = status = 503

    assert "http_status" not in failure(Own())


def test_bodies_that_are_in_memory_are_read(engine: faultbook.Engine) -> None:
    for error in (of_requests(404, GRAPH), of_httpx(404, content=GRAPH)):
        decision = engine.classify(error, connector="exchange", operation="delete")
        assert (decision.code, decision.status) == ("DSEX021", "Skipped"), error


def test_bodies_that_are_not_in_memory_are_left_alone() -> None:
    class Wire:
        def read(self, *_: object, **__: object) -> bytes:
            raise AssertionError("read from the network")

        stream = read

    response = requests.Response()
    response.status_code, response.raw = 503, Wire()
    assert "text" not in failure(requests.HTTPError("no", response=response))
    assert response._content is False

    def unread() -> Any:
        yield from ()
        raise AssertionError("read from the network")

    assert failure(of_httpx(503, content=unread())) == failure(of_httpx(503, content=unread()))
    assert "text" not in failure(of_httpx(503, content=unread()))


def test_of_several_replies_the_outermost_counts_and_branches_have_none() -> None:
    assert failure(chain(of_requests(401), of_requests(503)))["http_status"] == 401
    assert failure(chain(ValueError(), of_requests(503), of_requests(401)))["http_status"] == 503
    if sys.version_info >= (3, 11):
        assert "http_status" not in failure(ExceptionGroup("both", [of_requests(401), of_requests(503)]))
        assert failure(ExceptionGroup("both", [of_requests(503), of_requests(503)]))["http_status"] == 503


def named(module: str, name: str, *, base: type[Exception] = Exception, **fields: object) -> Exception:
    """An exception of a library that is not installed here."""
    error: Exception = type(name, (base,), {"__module__": module, **fields})("said")
    return error


class Code:
    def __init__(self, code: object) -> None:
        self.code = code


def test_codes_of_known_libraries(engine: faultbook.Engine) -> None:
    azure = named("azure.core.exceptions", "HttpResponseError", status_code=404, error=Code("ErrorItemNotFound"))
    assert (failure(azure)["http_status"], failure(azure)["provider_codes"]) == (404, ["ErrorItemNotFound"])
    kiota = named("kiota_abstractions.api_error", "APIError")
    graph = named("msgraph.o", "ODataError", base=type(kiota), response_status_code=404, error=Code("ErrorItemNotFound"))
    assert engine.classify(graph, connector="exchange", operation="delete").code == "DSEX021"
    msal = named(
        "msal.exceptions",
        "MsalServiceError",
        _error="invalid_client",
        _error_description="AADSTS7000215: Invalid client secret provided.",
        __str__=lambda self: "",
    )
    assert failure(msal)["provider_codes"] == ["invalid_client"]
    assert engine.classify(msal, connector="exchange").code == "DSEX002"
    aiohttp = named("aiohttp.client_exceptions", "ClientResponseError", status=503)
    assert failure(aiohttp)["http_status"] == 503
    odd = named("azure.core.exceptions", "HttpResponseError", status_code=True, error=Code(7))
    assert "http_status" not in failure(odd) and "provider_codes" not in failure(odd)


def test_what_classify_reads_is_what_can_be_sent(engine: faultbook.Engine) -> None:
    error = chain(RuntimeError("AADSTS7000222: expired"), of_requests(401, GRAPH), OSError(111, "refused"))
    assert engine.classify(failure(error)) == engine.classify(error)
    with pytest.raises(TypeError):
        failure("text")  # type: ignore[arg-type]
