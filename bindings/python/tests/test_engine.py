"""Rules that change while threads ask, processes that fork, and faults that stay inside."""

import gc
import importlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import faultbook

FAILURE = {"connector": "exchange", "message": "AADSTS7000222: The provided client secret keys for app '1b2c' are expired."}


def edit(rules: Path, change: Callable[[str], str], file: str = "exchange.toml") -> None:
    """Changes a rule file as a whole, as editors and deployments do."""
    text = change((rules / file).read_text(encoding="utf-8"))
    new = rules.with_name("new.toml")
    new.write_text(text, encoding="utf-8")
    new.replace(rules / file)


def renamed(text: str) -> str:
    """The same rules with the title of a code changed."""
    return re.sub(r'^title = "(.*?)"', r'title = "\1 again"', text, count=1, flags=re.MULTILINE)


def broken(text: str) -> str:
    return text + "\n[[rules]]\nid = 7\n"


def test_rules_of_a_folder(rules: Path) -> None:
    engine = faultbook.Engine.open(rules)
    assert faultbook.Engine.open(str(rules)).ruleset == engine.ruleset == engine.status["ruleset"]
    assert engine.status["source"] == "directory" and engine.status["watch"] == "off"
    assert repr(engine) == f"<Engine {rules}, set 1, {engine.status['rules']} rules>"
    decision = engine.classify(FAILURE)
    assert decision.ruleset == engine.ruleset and decision.code.startswith("DS")
    assert engine.status["hits_by_code"] or engine.status["unknown_by_reason"]


def test_rules_that_do_not_load_are_an_exception_with_findings(rules: Path, tmp_path: Path) -> None:
    edit(rules, broken)
    with pytest.raises(faultbook.RulesRejected, match="rule set rejected with") as raised:
        faultbook.Engine.open(rules)
    errors = [finding for finding in raised.value.findings if finding.severity == "error"]
    assert errors and errors[0].file.endswith("exchange.toml") and errors[0].line > 1 and errors[0].column >= 1
    assert str(errors[0]).startswith(f"{errors[0].file}:{errors[0].line}:{errors[0].column}: error[{errors[0].lint}]: ")
    assert repr(errors[0]) == f"<Finding {errors[0]}>"
    with pytest.raises(faultbook.RulesRejected):
        faultbook.Engine.open(tmp_path / "nowhere")
    fallback = faultbook.Engine.open(rules, allow_fallback_only=True)
    assert (fallback.classify(FAILURE).code, fallback.status["source"]) == ("DSUNK001", "fallback-only")


def test_the_last_good_set_is_served(rules: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = faultbook.Engine.open(rules, state=state)
    digest = first.ruleset
    with pytest.raises(OSError, match="."):
        faultbook.Engine.open(rules, state=state)
    del first
    gc.collect()
    edit(rules, broken)
    second = faultbook.Engine.open(rules, state=state)
    assert (second.ruleset, second.status["source"]) == (digest, "last-good")
    assert second.classify(FAILURE).ruleset == digest


def test_reloads_say_what_came_of_them(rules: Path) -> None:
    engine = faultbook.Engine.open(rules)
    before = engine.ruleset
    unchanged = engine.reload()
    assert (unchanged.outcome, unchanged.generation, unchanged.ruleset) == ("unchanged", 1, before)
    assert (unchanged.changes, unchanged.findings) == (None, [])
    edit(rules, broken)
    rejected = engine.reload()
    assert (rejected.outcome, rejected.generation, rejected.changes, engine.ruleset) == ("rejected", None, None, before)
    assert rejected.findings[0].severity == "error"
    assert engine.status["last_reload"] and engine.status["last_reload"]["outcome"] == "rejected"
    edit(rules, lambda text: text.removesuffix(broken("")))
    edit(rules, renamed)
    swapped = engine.reload()
    assert (swapped.outcome, swapped.generation, swapped.ruleset) == ("swapped", 2, engine.ruleset)
    assert swapped.changes and swapped.changes["codes"]["changed"]
    assert engine.ruleset != before
    assert [repr(outcome) for outcome in (unchanged, swapped)] == [
        "<ReloadOutcome unchanged, set 1>",
        "<ReloadOutcome swapped, set 2>",
    ]
    assert repr(rejected).startswith("<ReloadOutcome rejected: rule set rejected with ")


def test_the_watch_takes_changed_rules_into_use(rules: Path) -> None:
    engine = faultbook.Engine.open(rules, watch=True)
    before = engine.ruleset
    edit(rules, renamed)
    end = time.monotonic() + 20
    while engine.ruleset == before and time.monotonic() < end:
        engine.classify(FAILURE)
        time.sleep(0.01)
    assert engine.ruleset != before
    assert engine.status["watch"] in ("scan", "events")


def test_reloads_under_load_fail_no_answer(rules: Path) -> None:
    engine = faultbook.Engine.open(rules, watch=True)
    expected = {engine.ruleset: engine.classify(FAILURE).title}
    answers, failed = [0, 0, 0], []
    stop = threading.Event()

    def ask(index: int) -> None:
        seen: dict[str, str] = {}
        while not stop.is_set():
            try:
                decision = engine.classify(FAILURE)
                title = seen.setdefault(decision.ruleset, decision.title)
                if decision.error or decision.title != title:
                    failed.append(repr(decision))
            except BaseException as error:
                failed.append(repr(error))
            answers[index] += 1
        for digest, title in seen.items():
            if expected.setdefault(digest, title) != title:
                failed.append(f"{digest}: {title}")

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    outcomes = []
    for change in [renamed, broken, lambda text: text.removesuffix(broken("")), renamed, renamed]:
        edit(rules, change)
        outcomes.append(engine.reload().outcome)
        assert engine.status["generation"] >= 1
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not failed and all(answers)
    # The watch may have been there before the reload that was asked for.
    assert "rejected" in outcomes and engine.status["generation"] >= 4


def test_threads_get_the_decisions_that_one_gets(engine: faultbook.Engine) -> None:
    failures = [{**FAILURE, "id": str(index)} for index in range(300)]
    expected = [engine.classify(failure) for failure in failures]
    results: list[list[faultbook.Decision]] = [[] for _ in range(8)]

    def ask(index: int) -> None:
        results[index] = engine.classify_many(iter(failures)) if index % 2 else [engine.classify(f) for f in failures]

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(result == expected for result in results)


def test_others_run_while_an_answer_takes_long(engine: faultbook.Engine) -> None:
    text = "\n".join(f"System.TimeoutException: {index} AADSTS90002 of many ---> nothing" for index in range(900))
    begun = time.perf_counter()
    count = 0
    while time.perf_counter() - begun < 0.5 or count < 8:
        engine.classify({"text": text})
        count += 1
    alone = (time.perf_counter() - begun) / count
    ticks, running = [], threading.Event()

    def ask() -> None:
        engine.classify_many({"text": text} for _ in range(256))
        running.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while not running.is_set():
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    thread.join()
    # Held all the time, the lock of the interpreter would let nobody else run before the 256 answers are there.
    assert len(ticks) > 20, f"{len(ticks)} ticks in about {256 * alone:.2f} s"


def test_an_iterable_that_raises(engine: faultbook.Engine) -> None:
    def failures() -> object:
        yield from [FAILURE] * 300
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        engine.classify_many(failures())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        engine.classify_many(5)  # type: ignore[arg-type]
    assert engine.classify_many([]) == []
    assert [decision.code for decision in engine.classify_many([5, None, FAILURE])] == [  # type: ignore[list-item]
        "DSUNK001",
        "DSUNK001",
        "DSEX001",
    ]


def test_ctrl_c_ends_a_long_call() -> None:
    program = """
import itertools, faultbook
engine = faultbook.Engine.builtin()
print("begun", flush=True)
engine.classify_many(itertools.repeat({"http_status": 503}))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"begun\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in said and process.returncode in (1, -signal.SIGINT, 130)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_answers_and_says_what_it_cannot_do(rules: Path) -> None:
    program = """
import os, sys, faultbook
engine = faultbook.Engine.open(sys.argv[1], watch=True)
failure = {"http_status": 503}
expected = engine.classify(failure)
if (child := os.fork()) == 0:
    assert engine.classify(failure) == expected
    for ask in (engine.reload, lambda: engine.status):
        try:
            ask()
        except faultbook.FaultbookError as error:
            assert "open an engine of its own there" in str(error)
        else:
            os._exit(3)
    own = faultbook.Engine.open(sys.argv[1], watch=True)
    assert own.reload().outcome == "unchanged"
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert engine.reload().outcome == "unchanged"
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program, str(rules)], check=True, timeout=60)


def test_a_fault_of_ours_is_an_exception() -> None:
    panic = getattr(importlib.import_module("faultbook._engine"), "_panic", None)
    if panic is None:
        pytest.skip("a release build has no such door")
    with pytest.raises(faultbook.InternalError, match="internal error"):
        panic()


def test_a_process_ends_with_a_watch_and_threads(rules: Path) -> None:
    program = """
import sys, threading, faultbook
engine = faultbook.Engine.open(sys.argv[1], watch=True)
def ask():
    while True:
        engine.classify({"http_status": 503})
for _ in range(3):
    threading.Thread(target=ask, daemon=True).start()
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program, str(rules)], check=True, timeout=30)


def test_memory_does_not_grow_over_100_000_calls(engine: faultbook.Engine) -> None:
    def error() -> BaseException:
        try:
            raise OSError(111, "refused")
        except OSError as inner:
            outer = RuntimeError("AADSTS7000222: expired")
            outer.__cause__ = inner
            return outer

    failure = error()

    def calls(count: int) -> None:
        for _ in range(count // 4):
            engine.classify(failure, connector="exchange").to_dict()
            engine.classify(FAILURE).to_json()
            engine.classify_json(b'{"http_status": 503, "odd": 1}')
            repr(engine.classify_many([FAILURE])[0])
        gc.collect()

    calls(8_000)
    references = sys.getrefcount(failure)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    calls(100_000)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < 8, f"{grown} MiB more after 100,000 calls"
    assert sys.getrefcount(failure) == references
