"""Faults that reach a service: slow clients, floods, requests that two readers read differently, signals, rules that change
under load."""

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from cases import (BODY, HEALTHY, KIB, MIB, RELOAD_TOKEN, TOKEN, case, expect_status, private, refused, reload_config, run,
                   tool)
from service import (CODE, ROOT, RULES, TARGET, Answer, Healthy, Service, Wrong, demand, exchange, read_answer, request,
                     wait_until)


def slow(mode, *arguments, path="/v1/classify", seconds=10):
    """slowhttptest against a service of its own, beside a healthy client."""
    tester = tool("slowhttptest")
    with Service() as service:
        calm = Healthy(service)
        calm.start()
        time.sleep(1)
        normal = calm.end()
        healthy = Healthy(service)
        healthy.start()
        began = time.monotonic()
        attack = subprocess.Popen([tester, mode, *arguments, "-c", "400", "-r", "400", "-l", "30", "-u",
                                   service.url() + path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            # Half of it still connects within the first second.
            wait_until(lambda: service.connections() > 200, 10, "no attack is seen")
            wait_until(lambda: service.connections() <= 2, seconds + 3, "slow connections are still open")
            took = time.monotonic() - began
            attacked = healthy.end()
        finally:
            attack.kill()
            attack.communicate()
        demand(took <= seconds + 2, f"closed after {took:.1f} s")
        demand(attacked[1] < max(HEALTHY, 2 * normal[1]), f"healthy p99 {attacked[1]:.1f} ms, alone {normal[1]:.1f} ms")
        service.expect_no_connections()
        print(f"        {mode}: all closed after {took:.1f} s; healthy client p50/p99 {attacked[0]:.1f}/{attacked[1]:.1f} ms,"
              f" alone {normal[0]:.1f}/{normal[1]:.1f} ms")


@case("F86", "slow headers", "`slowhttptest -H -c 400 -r 400 -i 2`",
      "each connection closed ≤ 10 s; a healthy client's p99 < 2× normal or < 100 ms")
def slow_headers():
    slow("-H", "-i", "2", seconds=6)
    return "all closed ≤ 8 s; healthy p99 within the bound"


@case("F87", "slow body", "`slowhttptest -B -c 400 -r 400 -i 2`",
      "closed ≤ 10 s after the headers; a healthy client's p99 < 2× normal or < 100 ms")
def slow_body():
    slow("-B", "-i", "2", "-s", "8192", "-f", "application/json", seconds=11)
    return "all closed ≤ 13 s from the first connect, each 10 s after its headers; healthy p99 within the bound"


@case("F87b", "a slow body alone", "one byte each second", "408 after 10 s, then closed")
def one_slow_body():
    with Service() as service, contextlib.closing(service.connect()) as connection:
        head = request("POST", "/v1/classify", b"", [("Connection", "keep-alive")])
        connection.sendall(head.replace(b"Content-Length: 0", b"Content-Length: 100"))
        began = time.monotonic()
        connection.settimeout(1)
        received = b""
        while time.monotonic() - began < 13 and b"\r\n\r\n" not in received:
            try:
                connection.sendall(b" ")
                received += connection.recv(4096)
            except TimeoutError:
                pass
        took = time.monotonic() - began
        expect_status(Answer(received), 408, "slow body")
        demand(9.5 < took < 11.5, f"answered after {took:.1f} s")
        connection.settimeout(3)
        while connection.recv(4096):
            pass
        return "408 after 10 s, closed"


@case("F88", "slow reading of answers", "`slowhttptest -X -c 400 -r 400 -k 10 -w 1 -y 512`",
      "closed when nothing could be written for 10 s; a healthy client's p99 < 2× normal or < 100 ms")
def slow_read():
    slow("-X", "-k", "10", "-w", "1", "-y", "512", "-n", "5", "-z", "32", path="/openapi.json", seconds=15)
    return "all closed ≤ 17 s from the first connect; healthy p99 within the bound"


@case("F89", "connect and say nothing", "2,000 connections at once",
      "≤ 512 held at a time, the others told 503 at once; silent ones closed after 5 s; memory grows < 64 MiB")
def silent():
    with Service() as service, contextlib.ExitStack() as stack:
        before = service.memory()
        files = Path(f"/proc/{service.process.pid}/fd")
        idle = len(list(files.iterdir()))
        connections = []
        held = 0
        for number in range(2000):
            connection = service.connect(8)
            stack.callback(connection.close)
            connections.append(connection)
            # Looked at on the way: on a busy machine the first ones are closed before the last ones have come.
            if number % 20 == 0:
                held = max(held, len(list(files.iterdir())) - idle)
        most = service.memory()
        last = time.monotonic()
        answers = []
        for connection in connections:
            with contextlib.suppress(ConnectionResetError):
                answers.append(exchange(connection, b"")[0])
        took = time.monotonic() - last
        told = [Answer(answer) for answer in answers if answer]
        for answer in told:
            expect_status(answer, 503, "one too many")
            demand(answer.headers.get("retry-after") == "1", "no Retry-After")
        demand(len(told) > 500, f"only {len(told)} of 2,000 were told")
        # One more is just being told that there are too many.
        demand(300 < held <= 513, f"{held} are held")
        demand(took < 8, f"silent ones are closed {took:.1f} s after the last")
        demand(most - before < 64 * MIB, f"memory grew by {(most - before) // MIB} MiB")
        service.expect_no_connections()
        counted = service.metrics()["faultbook_http_refused_connections_total"]
        demand(counted >= len(told), f"{counted} refused are counted, {len(told)} were told")
        print(f"        memory {before // MIB} MiB, with {held} silent connections {most // MIB} MiB")
        return "≤ 512 held, the others told 503 with `Retry-After`, all closed ≤ 8 s after the last came; memory as expected"


@case("F90", "no file descriptors left", "`prlimit --nofile=40`, 100 connections",
      "no busy loop, one remark in ten seconds, answers again when some are free")
def descriptors():
    prlimit = tool("prlimit")
    with Service(prefix=[prlimit, "--nofile=40"]) as service, contextlib.ExitStack() as stack:
        connections = [socket.create_connection(service.address, 5) for _ in range(100)]
        for connection in connections:
            stack.callback(connection.close)
        time.sleep(0.5)
        before = service.processor()
        time.sleep(2)
        used = service.processor() - before
        demand(used < 0.3, f"{used:.2f} s of processor time in 2 s")
        said = [line for line in service.said if "cannot take connections in" in line]
        demand(len(said) == 1, f"said {len(said)} times")
        for connection in connections:
            connection.close()
        wait_until(lambda: answers(service), 8, "no answer")
        return "under a sixth of a core, one remark, answers again"


def answers(service):
    try:
        return service.classify().status == 200
    except OSError:
        return False


@case("F91", "bodies over the limit", "with `Content-Length`, chunked without end, `Expect: 100-continue`, over curl",
      "413 and closed; at most limit + 64 KiB are read; nothing is asked for that is refused")
def large_bodies():
    folder = tempfile.mkdtemp(dir=TARGET)
    path = Path(folder) / "s.sock"
    with Service() as service:
        for size, status in [(MIB, 200), (MIB + 1, 413), (100 * MIB, 413)]:
            body = BODY + b" " * (min(size, 2 * MIB) - len(BODY))
            head = request("POST", "/v1/classify", body, [("Connection", "close")])
            head = head.replace(b"Content-Length: %d" % len(body), b"Content-Length: %d" % size, 1)
            received, is_over = service.send(head, 10)
            expect_status(Answer(received), status, f"{size} bytes")
            demand(is_over, "stays open")
        waiting = request("POST", "/v1/classify", b"", [("Expect", "100-continue")])
        received, is_over = service.send(waiting.replace(b"Length: 0", b"Length: 99999999"), 5)
        demand(received.startswith(b"HTTP/1.1 413") and is_over, f"a large body is asked for: {received[:60]}")
        if curl := shutil.which("curl"):
            large = Path(folder) / "large.json"
            large.write_bytes(BODY + b" " * 9 * MIB)
            for more in [[], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]]:
                code, out = run(curl, "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
                                *more, "--data-binary", f"@{large}", service.url() + "/v1/classify")
                demand(out.startswith("413"), f"curl {more}: {code} {out}")
            code, out = run(curl, "-s", "-w", "%{http_code}", "-H", "Content-Type: application/json", "-H",
                            "Expect: 100-continue", "-d", BODY.decode(), service.url() + "/v1/classify")
            demand(code == 0 and out.endswith("200"), f"curl with Expect: {out}")
    # Over a Unix socket, whose buffers are small, it can be seen how much is taken.
    with Service(f'socket = "{path}"\n'), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.settimeout(5)
        head = request("POST", "/v1/classify", None, [("Content-Type", "application/json"),
                                                      ("Transfer-Encoding", "chunked")])
        connection.sendall(head)
        sent = 0
        try:
            while sent < 16 * MIB:
                sent += connection.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
        except OSError:
            pass
        demand(sent <= MIB + 64 * KIB + 512 * KIB, f"{sent} bytes were taken")
    return "413 in every way; taken: the limit, 64 KiB, and what the system's buffers hold"


GOOD = request("GET", "/healthz")


def chunked(body, *headers):
    return request("POST", "/v1/classify", None, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked"),
                                                  *headers]) + body + GOOD


def plain(*lines, body=BODY, first="POST /v1/classify HTTP/1.1"):
    head = [first, "Host: localhost", "Content-Type: application/json", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body + GOOD


LENGTH = f"Content-Length: {len(BODY)}"
SMUGGLING = {
    "length and chunked": plain(LENGTH, "Transfer-Encoding: chunked"),
    "chunked and length": plain("Transfer-Encoding: chunked", LENGTH),
    "two lengths, equal": plain(LENGTH, LENGTH),
    "two lengths, different": plain(LENGTH, "Content-Length: 5"),
    "a list of lengths": plain(f"{LENGTH}, {len(BODY)}"),
    "length with a sign": plain(f"Content-Length: +{len(BODY)}"),
    "length in hexadecimal": plain("Content-Length: 0x10"),
    "length that overflows": plain("Content-Length: 18446744073709551621"),
    "length of nothing": plain("Content-Length: "),
    "negative length": plain("Content-Length: -1"),
    "two encodings": plain("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunked and identity": plain("Transfer-Encoding: chunked, identity"),
    "gzip and chunked": plain("Transfer-Encoding: gzip, chunked"),
    "unknown encoding": plain("Transfer-Encoding: xchunked"),
    "encoding behind a tab of its own": plain("Transfer-Encoding: \x0bchunked"),
    "encoding in quotes": plain('Transfer-Encoding: "chunked"'),
    "chunked in HTTP/1.0": plain("Transfer-Encoding: chunked", first="POST /v1/classify HTTP/1.0"),
    "folded header": plain("X-Folded: a\r\n b", LENGTH),
    "folded encoding": plain("Transfer-Encoding:\r\n chunked"),
    "blank before the first header": plain(first="POST /v1/classify HTTP/1.1\r\n X: y"),
    "blank before the colon": plain("Transfer-Encoding : chunked"),
    "blank in the name": plain("Content Length: 5"),
    "no colon": plain("Transfer-Encoding"),
    "no name": plain(": chunked"),
    "bare LF behind a header": plain("X-A: b\nTransfer-Encoding: chunked", LENGTH),
    "bare LF behind the request line": plain(LENGTH).replace(b"1.1\r\n", b"1.1\n", 1),
    "bare LF behind the head": plain(LENGTH).replace(b"\r\n\r\n", b"\r\n\n", 1),
    "bare CR in a header": plain("X-A: b\rTransfer-Encoding: chunked", LENGTH),
    "bare CR in the request line": plain(LENGTH, first="POST /v1/classify\r HTTP/1.1"),
    "NUL in a value": plain("X-A: a\0b", LENGTH),
    "NUL in a name": plain("X\0A: b", LENGTH),
    "NUL in the target": plain(LENGTH, first="POST /v1/classify\0 HTTP/1.1"),
    "control character in a value": plain("X-A: a\x01b", LENGTH),
    "no host": b"GET /v1/codes HTTP/1.1\r\n\r\n" + GOOD,
    "two hosts": plain("Host: localhost", LENGTH),
    "two words as host": b"GET /healthz HTTP/1.1\r\nHost: local host\r\n\r\n" + GOOD,
    "host with a user": b"GET /healthz HTTP/1.1\r\nHost: evil.example@localhost\r\n\r\n" + GOOD,
    "two blanks in the request line": b"GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + GOOD,
    "tab in the request line": b"GET\t/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + GOOD,
    "no version": b"GET /healthz\r\nHost: localhost\r\n\r\n" + GOOD,
    "version 1.2": b"GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n" + GOOD,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + GOOD,
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(190) + GOOD,
    "small letters": b"get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + GOOD,
    "target of marks": b'GET /a"<>` HTTP/1.1\r\nHost: localhost\r\n\r\n' + GOOD,
    "chunk of no length": chunked(b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk length that overflows": chunked(b"10000000000000000\r\nab\r\n0\r\n\r\n"),
    "chunk length with zeros before": chunked(b"0000000000000000002\r\n{}\r\n0\r\n\r\n"),
    "negative chunk": chunked(b"-2\r\n{}\r\n0\r\n\r\n"),
    "chunk with a sign": chunked(b"+2\r\n{}\r\n0\r\n\r\n"),
    "chunk length in 0x": chunked(b"0x2\r\n{}\r\n0\r\n\r\n"),
    "blank behind the chunk length": chunked(b"2 \r\n{}\r\n0\r\n\r\n"),
    "blank before the chunk length": chunked(b" 2\r\n{}\r\n0\r\n\r\n"),
    "bare LF behind the chunk length": chunked(b"2\n{}\r\n0\r\n\r\n"),
    "bare CR behind the chunk length": chunked(b"2\r{}\r\n0\r\n\r\n"),
    "bare LF behind a chunk": chunked(b"2\r\n{}\n0\r\n\r\n"),
    "chunk longer than it says": chunked(b"2\r\n{}{}\r\n0\r\n\r\n"),
    "bare LF in an extension": chunked(b"2;a\nb\r\n{}\r\n0\r\n\r\n"),
    "NUL in an extension": chunked(b"2;a\0\r\n{}\r\n0\r\n\r\n"),
    "extension of 2 KiB": chunked(b"2;" + b"a" * 2048 + b"\r\n{}\r\n0\r\n\r\n"),
    "bare LF behind the last chunk": chunked(b"2\r\n{}\r\n0\n\n"),
    "bare LF in a trailer": chunked(b"2\r\n{}\r\n0\r\nX: a\nY: b\r\n\r\n"),
    "trailers of 64 KiB": chunked(b"2\r\n{}\r\n0\r\n" + b"X: aaaaaaaa\r\n" * 5000 + b"\r\n"),
}


@case("F92", "requests that two readers read differently",
      f"{len(SMUGGLING)} shapes: length and chunked, lengths, folding, bare LF and CR, NUL, chunk lines; whole and in parts",
      "400, closed, the request behind it unread")
def smuggling():
    with Service() as service:
        for what, data in SMUGGLING.items():
            refused(service, data, 400, what)
            if len(data) < KIB:
                refused(service, data, 400, what + ", in parts", step=7)
        service.expect_no_connections()
    return "400, closed, nothing behind it answered, for each"


@case("F92b", "odd requests that have one reading",
      "pipelined; byte by byte; blank lines before; extensions and trailers; absolute form; HTTP/1.0; half-closed",
      "answered, in order")
def odd_but_right():
    with Service() as service:
        last = request("GET", "/healthz", None, [("Connection", "close")])
        one = request("POST", "/v1/classify", BODY)
        received, is_over = service.send(one * 50 + last)
        demand(is_over and received.count(b"HTTP/1.1 200") == 51 and received.endswith(b"ok\n"), "pipelined requests")
        received, is_over = service.send(b"\r\n\r\n" + one + b"\r\n" + last, step=1)
        demand(is_over and received.count(b"HTTP/1.1 200") == 2, f"byte by byte: {received}")
        parts = b"2;x=y\r\n{\"\r\n" + b"%x\r\n" % (len(BODY) - 2) + BODY[2:] + b"\r\n0;last\r\nX-T: a\r\n\r\n"
        for step in [None, 1]:
            received, is_over = service.send(chunked(parts)[:-len(GOOD)] + last, step=step)
            demand(is_over and CODE.encode() in received and received.count(b"HTTP/1.1 200") == 2, f"chunks: {received}")
        absolute = request("GET", "http://localhost:1/v1/ruleset", None, [("Connection", "close")])
        demand(Answer(service.send(absolute)[0]).status == 200, "absolute form")
        expect_status(Answer(service.send(absolute.replace(b"//localhost", b"//evil.example"))[0]), 421, "absolute form")
        expect_status(Answer(service.send(absolute.replace(b"Host: localhost", b"Host: evil.example"))[0]), 421, "host")
        received, is_over = service.send(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        demand(is_over and received.startswith(b"HTTP/1.0 200"), f"HTTP/1.0: {received}")
        for data in [one, chunked(parts)[:-len(GOOD)]]:
            with contextlib.closing(service.connect(5)) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                received, is_over = exchange(connection, b"")
                demand(is_over and CODE.encode() in received, f"half-closed: {received}")
        # What was answered with an error leaves the connection as it was.
        errors = [(request("POST", "/v1/classify", b"nonsense"), 400), (request("POST", "/nowhere", BODY), 404),
                  (request("POST", "/healthz", BODY), 405), (request("GET", "/v1/codes/nix"), 404),
                  (request("HEAD", "/nowhere"), 404), (request("GET", "/healthz", BODY), 200),
                  (request("POST", "/v1/trace?misses=x", BODY), 400), (request("POST", "/v1/reload", BODY), 403),
                  (request("POST", "/v1/classify", BODY, [("Expect", "100-continue")]), 200)]
        with contextlib.closing(service.connect(5)) as connection, connection.makefile("rb") as stream:
            for data, status in errors * 2:
                connection.sendall(data)
                answer = read_answer(stream, data.startswith(b"HEAD"))
                if answer.status == 100:
                    answer = read_answer(stream)
                demand(answer.status == status, f"{data[:30]}: {answer.status}")
        large = request("POST", "/v1/classify", b"[" + b",".join([BODY] * 1000) + b"]")
        with contextlib.closing(service.connect(10, receive_buffer=4096)) as connection:
            connection.sendall(large + b"garbage")
            time.sleep(1)
            received, is_over = exchange(connection, b"")
            length = int(Answer(received).headers["content-length"])
            demand(len(received) > length and received.count(b"HTTP/1.1 400") == 1, "the answer before garbage is lost")
        service.expect_no_connections()
    return "answered, in order; a refusal behind a large answer costs it nothing"


@case("F93", "heads over the limit", "64 KiB of headers; 10,000, 101 and 65 headers; a URL of 100 KiB and of 2,049 bytes",
      "431 and 414, closed; one less is answered")
def large_heads():
    def headers(count):
        # With Host and Connection.
        return request("GET", "/healthz", None, [("Connection", "close"), *[("X-A", "b")] * (count - 2)])

    with Service() as service:
        demand(Answer(service.send(headers(64))[0]).status == 200, "64 headers")
        for count in [65, 101, 10_000]:
            refused(service, headers(count), 431, f"{count} headers")
        refused(service, request("GET", "/healthz", None, [("X-A", "b" * 64 * KIB)]), 431, "64 KiB")
        for length, status in [(2048, 404), (2049, 414), (100 * KIB, 414)]:
            data = request("GET", "/" + "a" * (length - 1), None, [("Connection", "close")])
            refused(service, data, status, f"a URL of {length} bytes")
        service.expect_no_connections()
    return "431 and 414, closed; 64 headers and 2,048 bytes are answered"


@case("F94", "wrong paths and methods",
      "`/..%2f..%2fetc/passwd`, `//etc/passwd`, encoded NUL, absolute form, TRACE, CONNECT; over curl",
      "400, 404, 405 or 421; no file is ever read")
def paths():
    with Service() as service:
        allowed = {400, 404, 405, 421}
        targets = ["/..%2f..%2fetc/passwd", "/../../etc/passwd", "//etc/passwd", "/v1/codes/..%2f..%2fetc%2fpasswd",
                   "/v1/codes/%00", "/v1/codes/%ff", "/%2e%2e/etc/passwd", "http://evil.example/etc/passwd", "*", "/",
                   "/V1/classify", "/v1/classify/", "/v1/%63lassify", "/v1/codes/", "etc/passwd", "/?misses=1", "#", "?x"]
        for target in targets:
            for method in ["GET", "POST", "DELETE", "TRACE"]:
                answer = service.ask(method, target)
                demand(answer.status in allowed, f"{method} {target}: {answer.status}")
                expect_status(answer, answer.status, target)
                demand("root:" not in answer.text, f"{target} is a file")
        for path, method, allow in [("/v1/classify", "GET", "POST"), ("/v1/codes", "POST", "GET, HEAD"),
                                    ("/healthz", "DELETE", "GET, HEAD"), ("/v1/reload", "GET", "POST")]:
            answer = service.ask(method, path)
            expect_status(answer, 405, path)
            demand(answer.headers.get("allow") == allow, f"{path}: Allow {answer.headers.get('allow')}")
        refused(service, b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "CONNECT")
        head = service.ask("HEAD", "/v1/codes")
        demand(head.status == 200 and not head.body and int(head.headers["content-length"]) > 1000, "HEAD")
        if curl := shutil.which("curl"):
            _, out = run(curl, "-s", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}",
                         service.url() + "/../../../../etc/passwd")
            demand(out == "404", f"curl --path-as-is: {out}")
    return "problems with 400, 404, 405 (with `Allow`) and 421; no file was read"


@case("F95", "SIGTERM with 100 requests under way", "half of each body sent, `kill`, then the other half",
      "all answered ≤ 5 s, exit code 0; new connections refused")
def end_in_order():
    with Service() as service, contextlib.ExitStack() as stack:
        idle = stack.enter_context(contextlib.closing(service.connect()))
        kept = stack.enter_context(contextlib.closing(service.connect()))
        kept.sendall(GOOD)
        kept.recv(4096)
        data = request("POST", "/v1/classify", BODY)
        connections = [stack.enter_context(contextlib.closing(service.connect())) for _ in range(100)]
        for connection in connections:
            connection.sendall(data[:-10])
        wait_until(lambda: service.connections() == 103, 5, "not all are taken in")
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not can_connect(service), 3, "new connections are taken in")
        for connection in connections:
            connection.sendall(data[-10:])
        for connection in connections:
            received, is_over = exchange(connection, b"")
            demand(is_over and CODE.encode() in received, f"not answered: {received[:80]}")
        demand(idle.recv(10) == b"" and kept.recv(10) == b"", "idle connections stay")
        code = service.process.wait(5)
        demand(code == 0 and time.monotonic() - began < 5, f"exit code {code} after {time.monotonic() - began:.1f} s")
        service.reader.join(2)
        demand(service.said[-1] == "stopped", service.said[-1])
    return "100 answers, exit code 0, new connections refused at once"


def can_connect(service):
    try:
        socket.create_connection(service.address, 2).close()
        return True
    except OSError:
        return False


@case("F95b", "an end that somebody holds up", "SIGTERM with an open stream and an unread access log; a second SIGTERM",
      "over 5 s after the first signal, at once after the second; exit code 0")
def end_held_up():
    start = request("POST", "/v1/classify/stream", None, [("Content-Type", "application/x-ndjson"),
                                                          ("Transfer-Encoding", "chunked")])
    line = b"%x\r\n%s\n\r\n" % (len(BODY) + 1, BODY)
    for signals, least, most in [(1, 4.5, 8), (2, 0, 2.5)]:
        with Service() as service, contextlib.closing(service.connect()) as connection:
            connection.sendall(start + line)
            demand(CODE.encode() in connection.recv(1 << 16), "the stream does not answer")
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(line)
            demand(CODE.encode() in connection.recv(1 << 16), "the stream does not go on")
            if signals == 2:
                service.process.send_signal(signal.SIGTERM)
            code = service.process.wait(10)
            took = time.monotonic() - began
            demand(code == 0 and least < took < most, f"exit code {code} after {took:.1f} s")
    # Nobody reads the access log: it is dropped, counted, and does not hold up the end.
    config = Path(tempfile.mkdtemp(dir=TARGET)) / "c.toml"
    config.write_text('listen = "127.0.0.1:0"\n')
    process = subprocess.Popen([Service.binary, "serve", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        port = next(int(line.rsplit(":", 1)[1]) for line in process.stderr if line.startswith("listening on"))
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                reader = threading.Thread(target=exchange, args=(connection, b""))
                reader.start()
                connection.sendall(GOOD * 500 + request("GET", "/healthz", None, [("Connection", "close")]))
                reader.join()
        process.send_signal(signal.SIGTERM)
        demand(process.wait(8) == 0, "exit code")
    except subprocess.TimeoutExpired:
        raise Wrong("an unread access log holds up the end") from None
    finally:
        process.kill()
    return "5 s and at once, exit code 0; the unread log holds up nothing"


@case("F96", "panic in a handler", "a route that panics behind the same layers (unit test `panic_in_a_route`)",
      "500 with a decision DSUNK001 and nothing of the request; the service lives")
def panic():
    text = (ROOT / "src" / "server" / "routes" / "mod.rs").read_text()
    demand("fn panic_in_a_route()" in text, "the unit test is gone")
    return "as expected, run by `cargo test`"


@case("F97", "foreign hosts and pages in browsers", "`Host: evil.example`, `Origin`, preflight, over curl",
      "421 and 403; never a CORS header")
def foreign():
    with Service('allowed_hosts = ["faultbook.example"]\n') as service:
        def ask(method="GET", path="/v1/ruleset", host="localhost", **headers):
            headers = [(name.replace("_", "-"), value) for name, value in headers.items()]
            received, _ = service.send(request(method, path, None, [*headers, ("Connection", "close")], host=host))
            answer = Answer(received)
            demand(not any(name.startswith("access-control") for name in answer.headers), f"CORS: {answer.headers}")
            return answer

        for host in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:99", "[::1]:8321", "faultbook.example"]:
            demand(ask(host=host).status == 200, f"{host} is refused")
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "sub.faultbook.example",
                     "192.0.2.1", "[2001:db8::1]", "0.0.0.0"]:
            expect_status(ask(host=host), 421, host)
            demand(ask(path="/healthz", host=host).status == 200, f"probes from {host} are refused")
        for path in ["/v1/ruleset", "/healthz", "/metrics"]:
            expect_status(ask(path=path, Origin="http://localhost"), 403, path)
        expect_status(ask("OPTIONS", "/v1/classify", Origin="http://evil.example",
                          Access_Control_Request_Method="POST"), 403, "preflight")
        if curl := shutil.which("curl"):
            _, out = run(curl, "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: evil.example",
                         service.url() + "/v1/codes")
            demand(out == "421", f"curl: {out}")
    return "421 and 403, probes answered for any host, no CORS header"


@case("F98", "reload without and with a wrong token", "none, wrong, of the other kind; 1,000 wrong ones at once",
      "401, then 429; nothing is loaded, the right token still works")
def tokens():
    folder = tempfile.mkdtemp(dir=TARGET)
    config = f'token_file = "{private(folder, "token", TOKEN)}"\n' + reload_config(folder)
    with Service(config) as service:
        def ask(method, path, token=None, scheme="Bearer"):
            return service.ask(method, path, None, [("Authorization", f"{scheme} {token}")] if token else [])

        for answer in [ask("POST", "/v1/reload"), ask("POST", "/v1/reload", TOKEN), ask("POST", "/v1/reload", "x" * 22),
                       ask("GET", "/v1/ruleset"), ask("GET", "/v1/ruleset", RELOAD_TOKEN), ask("GET", "/metrics"),
                       ask("GET", "/v1/ruleset", TOKEN, scheme="Basic")]:
            expect_status(answer, 401, "no right token")
            demand(answer.headers.get("www-authenticate") == "Bearer", "no WWW-Authenticate")
        demand(ask("GET", "/healthz").status == 200, "a probe needs a token")
        before = ask("GET", "/v1/ruleset", TOKEN).json
        wrong = request("POST", "/v1/reload", None, [("Authorization", "Bearer wrong-token-of-23-bytes")])
        received, _ = service.send(wrong * 999 + wrong.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        seen = {status: received.count(b"HTTP/1.1 %d" % status) for status in (200, 401, 429)}
        demand(seen[200] == 0 and sum(seen.values()) == 1000 and seen[429] > 900, f"1,000 wrong tokens: {seen}")
        after = ask("GET", "/v1/ruleset", TOKEN).json
        demand(before["last_reload"] == after["last_reload"], "something was loaded")
        demand(ask("POST", "/v1/reload", RELOAD_TOKEN).status == 200, "the right token is refused")
        right = request("POST", "/v1/reload", None, [("Authorization", f"Bearer {RELOAD_TOKEN}")])
        received, _ = service.send(right * 30 + request("GET", "/healthz", None, [("Connection", "close")]), 60)
        demand(b"HTTP/1.1 429" in received, "reloads are not limited")
    code, out = run(Service.binary, "serve", "--check", "--token-file", Path(folder) / "nowhere")
    demand(code == 2 and "cannot read token file" in out, f"a token that cannot be read: {code} {out}")
    return "401, after ten 429; nothing loaded; 200 with the right token, at most ten reloads a second"


@case("F99", "an address that cannot be listened on",
      "port in use, an address of another machine, a privileged port, a socket in use",
      "exit code 2 and a message that names the address")
def addresses():
    def fails(*arguments, says, **more):
        code, out = run(Service.binary, "serve", *arguments, **more)
        demand(code == 2 and all(word in out for word in says), f"{arguments}: {code} {out}")

    with Service() as service:
        address = "%s:%d" % service.address
        fails("--listen", address, says=[f"cannot listen on {address}", "in use"])
    fails("--listen", "192.0.2.77:8321", "--insecure-no-auth", says=["cannot listen on 192.0.2.77:8321"])
    fails("--listen", "localhost:8321", says=["--listen"])
    setpriv = shutil.which("setpriv")
    threshold = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if setpriv and os.geteuid() == 0 and threshold > 80:
        code, out = run(setpriv, "--bounding-set=-net_bind_service", "--inh-caps=-all", "--reuid=65534", "--regid=65534",
                        "--clear-groups", Service.binary, "serve", "--listen", "127.0.0.1:80")
        if "Permission denied" in out and "cannot listen" not in out:
            pass
        else:
            demand(code == 2 and "below 1024" in out, f"a privileged port: {code} {out}")
    folder = Path(tempfile.mkdtemp(dir=TARGET))
    (folder / "file").write_text("mine")
    fails("--socket", folder / "file", says=["cannot listen on", "no socket"])
    fails("--socket", folder / ("x" * 120), says=["cannot listen on"])
    fails("--socket", folder / "none" / "s", says=["cannot listen on"])
    demand((folder / "file").read_text() == "mine", "a file was replaced")
    return "exit code 2, the address and the reason named; a file that is no socket is left alone"


@case("F100", "resets, TLS and garbage on the port",
      "500 connections reset in an answer, `openssl s_client`, random bytes, over 2 s",
      "no flood of messages, nothing leaks, the others are answered")
def garbage():
    with Service() as service:
        before = service.memory()
        batch = request("POST", "/v1/classify", b"[" + b",".join([BODY] * 200) + b"]")
        seed = 1
        for number in range(500):
            connection = service.connect(5)
            seed = seed * 6364136223846793005 + 1 & (1 << 64) - 1
            kinds = [batch, batch[:-100], batch[:30], b"", seed.to_bytes(8, "big") * 64, b"\x16\x03\x01" + bytes(300)]
            data = kinds[number % 6]
            with contextlib.suppress(OSError):
                connection.sendall(data)
                if number % 6 == 0:
                    connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        if openssl := shutil.which("openssl"):
            code, _ = run(openssl, "s_client", "-connect", "%s:%d" % service.address)
            demand(code != 0, "TLS is spoken")
        if curl := shutil.which("curl"):
            code, _ = run(curl, "-sk", service.url().replace("http", "https"))
            demand(code == 35, f"curl over TLS: {code}")
            code, out = run(curl, "-s", "--http2-prior-knowledge", service.url() + "/healthz")
            demand(code != 0, f"curl over HTTP/2: {out}")
            code, out = run(curl, "-s", "--http2", service.url() + "/healthz")
            demand(code == 0 and out == "ok\n", f"curl that offers HTTP/2: {out}")
        service.expect_no_connections()
        demand(service.classify().json["code"] == CODE, "no answer")
        demand(len(service.said) < 60, f"{len(service.said)} lines were said")
        grown = service.memory() - before
        demand(grown < 64 * MIB, f"memory grew by {grown // MIB} MiB")
    return "nothing said, all connections given back, memory within 64 MiB"


@case("F101", "no processor time", "one core by `taskset`, eight busy processes on it at a higher priority",
      "slower, never wrong; nothing is loaded, nothing is closed", alone=True)
def starved():
    taskset = tool("taskset")
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(Service(rules=RULES, prefix=[taskset, "-c", "0", "nice", "-n", "5"]))
        before = service.ask("GET", "/v1/ruleset").json
        for _ in range(8):
            busy = subprocess.Popen([taskset, "-c", "0", sys.executable, "-c", "while True: pass"])
            stack.callback(busy.wait)
            stack.callback(busy.kill)
        healthy = Healthy(service, pause=0)
        healthy.start()
        time.sleep(4)
        demand(not healthy.wrong, f"wrong: {healthy.wrong[:1]}")
        demand(service.classify().json["code"] == CODE, "a new connection")
        figures = healthy.end()
        after = service.ask("GET", "/v1/ruleset").json
        demand((before["generation"], before["last_reload"]) == (after["generation"], after["last_reload"]), "it loaded")
        print(f"        starved: {len(healthy.seconds)} answers, p50/p99 {figures[0]:.1f}/{figures[1]:.1f} ms")
    return "every answer right, nothing loaded"


def changed_rules(folder, word):
    """A copy of the rules in which a title has another word; what the failure is answered with."""
    shutil.copytree(RULES, folder)
    file = folder / "exchange.toml"
    text = file.read_text()
    file.write_text(text.replace('title = "Expired client secret"', f'title = "Expired client secret{word}"', 1))
    done = subprocess.run([Service.binary, "--rules", folder, "classify", "--input", "json", "--format", "json"],
                          input=BODY.decode() + "\n", capture_output=True, text=True)
    decision = json.loads(done.stdout)
    return decision["title"], decision["ruleset"]


class Swapped:
    """A rules directory that is a link, as volumes of containers are: two sets behind it by turns."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(dir=TARGET))
        self.sets = {changed_rules(self.folder / "a", ""): "a", changed_rules(self.folder / "b", " (again)"): "b"}
        demand(len(self.sets) == 2, "both sets answer alike")
        self.link = self.folder / "rules"
        self.link.symlink_to("a")

    def point_to(self, name):
        new = self.folder / "new"
        new.symlink_to(name)
        new.rename(self.link)


@case("R-load", "rules change under load",
      "two sets switched 8 times by a link, `POST /v1/reload` and 200 SIGHUP between; four clients",
      "0 failed requests; each answer is of the set whose digest it names")
def reload_under_load():
    rules = Swapped()
    with Service(reload_config(rules.folder), rules=rules.link) as service:
        clients = [Healthy(service, 0.001, set(rules.sets)) for _ in range(4)]
        for client in clients:
            client.start()
        token = [("Authorization", f"Bearer {RELOAD_TOKEN}")]
        for number in range(8):
            name = "ba"[number % 2]
            rules.point_to(name)
            if number % 2:
                answer = service.ask("POST", "/v1/reload", None, token, 60)
                demand(answer.status == 200, f"reload: {answer.status} {answer.text}")
            else:
                for _ in range(25 if number else 100):
                    service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: rules.sets.get((service.classify().json["title"], service.classify().json["ruleset"])) == name,
                       20, f"set {name} is not in force")
        for client in clients:
            client.end()
        seen = set().union(*[client.seen for client in clients])
        demand(seen == set(rules.sets), f"not both sets were seen: {seen}")
        print(f"        reload under load: {sum(len(client.seconds) for client in clients)} requests, 0 failed")
        # Rules that do not load change nothing, and the problem says what is wrong.
        (rules.folder / "a" / "exchange.toml").write_text("nonsense")
        answer = service.ask("POST", "/v1/reload", None, token, 60)
        expect_status(answer, 422, "broken rules")
        demand(answer.json["report"], "no report")
        demand(service.classify().json["code"] == CODE and service.ask("GET", "/readyz").status == 200, "it forgot its rules")
        demand(service.metrics()["faultbook_last_reload_successful"] == 0, "the metric says it is well")
    return "0 failed, every answer of the set it names; broken rules change nothing (422, still ready)"


@case("F102", "a huge set of rules loaded again and again while serving",
      "2,000 more rules with patterns, swapped for 8 s under load",
      "serving unaffected: 0 failed, p99 < 100 ms", alone=True)
def huge_rules():
    folder = Path(tempfile.mkdtemp(dir=TARGET))
    rules = folder / "rules"
    shutil.copytree(RULES, rules)
    manifest = (rules / "faultbook.toml").read_text()
    manifest = manifest.replace('"exchange.toml",', '"exchange.toml", "huge.toml",', 1)
    manifest = manifest.replace("[families.DSUNK]", '[families.DSHUGE]\ntitle = "Huge"\n\n[families.DSUNK]', 1)

    def huge(word):
        codes = ('format = 1\nconnector = "huge"\n\n[codes.DSHUGE001]\ntitle = "Huge"\nstatus = "Failed"\nretry = "none"\n'
                 'meaning = "It is huge."\nremedy = ["Nothing to do."]\n')
        one = ('\n[[rules]]\nid = "huge-{0}"\ncode = "DSHUGE001"\nwhen.message = \'\\bhuge {1} {0} of [a-z]{{3,9}} and\\b\'\n'
               '[[rules.examples]]\nfailure = {{ message = "huge {1} {0} of many and all" }}\n')
        return codes + "".join(one.format(number, word) for number in range(2000))

    (rules / "faultbook.toml").write_text(manifest)
    (rules / "huge.toml").write_text(huge("first"))
    with Service(reload_config(folder), rules=rules) as service:
        clients = [Healthy(service, 0.004) for _ in range(2)]
        for client in clients:
            client.start()
        over = time.monotonic() + 8
        loads = 0
        while time.monotonic() < over:
            loads += 1
            new = folder / "new.toml"
            new.write_text(huge(f"word{loads}"))
            new.rename(rules / "huge.toml")
            answer = service.ask("POST", "/v1/reload", None, [("Authorization", f"Bearer {RELOAD_TOKEN}")], 60)
            demand(answer.status == 200, f"reload: {answer.status} {answer.text[:300]}")
        worst = max(client.end()[1] for client in clients)
        demand(worst < HEALTHY, f"healthy p99 {worst:.1f} ms")
        print(f"        {loads} loads of 2,000 rules; healthy p99 {worst:.1f} ms")
    return "0 failed, p99 within the bound"
