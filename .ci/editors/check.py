#!/usr/bin/env python3
"""Drives the tools that editors use on rule files: tombi's language server and linter, and taplo's linter.

    check.py FAULTBOOK        the tool whose output is to be checked

They are installed from the package registry into target/editors, in the versions of requirements.txt. What they see is
a workspace of its own with the settings, schemas and rules of this repository, and files with one mistake each that
name no schema themselves.
"""

import json
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target" / "editors"
WORKSPACE = TARGET / "workspace"
SECONDS = 20

GOOD = """\
format = 1
connector = "demo"

[codes.DSDEMO001]
title = "Not found"
status = "Failed"
retry = "none"
meaning = "It is not there."
remedy = ["Nothing to do."]

[[rules]]
id = "not-found"
code = "DSDEMO001"
when.message = '\\bnot found\\b'

[[rules.examples]]
failure = { message = "not found" }
"""

# What is wrong, the text in its place, the line (from 1), and a word that must be said about it.
MISTAKES = {
    "misspelt-key": ("when.message", "when.mesage", 14, "mesage"),
    "retry-word": ('retry = "none"', 'retry = "retryed"', 7, "retry"),
    "malformed-id": ('id = "not-found"', 'id = "Not Found"', 12, "Not Found"),
    "toml-1.1": ('{ message = "not found" }', '{ message = "not found", }', 17, "v1.0.0"),
}

failures = []


def expect(is_met, what, shown=""):
    print(("ok      " if is_met else "FAILED  ") + what)
    if not is_met:
        failures.append(what)
        print(shown)


def run(*command, stdin=""):
    done = subprocess.run(command, cwd=WORKSPACE, input=stdin, capture_output=True, text=True, timeout=SECONDS * 3)
    return done.returncode, done.stdout + done.stderr


def tools():
    """The folder of the installed tools."""
    folder = TARGET / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    wanted = (HERE / "requirements.txt").read_text()
    stamp = TARGET / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        TARGET.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", TARGET / "venv"], check=True)
        pip = [folder / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return folder


def workspace():
    shutil.rmtree(WORKSPACE, ignore_errors=True)
    WORKSPACE.mkdir(parents=True)
    for name in ["tombi.toml", ".taplo.toml"]:
        shutil.copy(ROOT / name, WORKSPACE)
    for name in ["schema", "rules"]:
        shutil.copytree(ROOT / name, WORKSPACE / name)
    # Without the line that names a schema: it is the settings that are tried.
    for path in (WORKSPACE / "rules").glob("*.toml"):
        path.write_text(path.read_text().partition("\n")[2])


class Server:
    """A language server, spoken to as an editor does."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, cwd=WORKSPACE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.messages = queue.Queue()
        self.last = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        out = self.process.stdout
        while True:
            length = None
            while (line := out.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if length is None:
                return
            self.messages.put(json.loads(out.read(length)))

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def ask(self, method, params):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        while True:
            message = self.messages.get(timeout=SECONDS)
            if "method" not in message:
                if message.get("id") == self.last:
                    return message.get("result")
            elif "id" in message:
                # The server asks for something: this editor has nothing to say.
                self.send({"id": message["id"], "result": None})

    def open(self, path, text):
        path.write_text(text)
        document = {"uri": path.as_uri(), "languageId": "toml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return {"textDocument": {"uri": path.as_uri()}}

    def ask_until(self, method, params, is_answer):
        """Asks again while the server is still reading what was opened."""
        for _ in range(20):
            answer = self.ask(method, params)
            if is_answer(answer):
                break
            time.sleep(0.1)
        return answer


def at(text, needle, offset=0):
    place = text.index(needle) + offset
    line = text.count("\n", 0, place)
    return {"line": line, "character": place - (text.rfind("\n", 0, place) + 1)}


def labels(completion):
    items = completion if isinstance(completion, list) else (completion or {}).get("items", [])
    return {item["label"].strip('"'): item for item in items}


def markdown(hover):
    return ((hover or {}).get("contents") or {}).get("value", "")


def check_server(tombi):
    server = Server([tombi, "lsp", "--offline"])
    capabilities = {
        "textDocument": {
            "completion": {"completionItem": {"snippetSupport": True}},
            "diagnostic": {},
            "hover": {"contentFormat": ["markdown"]},
        }
    }
    folders = [{"uri": WORKSPACE.as_uri(), "name": "rules"}]
    server.ask(
        "initialize",
        {"processId": None, "rootUri": WORKSPACE.as_uri(), "workspaceFolders": folders, "capabilities": capabilities},
    )
    server.notify("initialized", {})

    good = server.open(WORKSPACE / "rules" / "good.toml", GOOD)
    for name, (right, wrong, line, word) in MISTAKES.items():
        file = server.open(WORKSPACE / "rules" / f"{name}.toml", GOOD.replace(right, wrong))
        items = server.ask_until("textDocument/diagnostic", file, lambda report: report["items"])["items"]
        is_found = any(item["range"]["start"]["line"] == line - 1 and word in item["message"] for item in items)
        # A word that is not in a list: the server names the list, not the key.
        is_found |= name == "retry-word" and any(
            item["range"]["start"]["line"] == line - 1 and "fix-config" in item["message"] for item in items
        )
        expect(is_found, f"server: {name} is shown on line {line}", items)
        print("        " + "; ".join(f"{i['range']['start']['line'] + 1}: {i['message']}" for i in items))

    keys = {
        "retry = ": ("fix-config = somebody has to change a setting first", "undiagnosed"),
        "id = ": ("kebab-case", "secret-expired"),
        "when.message": ("Write it in single quotes",),
        "remedy": ("step by step",),
    }
    for needle, words in keys.items():
        # The last part of a dotted key is the one that is asked about.
        place = at(GOOD, needle, needle.find(".") + 2)
        text = markdown(server.ask_until("textDocument/hover", {**good, "position": place}, markdown))
        expect(all(word in text for word in words), f"server: hover on `{needle.strip(' =')}`", text)
    print("        " + text.splitlines()[0])

    report = server.ask("textDocument/diagnostic", good)
    expect(report["items"] == [], "server: nothing to say about a good file", report)

    typing = {
        "keys of a rule": (GOOD + "\n[[rules]]\n\n", "[[rules]]\n\n", {"id", "code", "when", "unless", "capture"}),
        "conditions": (GOOD.replace("when.message = '\\bnot found\\b'", "when."), "when.", {"exception", "http_status"}),
        "words of retry": (GOOD.replace('retry = "none"', "retry = "), "retry = ", {"retried", "fix-config", "none"}),
        "keys of a failure": (GOOD.replace('{ message = "not found" }', "{ }"), "failure = { ", {"exceptions", "text"}),
    }
    for index, (what, (text, needle, wanted)) in enumerate(typing.items()):
        file = server.open(WORKSPACE / "rules" / f"typing-{index}.toml", text)
        place = at(text, needle, len(needle) - needle.endswith("\n\n"))
        offered = labels(server.ask_until("textDocument/completion", {**file, "position": place}, labels))
        expect(wanted <= offered.keys(), f"server: completion of {what}", sorted(offered))
        print("        " + ", ".join(sorted(offered)))
    server.ask("shutdown", None)
    server.notify("exit", None)
    server.process.wait(timeout=SECONDS)
    for path in (WORKSPACE / "rules").glob("typing-*.toml"):
        path.unlink()


def check_linters(tombi, taplo, faultbook):
    rules = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "rules").glob("*.toml"))
    for name, command in {"tombi": (tombi, "lint", "--offline"), "taplo": (taplo, "lint")}.items():
        code, text = run(*command, *rules, "rules/good.toml")
        expect(code == 0, f"{name}: the rules are clean", text)
        for mistake, (_, _, line, _) in MISTAKES.items():
            code, text = run(*command, f"rules/{mistake}.toml")
            expect(code != 0 and f":{line}:" in text, f"{name}: {mistake} is found on line {line}", text)

    untidy = WORKSPACE / "rules" / "untidy.toml"
    untidy.write_text(GOOD.replace(" = ", "="))
    code, text = run(tombi, "format", "--offline", "--check", "rules")
    expect(code == 0, "tombi: leaves the layout of rule files alone", text)
    code, text = run(taplo, "fmt", "--check", *rules, "rules/good.toml")
    expect(code == 0, "taplo: formatting changes nothing in the house layout", text)
    code, text = run(faultbook, "fmt", "--check", *rules, "rules/good.toml")
    expect(code == 0, "faultbook: the rules are in the house layout", text)

    (right, wrong, _, _) = MISTAKES["toml-1.1"]
    old = WORKSPACE / "rules" / "old.toml"
    code, text = run(faultbook, "fmt", "-", stdin=GOOD.replace(right, wrong.replace("not", "\\x6eot")))
    old.write_text(text)
    code, text = run(tombi, "lint", "--offline", "rules/old.toml")
    is_old = r'failure = { message = "\u006eot found" }' in old.read_text()
    expect(code == 0 and is_old, "faultbook: TOML 1.1 comes out as TOML 1.0", text)


def main():
    faultbook = pathlib.Path(sys.argv[1]).resolve()
    folder = tools()
    workspace()
    check_server(folder / "tombi")
    check_linters(folder / "tombi", folder / "taplo", faultbook)
    if failures:
        sys.exit(f"{len(failures)} of the editors' checks failed")


if __name__ == "__main__":
    main()
