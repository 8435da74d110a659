"""A small HTTP proxy that opens tunnels (RFC 9110 section 9.3.6), for the end-to-end tests."""

import base64
import socket
import threading
import time


class Tunnel:
    """Two sockets, and what passes between them."""

    def __init__(self, near, far, idle_limit):
        self.near, self.far = near, far
        self.is_silent = False
        self.was_cut = False
        self._idle_limit = idle_limit
        self._moved = time.monotonic()
        for end in (near, far):
            end.settimeout(idle_limit)

    def carry(self):
        """Until both directions have ended."""
        back = threading.Thread(target=self._pump, args=(self.far, self.near), daemon=True)
        back.start()
        self._pump(self.near, self.far)
        back.join()

    def _pump(self, source, sink):
        try:
            while piece := self._read(source):
                self._moved = time.monotonic()
                if not self.is_silent:
                    sink.sendall(piece)
            if not self.is_silent:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _read(self, source):
        while True:
            try:
                return source.recv(65536)
            except TimeoutError:
                if time.monotonic() - self._moved >= self._idle_limit:
                    self._cut()

    def _cut(self):
        self.was_cut = True
        for end in (self.near, self.far):
            end.shutdown(socket.SHUT_RDWR)


class ConnectProxy:
    """Keeps the request line of everybody who asks.

    `routes` says where a name leads (`"node.example:443": port` on this machine), as the resolver of a proxy does; what
    is not in it is connected to as it stands. `credentials` ("name:password") are asked for, `refusal` is answered to
    all. A tunnel through which nothing passes for `idle_limit` seconds is cut.
    """

    def __init__(self, routes=None, credentials=None, refusal=None, idle_limit=None):
        self.routes = routes or {}
        self.credentials = credentials
        self.refusal = refusal
        self.idle_limit = idle_limit
        self.tunnels = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self.requests = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listening.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        head = b""
        with near:
            while not head.endswith(b"\r\n\r\n"):
                piece = near.recv(4096)
                if not piece:
                    return
                head += piece
            lines = head.decode().split("\r\n")
            self.requests.append(lines[0])
            answer = self._answer(lines)
            if answer != "200 Connection established":
                near.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            authority = lines[0].split()[1]
            host, _, port = authority.rpartition(":")
            target = ("127.0.0.1", self.routes[authority]) if authority in self.routes else (host, int(port))
            with socket.create_connection(target) as far:
                near.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
                tunnel = Tunnel(near, far, self.idle_limit)
                self.tunnels.append(tunnel)
                tunnel.carry()

    def _answer(self, lines):
        if self.refusal is not None:
            return self.refusal
        if self.credentials is not None:
            basic = base64.b64encode(self.credentials.encode()).decode()
            if f"Proxy-Authorization: Basic {basic}" not in lines:
                return "407 Proxy Authentication Required"
        return "200 Connection established"
