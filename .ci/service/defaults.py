"""Defaults that keep the service safe (S), and odd requests (R)."""

import contextlib
import json
import socket
import stat
import tempfile
import time
import tomllib
from pathlib import Path

from cases import BODY, KIB, MIB, RELOAD_TOKEN, TOKEN, case, expect_status, private, refused, reload_config, run
from service import CODE, FAILURE, TARGET, Answer, Missing, Service, demand, exchange, request, wait_until


def effective(*arguments):
    code, out = run(Service.binary, "serve", "--check", *arguments)
    demand(code == 0, f"--check: {code} {out}")
    return tomllib.loads(out)


@case("S1", "who can reach it", "started without arguments, on 0.0.0.0 and [::] without and with a token, on a Unix socket",
      "127.0.0.1; elsewhere only with a token or `--insecure-no-auth`; the socket 0600")
def bind():
    demand(effective()["listen"] == "127.0.0.1:8321", "the default")
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.9:0"]:
        code, out = run(Service.binary, "serve", "--listen", address)
        demand(code == 2 and "--insecure-no-auth" in out and "token_file" in out, f"{address}: {code} {out}")
    effective("--listen", "0.0.0.0:0", "--insecure-no-auth")
    folder = tempfile.mkdtemp(dir=TARGET)
    effective("--listen", "0.0.0.0:0", "--token-file", private(folder, "token", TOKEN))
    socket_file = Path(folder) / "s.sock"
    demand("listen" not in effective("--socket", socket_file), "a socket alone listens on TCP as well")
    with Service(f'socket = "{socket_file}"\n') as service:
        demand(stat.S_IMODE(socket_file.stat().st_mode) == 0o600, "others may use the socket")
        demand(not any("http://" in line for line in service.said), "it listens on TCP as well")
    return "as expected; exit code 2 says what to give"


@case("S2", "for which host", "see F97",
      "localhost, loopback addresses, the address that is listened on, `allowed_hosts`; else 421")
def hosts():
    for name in ["http://x", "x:80", "a b", "x/y", ""]:
        code, out = run(Service.binary, "serve", "--check", "--allowed-host", name)
        demand(code == 2 and "is no host" in out, f"{name!r}: {code} {out}")
    effective("--allowed-host", "faultbook.example", "--allowed-host", "[fd00::7]", "--allowed-host", "10.0.0.7")
    return "421, or an error at the start for a name that is none"


@case("S3", "pages in browsers", "see F97", "no CORS at all, preflight 403")
def cors():
    with Service() as service:
        answer = service.ask("OPTIONS", "/v1/classify", None, [("Origin", "null")])
        expect_status(answer, 403, "preflight")
    return "403"


@case("S4", "administration", "`POST /v1/reload` by default; GET; `/quit`, `/debug`; a form of another page",
      "off; POST only, with a header that no form can send; nothing else there")
def administration():
    with Service() as service:
        expect_status(service.ask("POST", "/v1/reload"), 403, "reload without a token")
        expect_status(service.ask("POST", "/v1/reload", None, [("Authorization", "Bearer ")]), 403, "an empty token")
        expect_status(service.ask("GET", "/v1/reload"), 405, "reload by GET")
        for path in ["/quit", "/debug", "/-/reload", "/reload", "/config"]:
            expect_status(service.ask("POST", path), 404, path)
    folder = tempfile.mkdtemp(dir=TARGET)
    with Service(reload_config(folder)) as service:
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        expect_status(service.ask("POST", "/v1/reload", f"token={RELOAD_TOKEN}".encode(), form), 401, "a form")
    return "403 without a configured token, 405 for GET, 401 for a form"


@case("S5", "where tokens stand",
      "in an argument, in a file that others may read, a short one, a folder; all output is searched",
      "refused with exit code 2; never printed")
def secrets():
    folder = tempfile.mkdtemp(dir=TARGET)
    code, out = run(Service.binary, "serve", "--token", TOKEN)
    demand(code == 2, "a token as an argument")
    for file, says in [(private(folder, "open", TOKEN, 0o644), "chmod 600"),
                       (private(folder, "group", TOKEN, 0o640), "chmod 600"),
                       (private(folder, "short", "abc"), "at least 16"), (Path(folder), "is no file"),
                       (Path(folder) / "none", "cannot read"), (private(folder, "blank", "a b" * 9), "printable")]:
        for option in ["--token-file", "--reload-token-file"]:
            for more in [["--check"], ["--listen", "127.0.0.1:0"]]:
                code, out = run(Service.binary, "serve", option, file, *more)
                demand(code == 2 and says in out, f"{file.name}: {code} {out}")
                demand(TOKEN not in out, "the token is printed")
    config = f'token_file = "{private(folder, "token", TOKEN)}"\n' + reload_config(folder)
    with Service(config, access_log="stderr") as service:
        service.ask("GET", f"/v1/ruleset?token={TOKEN}", None, [("Authorization", f"Bearer {TOKEN}")])
        service.ask("GET", "/v1/ruleset", None, [("Authorization", f"Bearer {RELOAD_TOKEN}")])
        demand(service.stop() == 0, "exit code")
        service.reader.join(2)
        demand("/v1/ruleset" in str(service.said), "no access log")
        demand(TOKEN not in str(service.said) and RELOAD_TOKEN not in str(service.said), "a token is logged")
    return "exit code 2 with the reason; in no output and no log"


@case("S6", "limits of requests", "the printed defaults; lists and heads at the limit and one over it",
      "1 MiB one, 8 MiB and 1,000 in a list, 16 KiB and 64 headers, 2 KiB URL")
def limits():
    found = effective()["limits"]
    wanted = {"body_bytes": MIB, "batch_bytes": 8 * MIB, "batch_records": 1000, "line_bytes": MIB, "head_bytes": 16 * KIB,
              "headers": 64, "url_bytes": 2 * KIB, "connections": 512, "connections_per_peer": 64}
    demand(found == wanted, f"{found}")
    with Service() as service:
        for size, status in [(8 * MIB, 200), (8 * MIB + 1, 413)]:
            body = b"[" + BODY + b"]"
            expect_status(service.ask("POST", "/v1/classify", body + b" " * (size - len(body))), status, f"a list of {size}")
        body = b" " * (2 * MIB) + b"[" + BODY + b"]"
        expect_status(service.ask("POST", "/v1/classify", body), 413, "blanks before a list")
        for size, status in [(16 * KIB, 200), (16 * KIB + 1, 431)]:
            head = request("GET", "/healthz", None, [("Connection", "close"), ("X-A", "")])
            head = head.replace(b"X-A: ", b"X-A: " + b"a" * (size - len(head)))
            demand(Answer(service.send(head)[0]).status == status, f"a head of {size}")
        # A body in parts of one byte costs no more than its bytes.
        before = service.processor()
        parts = b"1\r\n \r\n" * 200_000 + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
        head = request("POST", "/v1/classify", None, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked"),
                                                      ("Connection", "close")])
        demand(Answer(service.send(head + parts)[0]).status == 200, "a body in parts of one byte")
        used = service.processor() - before
        demand(used < 2, f"200,000 parts of one byte cost {used:.1f} s")
    return "the defaults are these, and hold at the byte"


@case("S7", "time limits", "the printed defaults; a silent and a slow connection by default, the others by configuration",
      "first byte 5 s, head 5 s, body 10 s, request 15 s, idle 30 s, write 10 s, stream 60 s")
def timeouts():
    found = effective()["timeouts"]
    wanted = {"first_byte": "5s", "head": "5s", "body": "10s", "request": "15s", "stream_idle": "1m", "write": "10s",
              "idle": "30s", "drain": "5s"}
    demand(found == wanted, f"{found}")

    def ends(service, data, least, most, status=None, step=None):
        with contextlib.closing(service.connect(most + 2)) as connection:
            began = time.monotonic()
            if step:
                connection.settimeout(0.4)
                received = b""
                for number in range(len(data)):
                    with contextlib.suppress(TimeoutError, OSError):
                        connection.sendall(data[number:number + 1])
                        part = connection.recv(4096)
                        received += part
                        if not part:
                            break
            else:
                received, is_over = exchange(connection, data)
                demand(is_over, "stays open")
            took = time.monotonic() - began
            demand(least <= took <= most, f"{data[:20]} ended after {took:.1f} s")
            demand(status is None and not received or Answer(received).status == status, f"{data[:20]}: {received[:80]}")

    with Service() as service:
        ends(service, b"", 4.8, 6)
        ends(service, b"GET /healthz HTTP/1.1\r\nHo", 4.8, 6, 408)
        # A byte now and then starts no clock anew.
        ends(service, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"b" * 40, 4.8, 6.5, 408, step=1)
    with Service('[timeouts]\nidle = "500ms"\nrequest = "1s"\nbody = "3s"\nstream_idle = "1s"\nwrite = "1s"\n') as service:
        ends(service, request("GET", "/healthz"), 0.4, 2, 200)
        ends(service, request("POST", "/v1/classify", BODY)[:-5], 0.9, 2.5)
        stream = request("POST", "/v1/classify/stream", None, [("Content-Type", "application/x-ndjson"),
                                                               ("Transfer-Encoding", "chunked")])
        with contextlib.closing(service.connect(5)) as connection:
            connection.sendall(stream)
            # Lines keep a stream alive, parts of a line that never ends do not.
            for _ in range(4):
                connection.sendall(b"%x\r\n%s\n\r\n" % (len(BODY) + 1, BODY))
                demand(CODE.encode() in connection.recv(1 << 16), "the stream ends")
                time.sleep(0.6)
            began = time.monotonic()
            with contextlib.suppress(OSError):
                while time.monotonic() - began < 5:
                    connection.sendall(b"1\r\n \r\n")
                    time.sleep(0.2)
            took = time.monotonic() - began
            demand(took < 3, f"a line that never ends keeps the stream open for {took:.1f} s")
        large = request("POST", "/v1/classify", b"[" + b",".join([b'{"message":"' + b"m " * 3500 + b'"}'] * 1000) + b"]")
        with contextlib.closing(service.connect(10, receive_buffer=4096)) as connection:
            connection.sendall(large)
            wait_until(lambda: service.connections() == 2, 5, "not taken in")
            wait_until(lambda: service.connections() == 1, 6, "an answer that nobody reads is kept")
    return "the defaults are these; each clock ends its connection, a byte now and then starts none anew"


@case("S8", "connections", "2,000 at once (F89); 70 from another address than loopback",
      "512 together, 64 from one address; 503 with `Retry-After`")
def connections():
    # An address of this machine that is not loopback.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise Missing("this machine has no address but loopback") from None
        own = probe.getsockname()[0]
    if own.startswith("127."):
        raise Missing("this machine has no address but loopback")
    with Service(f'listen = "{own}:0"\ninsecure_no_auth = true\n') as service, contextlib.ExitStack() as stack:
        held = [stack.enter_context(contextlib.closing(service.connect(3))) for _ in range(64)]
        time.sleep(0.3)
        received, is_over = service.send(b"", 3)
        expect_status(Answer(received), 503, "the 65th")
        held.pop().close()
        wait_until(lambda: service.send(request("GET", "/v1/ruleset", None, [("Connection", "close")], host=own))[0]
                   .startswith(b"HTTP/1.1 200"), 3, "the place is not given back, or its own address is no host")
    return "503 for the 65th; a place that is left is given back"


@case("S9", "the end", "see F95 and F95b", "nobody new, 5 s for what is under way, a second signal at once")
def the_end():
    demand(effective()["timeouts"]["drain"] == "5s", "the default")
    return "as expected"


@case("S10", "requests to others", "all sockets of the process after one request of each kind", "none, ever")
def outbound():
    with Service() as service:
        for path in ["/v1/codes", "/v1/ruleset", "/metrics", "/openapi.json", "/healthz", "/readyz"]:
            demand(service.ask("GET", path).status == 200, path)
        hostile = {"message": "see http://192.0.2.1/x and \\\\192.0.2.1\\share", "exceptions": [{"type": "http://192.0.2.1/"}]}
        demand(service.classify(hostile).status == 200, "classify")
        own = {link.readlink().name for link in Path(f"/proc/{service.process.pid}/fd").iterdir() if link.is_symlink()}
        for table in ["tcp", "tcp6", "udp", "udp6"]:
            for line in Path(f"/proc/{service.process.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in own:
                    demand(int(fields[1].rpartition(":")[2], 16) == service.address[1], f"a socket of its own: {line}")
    return "its own port, and no other socket"


@case("R54", "content types", "none, `text/plain`, `charset=utf-16`, `Application/JSON; charset=UTF-8`; a byte order mark",
      "415 but for JSON in UTF-8; the mark is skipped")
def content_types():
    with Service() as service:
        for given, status in [(None, 415), ("text/plain", 415), ("application/json; charset=utf-16", 415), ("", 415),
                              ("application/jsonx", 415), ("Application/JSON; charset=\"UTF-8\"", 200),
                              ("application/json;charset=utf-8", 200)]:
            headers = [("Connection", "close"), ("Content-Length", str(len(BODY)))]
            if given is not None:
                headers.append(("Content-Type", given))
            received, _ = service.send(request("POST", "/v1/classify", None, headers) + BODY)
            expect_status(Answer(received), status, f"{given}")
        # A byte order mark is nothing, as in files.
        for body in [b"\xef\xbb\xbf" + BODY, b"\xef\xbb\xbf [" + BODY + b"]"]:
            answer = service.ask("POST", "/v1/classify", body)
            demand(answer.status == 200 and CODE in answer.text, f"a byte order mark: {answer.text[:200]}")
        marked = service.ask("POST", "/v1/classify/stream", b"\xef\xbb\xbf" + BODY, [("Content-Type", "application/x-ndjson")])
        demand(CODE in marked.text, f"a byte order mark in a stream: {marked.text[:200]}")
        lines = service.ask("POST", "/v1/classify/stream", BODY, [("Content-Type", "application/json")])
        expect_status(lines, 415, "a stream of another kind")
    return "415, 200 for JSON in UTF-8 however it is written, with and without a mark"


@case("R55", "compressed bodies", "`Content-Encoding: gzip` with 10 MiB of zeros in 10 KiB", "415, nothing is unpacked")
def compressed():
    import gzip
    with Service() as service:
        before = service.memory()
        body = gzip.compress(bytes(10 * MIB))
        expect_status(service.ask("POST", "/v1/classify", body, [("Content-Encoding", "gzip")]), 415, "gzip")
        demand(service.ask("POST", "/v1/classify", BODY, [("Content-Encoding", "Identity")]).status == 200, "identity")
        demand(service.memory() - before < 8 * MIB, "it was unpacked")
    return "415; memory unchanged"


@case("R56", "a list of 10,001", "and of 1,001 and 1,000", "413 with the limit; never a part of it is answered")
def long_lists():
    with Service() as service:
        for count, status in [(1000, 200), (1001, 413), (10_001, 413)]:
            answer = service.ask("POST", "/v1/classify", b"[" + b",".join([b"{}"] * count) + b"]")
            expect_status(answer, status, f"{count}")
            demand(status == 200 or "1000" in answer.json["detail"] and "decision" not in answer.text, answer.text[:200])
            demand(status != 200 or len(answer.json) == count, "a part of it")
        demand(service.ask("POST", "/v1/classify", b"[]").json == [], "an empty list")
    return "413 that names the limit; 1,000 answers for 1,000"


@case("R57", "one bad failure in a list of 100", "a number in the place of a failure",
      "200 with 100 answers in order, one of them `unreadable`")
def bad_item():
    with Service() as service:
        items = [{**FAILURE, "id": f"n{number}"} for number in range(100)]
        items[41] = 7
        decisions = service.ask("POST", "/v1/classify", json.dumps(items).encode()).json
        demand([d["id"] for d in decisions] == [f"n{n}" if n != 41 else None for n in range(100)], "the order")
        demand(all(d["code"] == CODE for n, d in enumerate(decisions) if n != 41), "the others")
        demand(decisions[41]["code"] == "DSUNK001" and decisions[41]["unknown_reason"] == "unreadable", f"{decisions[41]}")
        single = service.ask("POST", "/v1/classify", b"7")
        expect_status(single, 400, "a number")
        demand(single.json["decision"]["code"] == "DSUNK001", "a problem without a decision")
    return "200, in order, the bad one DSUNK001 with `error`; alone it is a 400 that has the decision"


@case("R58", "ids with line breaks", "`id` with CR, LF, NUL, quotes; a header `X-Request-Id`",
      "JSON on one line; no byte of a request in a header of the answer")
def ids():
    known = {"content-type", "content-length", "connection", "date", "transfer-encoding", "allow", "retry-after",
             "www-authenticate"}
    with Service() as service:
        for odd in ["a\r\nSet-Cookie: x", "\0", '"', "\u2028", "x" * 5000]:
            answer = service.ask("POST", "/v1/classify", json.dumps({**FAILURE, "id": odd}).encode(), [("X-Request-Id", "abc")])
            demand(set(answer.headers) <= known and "abc" not in str(answer.headers), f"{answer.headers}")
            demand(answer.json["code"] == CODE and b"\n" not in answer.body and b"\r" not in answer.body, "not on one line")
            stream = service.ask("POST", "/v1/classify/stream", json.dumps({**FAILURE, "id": odd}).encode() + b"\n{}\n",
                                 [("Content-Type", "application/x-ndjson")])
            demand(set(stream.headers) <= known and stream.body.count(b"\n{") == 2, f"{stream.body[:200]}")
    return "as expected"
