"""What a decision costs in Python, and what a second thread brings. Needs pyarrow and a release build:

    bindings/python/test.sh --release
    target/python/venv/bin/python bindings/python/benches/speed.py

The failures are the examples of the rules, one after the other. Each figure is the best of three rounds; the two-thread
rounds follow their one-thread rounds at once, so that a busy machine disturbs both.
"""

import json
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

import faultbook

RULES = Path(__file__).resolve().parents[3] / "rules"
ENGINE = faultbook.Engine.builtin()
ROUNDS = 3


def failures(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value["failure"]] if isinstance(value.get("failure"), dict) else []
        return own + [failure for inner in value.values() for failure in failures(inner)]
    return [failure for inner in value for failure in failures(inner)] if isinstance(value, list) else []


FAILURES = [one for file in sorted(RULES.glob("*.toml")) for one in failures(tomllib.loads(file.read_text("utf-8")))]
FAILURES = [failure for failure in FAILURES if "text" not in failure]
RECORDS = [json.dumps(failure).encode() for failure in FAILURES]


def error(failure: dict[str, Any]) -> BaseException:
    """Exceptions in a row with the messages of a failure."""
    chain = [RuntimeError(each.get("message", "")) for each in failure.get("exceptions", [])] or [RuntimeError("x")]
    for outer, inner in zip(chain, chain[1:], strict=False):
        outer.__cause__ = inner
    return chain[0]


ERRORS = [error(failure) for failure in FAILURES]
TABLE = pa.Table.from_pylist(
    [
        {
            "connector": failure.get("connector"),
            "exception_type": next((each.get("type") for each in failure.get("exceptions", [])), None),
            "message": failure.get("message") or next((e.get("message") for e in failure.get("exceptions", [])), None),
            "http_status": failure.get("http_status"),
            "provider_codes": next(iter(failure.get("provider_codes", [])), None),
        }
        for failure in FAILURES
    ],
    pa.schema({"connector": pa.string(), "exception_type": pa.string(), "message": pa.string(),
               "http_status": pa.int16(), "provider_codes": pa.string()}),
)
TABLES = pa.concat_tables([TABLE] * (200_000 // len(FAILURES))).combine_chunks()


def each(ask: Callable[[Any], object], given: list[Any], rounds: int) -> Callable[[], int]:
    def work() -> int:
        for _ in range(rounds):
            for one in given:
                ask(one)
        return rounds * len(given)

    return work


def table() -> int:
    return sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(ENGINE.classify_table(TABLES)))


def many() -> int:
    return sum(len(ENGINE.classify_many(FAILURES)) for _ in range(10))


WORK: dict[str, Callable[[], int]] = {
    "json.loads of the same records, to compare": each(json.loads, RECORDS, 20),
    "classify(mapping)": each(ENGINE.classify, FAILURES, 10),
    "classify(exception)": each(ENGINE.classify, ERRORS, 10),
    "classify_json(bytes)": each(ENGINE.classify_json, RECORDS, 10),
    "classify_many(mappings)": many,
    "classify_table(pyarrow), rows": table,
}


def speed(work: Callable[[], int], threads: int) -> float:
    counts: list[int] = []
    workers = [threading.Thread(target=lambda: counts.append(work())) for _ in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - begun)


def main() -> None:
    print(f"{len(FAILURES)} failures; {TABLES.num_rows} rows in one batch")
    print(f"{'':44}{'a second':>12}{'µs each':>10}{'2 threads':>12}{'ratio':>8}")
    for name, work in WORK.items():
        rounds = [(speed(work, 1), speed(work, 2)) for _ in range(ROUNDS)]
        one, two = (max(round[index] for round in rounds) for index in range(2))
        print(f"{name:44}{one:12,.0f}{1e6 / one:10.2f}{two:12,.0f}{two / one:8.2f}")


if __name__ == "__main__":
    main()
