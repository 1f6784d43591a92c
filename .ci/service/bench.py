#!/usr/bin/env python3
"""Measures `faultbook serve` on loopback: single failures against a constant answer of the same server, the Unix socket, and
streams against the command line.

    cargo build --release --features measure
    bench.py target/release/faultbook [--rounds N] [--seconds N]

The feature `measure` adds `POST /v1/constant`: the same request is taken in, nothing is decided, and an answer as long as a
decision is written. Without it the constant answer is `GET /healthz`.

Needs `wrk` (`apt-get install wrk`), Linux and two processors: the service has one, the load the other. Give it a quiet
machine. What is compared is measured by turns, one after the other in each round, and compared by the median of the
rounds: a machine that is busy is busy for both.
"""

import argparse
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from service import ROOT, TARGET, Service, read_answer, request

FAILURES = [json.loads(line) for line in (ROOT / "examples" / "failures.ndjson").read_text().splitlines()]
# One processor for the service, one for the load.
PINNED = [["taskset", "-c", str(number)] for number in (0, 1)]
# Each line of the file by turns; the constant answer is asked for in the same way.
SCRIPT = """\
local bodies = {}
init = function()
  for line in io.lines("%s") do
    if wrk.path == "/healthz" then
      bodies[#bodies + 1] = wrk.format()
    else
      bodies[#bodies + 1] = wrk.format("POST", wrk.path, { ["Content-Type"] = "application/json" }, line)
    end
  end
end
local number = 0
request = function()
  number = number %% #bodies + 1
  return bodies[number]
end
"""
STREAM_LINES = 60_000
OTHER_TEXTS = 2_000


def traced(failure, number):
    """The failure with a number of its own in its text, as a remote side writes one for each request."""
    return failure | {"text": f"{failure['text']}\nTrace ID: {number:08x}-5a44-4b7e-9d1a-0c5be2f61a10"}


def wrk(address, path, seconds, connections, script=None):
    """Requests per second, and milliseconds in the middle and of the slowest hundredth."""
    command = [*PINNED[1], "wrk", "--latency", "-t", "1", "-c", str(connections), "-d", f"{seconds}s"]
    command += [*(["-s", script] if script else []), f"http://{address}{path}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"failed requests:\n{out}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    return rate, milliseconds(out, "50%"), milliseconds(out, "99%")


def milliseconds(out, share):
    number, unit = re.search(rf"{re.escape(share)}\s+([\d.]+)(us|ms|s)\b", out).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def unix(path, requests, seconds):
    """The same over the Unix socket on one connection, by a small client of its own."""
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answers:
        connection.connect(str(path))
        took = []
        over = time.perf_counter() + seconds
        number = 0
        while (began := time.perf_counter()) < over:
            connection.sendall(requests[number % len(requests)])
            answer = read_answer(answers)
            took.append(time.perf_counter() - began)
            number += 1
            if answer.status != 200:
                sys.exit(f"failed request: {answer.status}")
    took.sort()
    return len(took) / seconds, took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000


def stream(path, lines):
    """Lines per second through one stream over the Unix socket."""
    head = request("POST", "/v1/classify/stream", None, [("Content-Type", "application/x-ndjson"), ("Connection", "close"),
                                                         ("Content-Length", str(len(lines)))])
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        sender = threading.Thread(target=connection.sendall, args=(head + lines,))
        began = time.perf_counter()
        sender.start()
        count = 0
        while part := connection.recv(1 << 20):
            count += part.count(b"\n")
        took = time.perf_counter() - began
        sender.join()
    if count < lines.count(b"\n"):
        sys.exit(f"{count} lines came back")
    return lines.count(b"\n") / took


def command_line(file, count):
    """Lines per second through `faultbook classify`, its start included."""
    began = time.perf_counter()
    with open(file, "rb") as lines:
        done = subprocess.run([Service.binary, "classify", "--input", "json", "--format", "json"], stdin=lines,
                              stdout=subprocess.PIPE, check=True)
    took = time.perf_counter() - began
    if done.stdout.count(b"\n") != count:
        sys.exit("the command line lost lines")
    return count / took


def rows(name, measured):
    rates, middles, slowest = (statistics.median(column) for column in zip(*measured))
    print(f"{name:60}{rates:10.0f} requests/s   p50 {middles:7.3f} ms   p99 {slowest:7.3f} ms", flush=True)
    return [rate for rate, _, _ in measured]


def compare(service, scripts, connections, arguments, suffix):
    address = "%s:%d" % service.address
    has_constant = service.ask("GET", "/v1/constant").status == 405
    constant = "/v1/constant" if has_constant else "/healthz"
    for name, script in scripts.items():
        answers, decisions = [], []
        for _ in range(arguments.rounds):
            answers.append(wrk(address, constant, arguments.seconds, connections, script))
            decisions.append(wrk(address, "/v1/classify", arguments.seconds, connections, script))
        answered = rows(f"a failure {name}, {constant}, {suffix}", answers)
        decided = rows(f"a failure {name}, {suffix}", decisions)
        ratios = sorted(a / b for a, b in zip(decided, answered))
        quarters = [ratios[len(ratios) * share // 4] * 100 for share in (1, 2, 3)]
        print(f"{'':62}{quarters[1]:8.0f} % of the constant answer, half of the rounds {quarters[0]:.0f} to "
              f"{quarters[2]:.0f} % (goal: 60 %)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faultbook")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1)
    arguments = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("`wrk` is missing: `apt-get install wrk`")
    Service.binary = Path(arguments.faultbook).resolve()
    TARGET.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=TARGET))
    ordinary = folder / "failures.ndjson"
    ordinary.write_text("".join(json.dumps(failure) + "\n" for failure in FAILURES))
    scripts = {}
    texts = [failure for failure in FAILURES if "text" in failure]
    kinds = {
        "of facts": [failure for failure in FAILURES if "text" not in failure],
        "of pasted text": texts,
        # What the last texts stated is remembered: here no text comes twice within many.
        "of pasted text, no two alike": [traced(texts[number % len(texts)], number) for number in range(OTHER_TEXTS)],
    }
    for name, failures in kinds.items():
        lines = folder / f"{len(scripts)}.ndjson"
        lines.write_text("".join(json.dumps(failure) + "\n" for failure in failures))
        scripts[name] = folder / f"{len(scripts)}.lua"
        scripts[name].write_text(SCRIPT % lines)
    for log in ["off", "stdout"]:
        for connections in [1, 32]:
            with Service(access_log=log, prefix=PINNED[0]) as service:
                wrk("%s:%d" % service.address, "/v1/classify", 1, connections, scripts["of facts"])
                compare(service, scripts, connections, arguments, f"{connections} connections, log {log}")
    path = folder / "s.sock"
    with Service(f'socket = "{path}"\n') as service:
        requests = [request("POST", "/v1/classify", json.dumps(failure).encode()) for failure in FAILURES]
        rows("POST /v1/classify, Unix socket, 1 connection", [unix(path, requests, arguments.seconds) for _ in range(3)])
        rows("GET /healthz, Unix socket, 1 connection",
             [unix(path, [request("GET", "/healthz")], arguments.seconds) for _ in range(3)])
        copies = -(-STREAM_LINES // len(FAILURES))
        lines = ordinary.read_bytes() * copies
        file = folder / "lines.ndjson"
        file.write_bytes(lines)
        streamed, piped = [], []
        for _ in range(arguments.rounds):
            streamed.append(stream(path, lines))
            piped.append(command_line(file, lines.count(b"\n")))
        ratio = statistics.median(a / b for a, b in zip(streamed, piped))
        print(f"{'POST /v1/classify/stream':50}{statistics.median(streamed):10.0f} lines/s")
        print(f"{'faultbook classify':50}{statistics.median(piped):10.0f} lines/s")
        print(f"{'':50}{ratio * 100:9.0f} % of the command line (goal: 60 %)")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
