"""A small HTTP proxy that opens tunnels (RFC 9110 section 9.3.6), for the end-to-end tests."""

import base64
import socket
import threading


class ConnectProxy:
    """Keeps the request line of everybody who asks.

    `routes` says where a name leads (`"node.example:443": port` on this machine), as the resolver of a proxy does; what
    is not in it is connected to as it stands. `credentials` ("name:password") are asked for, `refusal` is answered to
    all.
    """

    def __init__(self, routes=None, credentials=None, refusal=None):
        self.routes = routes or {}
        self.credentials = credentials
        self.refusal = refusal
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
                back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
                back.start()
                self._pump(near, far)
                back.join()

    def _answer(self, lines):
        if self.refusal is not None:
            return self.refusal
        if self.credentials is not None:
            basic = base64.b64encode(self.credentials.encode()).decode()
            if f"Proxy-Authorization: Basic {basic}" not in lines:
                return "407 Proxy Authentication Required"
        return "200 Connection established"

    @staticmethod
    def _pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
