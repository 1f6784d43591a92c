"""What clients and operators rely on (O): the document of the interface, numbers, the access log, the Unix socket."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
from pathlib import Path

from cases import BODY, RELOAD_TOKEN, case, reload_config, run
from service import CODE, TARGET, Answer, Service, demand, exchange, request, wait_until


@case("O1", "the document of the interface", "`openapi-spec-validator` on `/openapi.json` and on `serve --openapi`",
      "valid OpenAPI 3.1, the same from both")
def document():
    from openapi_spec_validator import OpenAPIV31SpecValidator
    with Service() as service:
        served = service.ask("GET", "/openapi.json").json
    OpenAPIV31SpecValidator(served).validate()
    code, out = run(Service.binary, "serve", "--openapi")
    demand(code == 0 and json.loads(out) == served, "the command prints another document")
    return "valid, the same"


@case("O2", "requests made from the document", 
      "`schemathesis` with every check but one: what contradicts a schema is answered as well, with notes",
      "no status, media type or answer that the document does not have; right requests are accepted")
def schemathesis():
    folder = tempfile.mkdtemp(dir=TARGET)

    def st(service, *arguments):
        code, out = run(Path(sys.executable).parent / "st", "run", service.url() + "/openapi.json", "--checks", "all",
                        "--exclude-checks", "negative_data_rejection", "--seed", "1", "--no-color", *arguments, seconds=170,
                        cwd=folder, env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(Path(__file__).parent)})
        demand(code == 0, out[-6000:])

    with Service(reload_config(folder)) as service:
        st(service, "--exclude-path", "/v1/reload", "--max-examples", "25", "--phases", "examples,coverage,fuzzing")
        # Its token is taken ten times a second at most.
        st(service, "--include-path", "/v1/reload", "--max-examples", "10", "--phases", "fuzzing", "--rate-limit", "5/s",
           "--header", f"Authorization: Bearer {RELOAD_TOKEN}")
        service.expect_no_connections()
    return "no finding"


@case("O3", "numbers",
      "parsed by the OpenMetrics parser of `prometheus_client`, before and after 3,000 random paths, hosts and methods",
      "well-formed; labels only from closed sets: no more series afterwards")
def numbers():
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    def series(service):
        answer = service.ask("GET", "/metrics")
        demand("openmetrics" in answer.headers["content-type"], answer.headers["content-type"])
        demand("{}" not in answer.text, "an empty set of labels")
        found = {}
        for family in text_string_to_metric_families(answer.text):
            demand(family.documentation and family.name.startswith("faultbook_"), f"{family.name}")
            for sample in family.samples:
                found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
        return found

    def flood(service, seed):
        paths = [f"/{seed}/{number:x}/%{number % 90 + 10}" for number in range(990)]
        data = b"".join(request(f"M{number}" if number % 3 == 0 else "GET", path, None, host=f"h{number}.example" if number % 2
                                else "localhost") for number, path in enumerate(paths))
        received, _ = service.send(data + request("GET", "/healthz", None, [("Connection", "close")]))
        demand(received.count(b"HTTP/1.1 ") == 991, "not all were answered")

    with Service() as service:
        flood(service, "a")
        first = series(service)
        flood(service, "b")
        flood(service, "c")
        for _ in range(3):
            service.classify()
        last = series(service)
        demand(len(last) <= len(first) + 5, f"{len(last) - len(first)} new series: {set(last) - set(first)}")
        demand(last["faultbook_decisions_total", (("code", CODE),)] == 3, "decisions are not counted")
        demand(last["faultbook_classify_duration_seconds_count", ()] == 3, "durations are not counted")
        service.expect_no_connections()
        demand(sum(value for (name, _), value in last.items() if name == "faultbook_http_requests_total") >= 2976, "requests")
    return "well-formed, no new series"


@case("O4", "the access log", "paths of quotes, escapes and 2 KiB; refused heads; clients that go away",
      "each line is JSON on one line with time, peer, method, path, status, bytes, duration; no query")
def access_log():
    targets = ["/%22%5c%0a", "/a\\b", "/'{}'", "/" + "x" * 2000, "/v1/codes/%1b[31m", "/v1/ruleset?secret=1", "//", "*"]
    with Service(access_log="stdout") as service:
        for target in targets:
            service.ask("GET", target)
        service.send(b"GET /\x1b[31m\r\nfake HTTP/1.1\r\n\r\n")
        with contextlib.closing(service.connect()) as connection:
            connection.sendall(request("POST", "/v1/classify", BODY)[:-5])
            time.sleep(0.2)
        service.classify()
        demand(service.stop() == 0, "exit code")
        text = service.log.read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            demand({"time", "peer", "method", "path", "status", "bytes", "duration_us", "complete"} <= set(line), f"{line}")
            demand(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), line["time"])
        demand("secret" not in text and "\x1b" not in text, "a query or an escape is logged")
        demand(len(lines) == len(targets) + 3, f"{len(lines)} lines for {len(targets) + 3} requests: {text[-2000:]}")
        demand(sum(1 for line in lines if line.get("refused")) >= 1, "a refused head has no line")
        right = [line for line in lines if line["status"] == 200 and line["path"] == "/v1/classify"]
        demand(len(right) == 1 and right[0]["bytes"] > 100 and right[0]["complete"], f"{right}")
    return "one line of JSON for each request, refused ones too"


@case("O5", "the Unix socket", "started twice, killed, ended; another user's mode; curl",
      "mode 0600; a second service is refused; a stale socket is replaced; SIGTERM removes it")
def unix_socket():
    folder = Path(tempfile.mkdtemp(dir=TARGET))
    path = folder / "s.sock"
    config = f'socket = "s.sock"\n'
    (folder / "faultbook-server.toml").write_text(config)

    def ask():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            return Answer(exchange(connection, request("POST", "/v1/classify", BODY, [("Connection", "close")], host="any"))[0])

    with Service(f'socket = "{path}"\n') as service:
        demand(stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_ISSOCK(path.stat().st_mode), "mode")
        demand(ask().json["code"] == CODE, "no answer")
        if curl := shutil.which("curl"):
            code, out = run(curl, "-s", "--unix-socket", path, "http://localhost/healthz")
            demand(out == "ok\n", f"curl: {code} {out}")
        code, out = run(Service.binary, "serve", "--config", folder / "faultbook-server.toml")
        demand(code == 2 and "another process answers there" in out, f"a second service: {code} {out}")
        demand(ask().status == 200, "the second one broke the first")
        service.process.kill()
        service.process.wait()
        demand(path.exists(), "the socket vanished by itself")
    with Service(f'socket = "{path}"\n') as service:
        demand(ask().status == 200, "a stale socket is in the way")
        demand(service.stop() == 0 and not path.exists(), "the socket is left behind")
    demand(sorted(p.name for p in folder.iterdir()) == ["faultbook-server.toml"], "files are left behind")
    return "as expected; paths of a configuration file start at its folder"


@case("O6", "mistakes in the configuration",
      "unknown keys, wrong types, values out of range, keys in the wrong table; `--check`",
      "exit code 2; the line, what is wrong, and what to write instead")
def mistakes():
    folder = Path(tempfile.mkdtemp(dir=TARGET))
    path = folder / "c.toml"
    for text, says in [('lsten = "127.0.0.1:1"', ["line 1", "Did you mean `listen`?"]),
                       ('[limits]\nbody_byte = 1', ["line 2", "Did you mean `body_bytes`?"]),
                       ('connections = 1', ["belongs below `[limits]`"]), ('idle = "1s"', ["belongs below `[timeouts]`"]),
                       ('listen = 8321', ["line 1", "127.0.0.1:8321"]), ('listen = "localhost:80"', ["127.0.0.1:8321"]),
                       ('[timeouts]\nhead = 5', ["line 2", "5s"]), ('[timeouts]\nhead = "5"', ["line 2", "5s"]),
                       ('[timeouts]\nhead = "0s"', ["timeouts.head"]), ('[timeouts]\nhead = "2h"', ["timeouts.head"]),
                       ('[limits]\nheaders = 101', ["`limits.headers` is 101; give 8 to 100"]),
                       ('[limits]\nbody_bytes = -1', ["line 2"]), ('threads = 257', ["`threads` is 257; give 0 to 256"]),
                       ('access_log = "file"', ["stdout"]), ('allowed_hosts = ["http://x"]', ["is no host"]),
                       ('spool_required = true', ["needs `spool`"]), ('token_file = "none"', ["none"]),
                       ('rules = "none"', ["none"]), ("x =", ["line 1"]), (f'socket = "{"x" * 120}"', ["cannot listen"])]:
        path.write_text(text + "\n")
        code, out = run(Service.binary, "serve", "--config", path, "--check")
        demand(code == 2 and all(word in out for word in says), f"{text!r}: {code} {out}")
    path.write_text('socket = "s.sock"\n[limits]\nconnections = 10\n')
    code, out = run(Service.binary, "serve", "--config", path, "--check")
    demand(code == 0 and f'socket = "{folder}/s.sock"' in out and "connections = 10" in out, f"{code} {out}")
    # What is printed is a configuration itself.
    again = folder / "again.toml"
    again.write_text(out)
    demand(run(Service.binary, "serve", "--config", again, "--check") == (0, out), "what is printed reads differently")
    code, out = run(Service.binary, "serve", "--config", folder / "nowhere.toml")
    demand(code == 2 and "nowhere.toml" in out, f"a file that is not there: {out}")
    return "as expected; what `--check` prints is a configuration itself"


@case("O7", "SIGHUP without a rules directory", "`kill -HUP` on a service with the built-in rules",
      "it is said that they never change; the service lives")
def hangup():
    with Service() as service:
        for _ in range(20):
            service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("built-in" in line for line in service.said), 5, "nothing is said")
        demand(service.classify().status == 200, "no answer")
    return "as expected"


@case("O8", "IPv6 and port 0", "`--listen [::1]:0`", "the address that is printed is the one that answers")
def addresses():
    if not Path("/proc/net/if_inet6").exists():
        from service import Missing
        raise Missing("this machine has no IPv6")
    with Service('listen = "[::1]:0"\n') as service, socket.create_connection(service.address, 5) as connection:
        host = f"[::1]:{service.address[1]}"
        received, _ = exchange(connection, request("POST", "/v1/classify", BODY, [("Connection", "close")], host=host))
        demand(Answer(received).json["code"] == CODE, "no answer")
    return "as expected"
