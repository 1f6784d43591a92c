"""A running `faultbook serve` to be tried: started on a free port, spoken to over raw sockets, ended at the end."""

import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / "target" / "service" / "run"
RULES = ROOT / "rules"
FAILURE = {"id": "tx-1", "connector": "exchange", "provider_codes": ["AADSTS7000222"]}
CODE = "DSEX001"
LISTENING = re.compile(r"listening on http://(.*):(\d+)$")


class Wrong(Exception):
    """Something else was observed than expected."""


class Missing(Exception):
    """What the case needs is not there."""


def demand(is_met, what):
    if not is_met:
        raise Wrong(what)


def wait_until(is_met, seconds, what):
    deadline = time.monotonic() + seconds
    while not is_met():
        demand(time.monotonic() < deadline, f"{what} after {seconds} s")
        time.sleep(0.02)


class Service:
    """`faultbook serve` with a configuration, until the block ends."""

    binary = None

    def __init__(self, config="", *arguments, rules=None, prefix=(), environment=None, access_log="off"):
        TARGET.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=TARGET))
        self.log = self.folder / "access.log"
        if not re.search(r"^(listen|socket) ", config, re.M):
            config = 'listen = "127.0.0.1:0"\n' + config
        self.config = self.folder / "faultbook-server.toml"
        self.config.write_text(f'access_log = "{access_log}"\n' + config)
        command = [*prefix, self.binary, *(["--rules", rules] if rules else []), "serve", "--config", self.config, *arguments]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.PIPE, text=True, env=environment)
        self.said = []
        self.address = None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))
            if found := LISTENING.match(self.said[-1]):
                self.address = (found[1].strip("[]").replace("0.0.0.0", "127.0.0.1"), int(found[2]))
            if self.said[-1].startswith("listening on"):
                break
        else:
            raise Wrong(f"did not start: {self.said}")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(2)

    def url(self):
        return "http://%s:%d" % self.address

    def stop(self, seconds=10):
        """Ends it in order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Wrong(f"does not end within {seconds} s of SIGTERM") from None

    def connect(self, timeout=15, receive_buffer=None):
        connection = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(timeout)
        connection.connect(self.address)
        return connection

    def send(self, data, timeout=15, step=None):
        """All that comes back for some bytes until the other side ends; None behind it when it does not end."""
        with contextlib.closing(self.connect(timeout)) as connection:
            return exchange(connection, data, step)

    def ask(self, method, path, body=None, headers=(), timeout=15):
        answer, _ = self.send(request(method, path, body, [*headers, ("Connection", "close")]), timeout)
        return Answer(answer)

    def classify(self, failure=None):
        return self.ask("POST", "/v1/classify", json.dumps(failure or FAILURE).encode())

    def metrics(self, headers=()):
        text = self.ask("GET", "/metrics", headers=headers).text
        return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{.+\})?) (\S+)$", text, re.M)}

    def connections(self):
        return int(self.metrics()["faultbook_http_connections"])

    def expect_no_connections(self, seconds=5):
        """Nothing is left but the one connection that asks."""
        wait_until(lambda: self.connections() == 1, seconds, "connections are still counted")

    def memory(self):
        """Bytes of memory that are in use."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def processor(self):
        """Seconds of processor time that were used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


def exchange(connection, data, step=None):
    received = b""
    is_over = False
    try:
        for start in range(0, len(data), step or len(data) or 1):
            connection.sendall(data[start:start + (step or len(data))])
    except OSError:
        # Refused before it was sent to its end.
        pass
    try:
        while True:
            part = connection.recv(1 << 16)
            if not part:
                is_over = True
                break
            received += part
    except ConnectionResetError:
        is_over = True
    except TimeoutError:
        pass
    return received, is_over


def request(method, path, body=None, headers=(), host="localhost"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
        if not any(name.lower() == "content-type" for name, _ in headers):
            lines.append("Content-Type: application/json")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        found = re.match(r"HTTP/1\.[01] (\d+)", lines[0])
        self.status = int(found[1]) if found else None
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Healthy(threading.Thread):
    """A client that asks again and again on one connection, and looks at every answer."""

    def __init__(self, service, pause=0.004, allowed=None):
        super().__init__(daemon=True)
        self.service, self.pause, self.allowed = service, pause, allowed
        self.seconds, self.wrong, self.seen = [], [], set()
        self.is_over = threading.Event()

    def run(self):
        body = request("POST", "/v1/classify", json.dumps(FAILURE).encode())
        try:
            with contextlib.closing(self.service.connect(10)) as connection, connection.makefile("rb") as answers:
                while not self.is_over.is_set():
                    began = time.perf_counter()
                    connection.sendall(body)
                    answer = read_answer(answers)
                    self.seconds.append(time.perf_counter() - began)
                    self.look(answer)
                    time.sleep(self.pause)
        except (OSError, ValueError) as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    def look(self, answer):
        decision = answer.json if answer.status == 200 else {}
        seen = (decision.get("title"), decision.get("ruleset"))
        self.seen.add(seen)
        if decision.get("code") != CODE or (self.allowed and seen not in self.allowed):
            self.wrong.append(f"{answer.status} {seen}")

    def end(self):
        """Milliseconds in the middle and of the slowest hundredth."""
        self.is_over.set()
        self.join(15)
        demand(not self.wrong, f"{len(self.wrong)} wrong answers to a healthy client, the first: {self.wrong[:1]}")
        demand(len(self.seconds) > 20, f"only {len(self.seconds)} answers to a healthy client")
        ordered = sorted(self.seconds)
        return ordered[len(ordered) // 2] * 1000, ordered[len(ordered) * 99 // 100] * 1000


def read_answer(stream, is_head=False):
    """The next answer on a connection."""
    head = b""
    while (line := stream.readline()) != b"\r\n":
        if not line:
            raise ValueError("the connection ended")
        head += line
    answer = Answer(head + b"\r\n")
    answer.body = b"" if is_head else stream.read(int(answer.headers.get("content-length", 0)))
    return answer
