"""Mappings, texts and JSON: one truth with the command line, and an answer for whatever is given."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import faultbook

from .conftest import ROOT

ENGINE = faultbook.Engine.builtin()


def examples() -> Iterator[dict[str, Any]]:
    """The failures of every example and counterexample of the rules."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if isinstance(value.get("failure"), dict):
                yield value["failure"]
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    for file in sorted((ROOT / "rules").glob("*.toml")):
        yield from walk(tomllib.loads(file.read_text(encoding="utf-8")))


def command() -> Path:
    """The command line tool of this checkout."""
    given = os.environ.get("FAULTBOOK_BIN")
    places = [Path(given)] if given else [ROOT / "target" / profile / "faultbook" for profile in ("release", "debug")]
    for place in places:
        if place.is_file():
            return place
    pytest.skip("no command line tool: `cargo build`, or FAULTBOOK_BIN")


ODD_LINES = [
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b"{} {}",
    b'{"http_status": 503, "http_status": 404}',
    b'{"http_status": "503 Service Unavailable", "statusCode": 1}',
    b"\xff\xfe password=hunter2",
    b'{"message": "\xff"}',
    b'{"message": "client_secret=abcdefghijklmnop"}',
    '{"message": "\\u2028\u2028\\u0000"}'.encode(),
    b'{"id": "tx-1", "exceptions": [{"parent": 7}, 5]}',
    b"[" * 500,
]


def test_the_conformance_program_answers_byte_by_byte_like_the_command_line() -> None:
    lines = [json.dumps(failure).encode() for failure in examples()]
    assert len(lines) > 300
    lines = [*lines, *(line for line in ODD_LINES)]
    stream = b"".join(line + b"\n" for line in lines)
    program = [sys.executable, str(Path(__file__).with_name("conformance.py"))]
    ours = subprocess.run(program, input=stream, capture_output=True, check=True).stdout
    arguments = [str(command()), "classify", "--input", "json", "--format", "json"]
    theirs = subprocess.run(arguments, input=stream, capture_output=True).stdout
    assert ours.count(b"\n") == len(lines)
    for line, our, their in zip(lines, ours.split(b"\n"), theirs.split(b"\n"), strict=False):
        assert our == their, line
    assert ours == theirs


def test_every_way_in_gives_the_same_decision() -> None:
    for failure in examples():
        record = json.dumps(failure)
        decision = ENGINE.classify(failure)
        assert decision.to_json().encode() == ENGINE.classify_json(record) == ENGINE.classify_json(record.encode())
        assert ENGINE.classify_many([failure])[0] == decision
        assert decision.to_dict() == json.loads(decision.to_json())


def test_fields_of_a_decision() -> None:
    decision = ENGINE.classify({"id": "tx-1", "connector": "exchange", "message": "AADSTS900023: 'x' is no tenant"})
    fields = decision.to_dict()
    log = fields.pop("log")
    assert (log["error_code"], log["stack_trace"]) == (decision.code, decision.log_stack_trace)
    for name, value in fields.items():
        assert getattr(decision, name) == value, name
    assert (decision.id, decision.code, decision.notes, decision.error) == ("tx-1", "DSEX004", [], None)
    assert repr(decision).startswith("<Decision DSEX004 ") and str(decision) == decision.message
    again = ENGINE.classify({"id": "tx-1", "connector": "exchange", "message": "AADSTS900023: 'x' is no tenant"})
    assert decision == again and hash(decision) == hash(again)
    assert decision != ENGINE.classify({}) and decision != "DSEX004"
    with pytest.raises(AttributeError):
        decision.code = "DSEX005"  # type: ignore[misc]


def test_context_counts_where_the_failure_does_not_say_it() -> None:
    item = {"http_status": 404, "provider_codes": ["ErrorItemNotFound"]}
    skipped = ENGINE.classify(item, connector="exchange", operation="delete")
    assert skipped.code == "DSEX021"
    assert ENGINE.classify({**item, "connector": None, "operation": " "}, connector="exchange", operation="delete") == skipped
    said = ENGINE.classify({**item, "connector": "webhook"}, connector="exchange", operation="delete")
    assert said.code == "DSWBHK020"


def test_values_of_python_become_those_of_json() -> None:
    class Status(int):
        pass

    same = {"connector": "webhook", "http_status": 503, "provider_codes": ["a"], "attributes": {"retries_exhausted": False}}
    values: list[dict[Any, Any]] = [
        {**same, "http_status": Status(503)},
        {**same, "provider_codes": ("a",)},
        {**same, "provider_codes": {"a"}},
        {**same, "provider_codes": [b"a"]},
        {**same, "message": None},
        {**same, "message": float("nan")},
        {**same, "attributes": MappingProxyType({"retries_exhausted": False})},
    ]
    for value in values:
        assert ENGINE.classify(value) == ENGINE.classify(same), value
    assert ENGINE.classify(MappingProxyType(same)) == ENGINE.classify(same)
    assert ENGINE.classify({**same, "http_status": Decimal(503)}).code == "DSHTTP001"
    assert ENGINE.classify({"http_status": 10**30}).notes


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Changing(dict[str, Any]):
    def items(self) -> Any:
        self["more"] = len(self)
        yield "message", self
        yield 1
        raise RuntimeError("no more items")


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {"message": "round"}
    value["attributes"] = value
    return value


@pytest.mark.parametrize(
    "failure",
    [
        None,
        5,
        b"bytes",
        [],
        object(),
        Hostile(),
        ValueError,
        {Hostile(): 1},
        {"message": Hostile()},
        {"message": "\ud800"},
        {"message": "x" * 10_000_000},
        {"exceptions": [Hostile()] * 50},
        {1: 2, "1": 3},
        Changing(),
        circle(),
        {"text": None, "exceptions": {"type": "A"}},
        {"exceptions": [{"message": ["x"] * 200_000}]},
    ],
)
def test_whatever_is_given_is_answered(failure: Any) -> None:
    decision = ENGINE.classify(failure)
    assert decision.code == "DSUNK001"
    assert decision.to_dict()["unknown_reason"] == decision.unknown_reason is not None


def test_what_is_no_failure_says_so() -> None:
    assert ENGINE.classify(ValueError).error == (  # type: ignore[arg-type]
        "expected an exception, a mapping or a text, found `type` (a class, not an exception that was raised)"
    )
    with pytest.raises(TypeError):
        ENGINE.classify_json(5)  # type: ignore[arg-type]


def test_texts_are_read_as_they_were_pasted() -> None:
    text = "System.Data.SqlClient.SqlException (0x80131904): Deadlock\r\nError Number:1205,State:51,Class:13"
    assert ENGINE.classify(text).code == ENGINE.classify({"text": text}).code == "DSDB001"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["id", "connector", "operation", "phase", "message", "exceptions", "http_status", "provider_codes", "error_numbers",
     "attributes", "stack_trace", "text", "type", "parent"]
)
ANYTHING = st.dictionaries(FIELDS | st.text(max_size=8), JSON, max_size=6)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_a_mapping_means_what_its_json_means(failure: dict[str, Any]) -> None:
    assert ENGINE.classify(failure).to_json().encode() == ENGINE.classify_json(json.dumps(failure))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_answered_in_one_line(record: bytes) -> None:
    line = ENGINE.classify_json(record)
    assert b"\n" not in line
    assert json.loads(line)["code"].startswith("DS")


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.builds(Exception, st.text(max_size=30)), lambda inner: st.lists(inner, min_size=1, max_size=3).map(
    lambda errors: _linked(errors)), max_leaves=8))
def test_any_tree_of_exceptions_is_answered_like_its_json(error: BaseException) -> None:
    read = faultbook.failure_from_exception(error)
    assert all(exception.get("parent", 0) < index for index, exception in enumerate(read["exceptions"]) if index)
    assert ENGINE.classify(error) == ENGINE.classify(read)


def _linked(errors: list[Exception]) -> Exception:
    if sys.version_info >= (3, 11) and len(errors) > 2:
        return ExceptionGroup("group", errors)
    for outer, inner in zip(errors, errors[1:], strict=False):
        if outer is not inner:
            outer.__context__ = inner
    return errors[0]
