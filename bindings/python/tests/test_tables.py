"""Tables by the Arrow interface: the same decisions as one by one, however the texts are laid out."""

import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import faultbook

ENGINE = faultbook.Engine.builtin()
COLUMNS = ["code", "status", "retry", "action", "message", "rule", "unknown_reason", "ruleset"]

ROWS: list[dict[str, Any]] = [
    {"connector": "exchange", "message": "AADSTS7000222: The provided client secret keys for app '1b2c' are expired."},
    {"connector": "webhook", "http_status": 503},
    {"connector": "exchange", "operation": "delete", "http_status": 404, "provider_codes": "ErrorItemNotFound"},
    {"connector": "business-central", "exception_type": "System.TimeoutException", "message": "Too slow."},
    {"exception_type": "System.Data.SqlClient.SqlException", "message": "Sperre ünd Stau", "error_numbers": 1205},
    {"text": "System.Data.SqlClient.SqlException (0x80131904): Deadlock\nError Number:1205,State:51,Class:13"},
    {},
    {"message": "nothing that anybody knows"},
]
NAMES = ["connector", "operation", "exception_type", "message", "text", "http_status", "provider_codes", "error_numbers"]
TABLE = {name: [row.get(name) for row in ROWS] for name in NAMES}


def one_by_one(row: dict[str, Any]) -> dict[str, Any]:
    """The decision on a row, asked for as a mapping."""
    failure = {name: row[name] for name in ("connector", "operation", "text", "http_status") if row.get(name)}
    if row.get("provider_codes"):
        failure["provider_codes"] = [row["provider_codes"]]
    if row.get("error_numbers"):
        failure["error_numbers"] = [row["error_numbers"]]
    if row.get("exception_type"):
        failure["exceptions"] = [{"type": row["exception_type"], "message": row.get("message")}]
    elif row.get("message"):
        failure["message"] = row["message"]
    decision = ENGINE.classify(failure).to_dict()
    return {name: decision[name] for name in COLUMNS}


EXPECTED = [one_by_one(row) for row in ROWS]
TEXTS = {pa.string(): "string", pa.large_string(): "large_string", pa.string_view(): "string_view"}


def test_the_examples_say_something() -> None:
    codes = [row["code"] for row in EXPECTED]
    assert codes == ["DSEX001", "DSWBHK020", "DSEX021", "DSBC004", "DSDB001", "DSDB001", "DSUNK001", "DSUNK001"]


@pytest.mark.parametrize("text", TEXTS, ids=TEXTS.values())
@pytest.mark.parametrize("number", [pa.int64(), pa.int16(), pa.uint32(), pa.float64(), pa.string()], ids=str)
def test_every_layout_of_texts_and_numbers(text: pa.DataType, number: pa.DataType) -> None:
    def column(name: str) -> pa.Array:
        values = TABLE[name]
        if name in ("http_status", "error_numbers"):
            return pa.array(values, pa.int64()).cast(number)
        return pa.array(values, text)

    table = pa.table({name: column(name) for name in TABLE})
    assert pa.table(ENGINE.classify_table(table)).to_pylist() == EXPECTED


@pytest.mark.parametrize("value", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("key", [pa.int8(), pa.int32(), pa.uint16()], ids=str)
def test_dictionaries(key: pa.DataType, value: pa.DataType) -> None:
    def encoded(name: str) -> pa.Array:
        words = [word for word in dict.fromkeys(TABLE[name]) if word is not None]
        keys = [words.index(word) if word is not None else None for word in TABLE[name]]
        return pa.DictionaryArray.from_arrays(pa.array(keys, key), pa.array(words, value))

    texts = {name: encoded(name) for name in ("connector", "operation", "exception_type", "provider_codes")}
    table = pa.table({**TABLE, **texts})
    assert pa.table(ENGINE.classify_table(table)).to_pylist() == EXPECTED


def test_an_empty_dictionary_and_a_column_of_nulls() -> None:
    empty = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int32()), pa.array([], pa.string()))
    table = pa.table({"connector": empty, "message": pa.nulls(2), "http_status": [503, 404]})
    codes = pa.table(ENGINE.classify_table(table, connector="webhook"))["code"].to_pylist()
    assert codes == ["DSWBHK020", "DSWBHK020"]


def test_polars() -> None:
    frame = pl.DataFrame(TABLE)
    assert pl.DataFrame(ENGINE.classify_table(frame)).to_dicts() == EXPECTED
    frame = frame.with_columns(pl.col("connector").cast(pl.Categorical), pl.col("operation").cast(pl.Categorical))
    decisions = pl.DataFrame(ENGINE.classify_table(frame))
    assert decisions.to_dicts() == EXPECTED
    assert frame.hstack(decisions.rename({"message": "decision"})).height == len(ROWS)
    many = pl.concat([frame] * 5000, rechunk=False)
    assert pl.DataFrame(ENGINE.classify_table(many)).to_dicts() == EXPECTED * 5000


def test_slices_batches_and_readers() -> None:
    table = pa.table(TABLE)
    assert pa.table(ENGINE.classify_table(table.slice(2, 4))).to_pylist() == EXPECTED[2:6]
    assert pa.table(ENGINE.classify_table(table.to_batches()[0])).to_pylist() == EXPECTED
    assert pa.table(ENGINE.classify_table(table.to_batches()[0].slice(1, 3))).to_pylist() == EXPECTED[1:4]
    assert pa.table(ENGINE.classify_table(table.to_reader(max_chunksize=3))).to_pylist() == EXPECTED
    assert pa.table(ENGINE.classify_table(table.slice(0, 0))).num_rows == 0

    class OneBatch:
        def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
            return table.to_batches()[0].__arrow_c_array__(requested_schema)  # type: ignore[no-any-return]

    assert pa.table(ENGINE.classify_table(OneBatch())).to_pylist() == EXPECTED


def test_the_answer_is_a_stream_that_is_read_once() -> None:
    decisions = ENGINE.classify_table(pa.table(TABLE))
    schema = pa.schema(decisions)
    assert schema.names == COLUMNS
    assert [field.name for field in schema if field.nullable] == ["unknown_reason"]
    assert repr(decisions) == "<DecisionTable, not read yet>"
    assert pa.RecordBatchReader.from_stream(decisions).read_all().num_rows == len(ROWS)
    assert repr(decisions) == "<DecisionTable, read>"
    with pytest.raises(faultbook.FaultbookError, match="call `classify_table` again"):
        pa.table(decisions)
    # Never read, and read in part.
    ENGINE.classify_table(pa.table(TABLE))
    reader = pa.RecordBatchReader.from_stream(ENGINE.classify_table(pa.concat_tables([pa.table(TABLE)] * 5000)))
    assert reader.read_next_batch().num_rows == len(ROWS)
    del reader


def test_large_batches_are_answered_in_pieces_and_only_when_they_are_asked_for() -> None:
    asked = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal asked
        for _ in range(4):
            asked += 1
            yield pa.record_batch({"message": ["AADSTS7000222: expired"] * 20_000})

    given = pa.RecordBatchReader.from_batches(pa.schema({"message": pa.string()}), batches())
    reader = pa.RecordBatchReader.from_stream(ENGINE.classify_table(given, connector="exchange"))
    assert asked == 0
    sizes = [reader.read_next_batch().num_rows for _ in range(3)]
    assert (sizes, asked) == ([8192, 8192, 3616], 1)
    assert sum(batch.num_rows for batch in reader) == 60_000


def test_what_a_stream_raises_comes_out() -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"message": ["x"]})
        raise RuntimeError("the source is gone")

    given = pa.RecordBatchReader.from_batches(pa.schema({"message": pa.string()}), batches())
    with pytest.raises(Exception, match="the source is gone"):
        pa.table(ENGINE.classify_table(given))


def test_columns_of_other_names() -> None:
    names = {"message": "OuterMessage", "exception_type": "OuterType", "http_status": "ResultCode"}
    table = pa.table({"OuterType": ["X"], "OuterMessage": ["slow"], "ResultCode": ["503"], "message": ["AADSTS7000222: x"]})
    decision = pa.table(ENGINE.classify_table(table, names, connector="webhook")).to_pylist()[0]
    assert (decision["code"], decision["message"]) == ("DSWBHK020", "[DSWBHK020] Status code: 503. slow")
    both = pa.table({"exception_type": ["System.TimeoutException"], "message": ["AADSTS7000222: x"]})
    assert pa.table(ENGINE.classify_table(both, connector="exchange"))["code"].to_pylist() == ["DSEX001"]


def test_lists_and_attributes() -> None:
    for lists in (pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.string_view())):
        codes = pa.array([["x", "ErrorInvalidUser"], None, []], lists)
        table = pa.table({"provider_codes": codes, "http_status": [404, 404, 404]})
        found = pa.table(ENGINE.classify_table(table, connector="exchange"))["rule"].to_pylist()
        said = [ENGINE.classify(row, connector="exchange").rule for row in table.to_pylist()]
        assert found == said and len(set(said)) == 2
        assert pa.table(ENGINE.classify_table(table.slice(1), connector="exchange"))["rule"].to_pylist() == said[1:]
    exhausted = pa.array([True, False, None])
    table = pa.table({"http_status": [503, 503, 503], "gave_up": exhausted})
    decisions = ENGINE.classify_table(table, {"attributes.retries_exhausted": "gave_up"}, connector="webhook")
    said = [ENGINE.classify({"http_status": 503, "connector": "webhook", "attributes": {"retries_exhausted": value}}).code
            for value in exhausted.to_pylist()]
    assert pa.table(decisions)["code"].to_pylist() == said == ["DSWBHK020", "DSHTTP001", "DSWBHK020"]


@pytest.mark.parametrize(
    ("table", "columns", "says"),
    [
        ({"x": ["a"]}, None, "no column of the table says anything .* it has `x`"),
        ({"message": ["a"]}, {"mesage": "message"}, "`mesage` is no fact of a failure; there are connector, "),
        ({"message": ["a"]}, {"text": "body"}, "no column `body` \\(for `text`\\); it has `message`"),
        ({"message": [1]}, None, "column `message` is Int64; `message` takes texts"),
        ({"http_status": [[1]]}, None, "`http_status` takes numbers or texts"),
        ({"message": [b"a"]}, None, "column `message` is Binary"),
        ({"message": ["a"]}, {"attributes.": "message"}, "is no fact"),
    ],
)
def test_columns_that_do_not_fit(table: dict[str, Any], columns: dict[str, str] | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ENGINE.classify_table(pa.table(table), columns)


def test_what_is_no_table() -> None:
    with pytest.raises(TypeError, match="found `list`; for a list of failures there is `classify_many`"):
        ENGINE.classify_table([{}])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`columns` takes a mapping"):
        ENGINE.classify_table(pa.table({"message": ["a"]}), ["message"])  # type: ignore[arg-type]
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["message", "message"])
    with pytest.raises(ValueError, match="several columns `message`"):
        ENGINE.classify_table(twice)

    class Liar:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return "stream"

    with pytest.raises(TypeError):
        ENGINE.classify_table(Liar())

    stream = pa.table({"message": ["a"]}).__arrow_c_stream__()

    class Again:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return stream

    ENGINE.classify_table(Again())
    with pytest.raises(ValueError, match="already released"):
        ENGINE.classify_table(Again())


def test_texts_that_are_no_text_hurt_nobody() -> None:
    for kind, offset in ((pa.string(), pa.int32()), (pa.large_string(), pa.int64())):
        broken = pa.Array.from_buffers(
            kind, 3, [None, pa.array([0, 2, 2**31 - 1, 2], offset).buffers()[1], pa.py_buffer(b"\xff\xfe")]
        )
        rows = pa.table(ENGINE.classify_table(pa.table({"message": broken}))).to_pylist()
        assert [row["unknown_reason"] for row in rows] == ["no-rule", "empty", "empty"]
        assert rows[0]["message"] == "[DSUNK001] \ufffd\ufffd"
    views = pa.array(["short", "a text that is longer than a view", None], pa.string_view())
    buffers = views.buffers()
    for changed, reasons in ((None, ["no-rule", "no-rule", "empty"]), (b"\x07", ["no-rule", "empty", "empty"])):
        view = bytearray(buffers[1].to_pybytes())
        if changed:
            view[24:25] = changed  # the index of a buffer that is not there
        array = pa.Array.from_buffers(pa.string_view(), 3, [buffers[0], pa.py_buffer(bytes(view)), *buffers[2:]])
        rows = pa.table(ENGINE.classify_table(pa.table({"message": array}))).to_pylist()
        assert [row["unknown_reason"] for row in rows] == reasons


def test_pieces_of_one_large_table_cost_no_more_than_the_table() -> None:
    column = pa.array(["AADSTS7000222: The client secret of nobody is expired. " * 360] * 4_000)
    table = pa.table({"message": column})

    def seconds(given: object) -> float:
        begun = time.perf_counter()
        pa.RecordBatchReader.from_stream(ENGINE.classify_table(given, connector="exchange")).read_all()  # type: ignore[arg-type]
        return time.perf_counter() - begun

    whole = min(seconds(table) for _ in range(2))
    assert min(seconds(table.to_reader(max_chunksize=2)) for _ in range(2)) < 4 * whole + 0.5


TEXT = st.none() | st.text(max_size=30)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, st.none() | st.integers(-10, 700)), max_size=20))
def test_any_table_says_what_its_rows_say(rows: list[tuple[str | None, str | None, int | None]]) -> None:
    kinds, messages, statuses = ([row[index] for row in rows] for index in range(3))
    schema = pa.schema({"exception_type": pa.string(), "message": pa.string_view(), "http_status": pa.int64()})
    table = pa.table([pa.array(values, field.type) for values, field in zip([kinds, messages, statuses], schema)], schema)
    found = pa.table(ENGINE.classify_table(table)).to_pylist()
    for row, decision in zip(rows, found, strict=True):
        kind, message, status = row
        kind = kind if kind and kind.strip() else None
        failure: dict[str, Any] = {"http_status": status}
        failure |= {"exceptions": [{"type": kind, "message": message}]} if kind else {"message": message}
        one = ENGINE.classify(failure).to_dict()
        assert {name: one[name] for name in COLUMNS} == decision


def test_memory_does_not_grow_with_a_stream() -> None:
    program = """
import resource, sys, pyarrow as pa, faultbook
engine = faultbook.Engine.builtin()
batch = pa.record_batch({"message": ["AADSTS7000222: The client secret is expired. " * 20] * 10_000})
def run(count):
    given = pa.RecordBatchReader.from_batches(batch.schema, (batch for _ in range(count)))
    for decisions in pa.RecordBatchReader.from_stream(engine.classify_table(given, connector="exchange")):
        assert decisions["code"][0].as_py() == "DSEX001"
run(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(int(sys.argv[1]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program, "30"], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32, f"{done.stdout} MiB more after 300,000 rows of 900 bytes"
    gc.collect()
