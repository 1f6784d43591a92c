#!/usr/bin/env python3
"""Tries `faultbook serve` against everything that reaches a service: slow clients, floods, requests that two readers read
differently, wrong hosts, wrong tokens, signals, rules that change under load, and everything its document promises.

    check.py FAULTBOOK [--write] [NAME…]

Each case says what was expected and what was observed; `--write` writes them to docs/service-faults.md. With names, only
those cases are run. Needs Linux; slowhttptest, curl and openssl come from the distribution (`apt-get install slowhttptest
curl openssl`), the rest from requirements.txt into target/service. A case whose tool is missing is named as not run.
"""

import argparse
import concurrent.futures
import os
import resource
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target" / "service"
PAGE = ROOT / "docs" / "service-faults.md"
# Cases wait more than they work.
AT_ONCE = 6

HEAD = """\
# Faults of the service

What reaches a service, how each was injected, what was expected and what was observed. Written by
`.ci/service/check.py FAULTBOOK --write`, which runs every case with real tools and fails where something else is observed.
`F` are faults, `S` are defaults that keep the service safe, `R` are odd requests, `O` is what operators rely on.

| | fault | how injected | expected | observed |
|---|---|---|---|---|
"""


def environment():
    """Starts this again with the packages of requirements.txt."""
    wanted = (HERE / "requirements.txt").read_text()
    stamp = TARGET / "requirements.txt"
    python = TARGET / "venv" / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        TARGET.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", TARGET / "venv"], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != (TARGET / "venv").resolve():
        os.execv(python, [python, *sys.argv])


def tried(case):
    """Runs a case: its outcome, and what was observed."""
    from service import Missing
    began = time.monotonic()
    try:
        outcome, observed = "ok", case["run"]()
    except Missing as missing:
        outcome, observed = "not run", f"not run: {missing}"
    except Exception as error:
        outcome, observed = "FAILED", "".join(traceback.format_exception(error)[-3:]).rstrip()
    print(f"{outcome:8}{case['name']:8}{case['fault']} ({time.monotonic() - began:.1f} s): {observed}", flush=True)
    return outcome, observed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faultbook")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    environment()
    from cases import cases
    from service import Service
    import faults, defaults, contract  # noqa: E401, F401, I001 — each adds its cases, in this order
    Service.binary = Path(arguments.faultbook).resolve()
    (TARGET / "run").mkdir(parents=True, exist_ok=True)
    # The floods need many files at once.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))
    # Nothing of the surroundings changes what the service does.
    for name in ["FAULTBOOK_TOKEN", "FAULTBOOK_RELOAD_TOKEN", "FAULTBOOK_RULES"]:
        os.environ.pop(name, None)
    chosen = [case for case in cases if not arguments.names or case["name"] in arguments.names]
    if not chosen:
        sys.exit(f"no such case; there are {', '.join(case['name'] for case in cases)}")
    began = time.monotonic()
    results = {case["name"]: tried(case) for case in chosen if case["alone"]}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        others = [case for case in chosen if not case["alone"]]
        # The longest first.
        others.sort(key=lambda case: case["name"] not in ("F86", "F87", "F88", "O8"))
        results |= dict(zip([case["name"] for case in others], pool.map(tried, others)))
    shutil.rmtree(TARGET / "run", ignore_errors=True)
    counts = {outcome: sum(1 for result in results.values() if result[0] == outcome) for outcome in ("ok", "not run", "FAILED")}
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()), f"in {time.monotonic() - began:.0f} s")
    if counts["FAILED"]:
        sys.exit(1)
    if arguments.names or counts["not run"]:
        return
    cells = [[case["name"], case["fault"], case["how"], case["expected"], results[case["name"]][1]] for case in cases]
    page = HEAD + "".join(f"| {' | '.join(row)} |\n" for row in cells)
    if arguments.write:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        sys.exit(f"stale: .ci/service/check.py FAULTBOOK --write, for {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
