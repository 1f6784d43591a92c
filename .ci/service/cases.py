"""What the cases share: their list, and looking at answers."""

import json
import shutil
import subprocess
import time
from pathlib import Path

from service import FAILURE, Answer, Missing, demand

TOKEN = "0123456789abcdef-first"
RELOAD_TOKEN = "0123456789abcdef-second"
KIB, MIB = 1024, 1024 * 1024
# What a healthy client has to wait at most in the slowest hundredth, whatever else goes on: milliseconds.
HEALTHY = 100
BODY = json.dumps(FAILURE).encode()

cases = []


def case(name, fault, how, expected, alone=False):
    """A case: its function observes what happens, and raises where that is not what is expected."""

    def add(function):
        cases.append({"name": name, "fault": fault, "how": how, "expected": expected, "run": function, "alone": alone})
        return function

    return add


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Missing(f"`{name}` is missing: `apt-get install {name}`")
    return path


def run(*command, seconds=60, **more):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, **more)
    return done.returncode, done.stdout + done.stderr


def expect_status(answer, status, what=""):
    demand(answer.status == status, f"{what}: {answer.status} {answer.body[:200]}, not {status}")
    if status >= 400:
        problem = answer.headers.get("content-type")
        demand(problem == "application/problem+json" and answer.json["status"] == status, f"{what}: {problem}")


def refused(service, data, status, what, step=None):
    """A request is refused with a problem, once, and the connection ends; nothing behind it is read as a request."""
    began = time.monotonic()
    received, is_over = service.send(data, 5, step)
    demand(is_over, f"{what}: the connection stays open; {received[:80]}")
    demand(time.monotonic() - began < 4, f"{what}: ended too late")
    count = received.count(b"HTTP/1.1 ")
    demand(count == 1, f"{what}: {count} answers: {received[:300]}")
    expect_status(Answer(received), status, what)


def private(folder, name, text, mode=0o600):
    path = Path(folder) / name
    path.write_text(text)
    path.chmod(mode)
    return path


def reload_config(folder):
    return f'reload_token_file = "{private(folder, "reload-token", RELOAD_TOKEN)}"\n'
