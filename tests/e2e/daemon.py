"""A real node in a process of its own, for the end-to-end tests: started, killed, restarted, asked through its API."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

BINARY = os.environ.get("EKIDEN_BINARY", "ekiden")


PORTS_OF_A_PROCESS = 200


def own_window(count):
    """A number below `count` that no other test process has while this one runs, by a socket without a file."""
    for tries in range(count):
        window = (os.getpid() + tries) % count
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0ekiden-test-ports-{window}")
        except OSError:
            claim.close()
        else:
            return window, claim
    raise AssertionError("too many tests run at the same time")


def candidate_ports():
    """Ports below those that the system hands out for outgoing connections, of which other test processes take none."""
    range_file = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
    floor, ceiling = 10_000, int(range_file.read_text().split()[0])
    if ceiling <= 20_000:
        ceiling = 60_000
    window, claim = own_window((ceiling - floor) // PORTS_OF_A_PROCESS)
    first = floor + window * PORTS_OF_A_PROCESS
    while claim:
        yield from range(first, first + PORTS_OF_A_PROCESS)


PORTS = candidate_ports()


def free_port():
    """A port that nothing listens on, and that no outgoing connection of another test takes before its node does."""
    for port in PORTS:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as probe:
                    probe.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue


def wait_until(holds, seconds, what):
    """Asks again and again until it holds, and fails with `what` after so many seconds.

    For what happens in another process and sends no event. A test never depends on how long the pause is.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"{what() if callable(what) else what} after {seconds} s")
        time.sleep(0.01)


def command(*words, check=True, **options):
    """Runs the command to its end; returns the finished process with its output as text."""
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr}")
    return done


class ApiError(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class Api:
    """One connection to a node's local API. Not for several threads at once."""

    def __init__(self, directory):
        address = (directory / "api.address").read_text().strip()
        token = (directory / "api.token").read_text().strip()
        host, _, port = address.removeprefix("http://").rpartition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        decoded = json.loads(content) if content else None
        if answer.status >= 300:
            raise ApiError(answer.status, decoded)
        return decoded

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Daemon:
    def __init__(self, directory, binary_environment=None):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.endpoint = f"tcp://127.0.0.1:{self.port}"
        self.environment = {**os.environ, **(binary_environment or {})}
        self.process = None
        self.is_stopping = False
        self.log = self.directory.with_suffix(".log")

    def init(self):
        command("init", "--data-dir", self.directory, "--listen", self.endpoint)
        self.id = command("id", "--data-dir", self.directory).stdout.strip()
        return self

    def start(self, *flags, wait=True):
        self.is_stopping = False
        for stale in ("api.address",):
            (self.directory / stale).unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "up", "--data-dir", str(self.directory), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        if wait:
            self.wait_ready()
        return self

    def is_ready(self):
        """The local API answers and the node may make links."""
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}: {self.log_text()[-2000:]}")
        try:
            with self.api() as api:
                return api.call("GET", "/v1/status")["ready"]
        except (OSError, http.client.HTTPException, ApiError):
            return False

    def wait_ready(self, seconds=30):
        wait_until(self.is_ready, seconds, lambda: f"{self.log_text()[-2000:]}\nthe node is not ready")

    def api(self):
        return Api(self.directory)

    def kill(self):
        """The hard way: nothing is flushed, nobody is told."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def ask_to_stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.is_stopping = True

    def stop(self, seconds=20):
        """The polite way. Returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        if not self.is_stopping:
            self.ask_to_stop()
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the node did not end after SIGTERM") from None

    def add_contact(self, name, other):
        with self.api() as api:
            api.call("POST", "/v1/contacts", {"name": name, "id": other.id, "endpoints": [other.endpoint]})

    def know(self, name, other):
        """Names the other without saying where it is: what it writes does not wait."""
        with self.api() as api:
            api.call("POST", "/v1/contacts", {"name": name, "id": other.id})

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_logged(self, text, seconds=10, times=1):
        """For what another connection has shown already: the line of the log may come after it."""
        wait_until(lambda: self.log_text().count(text) >= times, seconds,
                   lambda: f"{self.log_text()[-4000:]}\n'{text}' is not logged")
