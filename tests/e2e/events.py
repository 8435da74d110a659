"""The events of a node's local API, over its WebSocket (RFC 6455)."""

import base64
import json
import os
import socket

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Events:
    """One subscription. What happens after the constructor has returned is read here. Not for several threads at once.

    Errors are OSError, as is the end of the node.
    """

    def __init__(self, directory, kinds):
        address = (directory / "api.address").read_text().strip().removeprefix("http://")
        token = (directory / "api.token").read_text().strip()
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall("\r\n".join([
            f"GET /v1/events?kinds={kinds} HTTP/1.1", f"Host: {address}", f"Authorization: Bearer {token}",
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            self.close()
            raise ConnectionError(head.decode(errors="replace"))

    def next(self, seconds):
        """The next event, or None if none came in so many seconds."""
        while True:
            frame = self._take_frame()
            if frame is None:
                self._socket.settimeout(seconds)
                try:
                    self._fill()
                except TimeoutError:
                    return None
                continue
            kind, payload = frame
            if kind == TEXT:
                return json.loads(payload)
            if kind == PING:
                self._answer(PONG, payload)
            if kind == CLOSE:
                raise ConnectionError(f"closed: {payload[2:].decode(errors='replace')}")

    def _fill(self):
        more = self._socket.recv(1 << 16)
        if not more:
            raise ConnectionError("the node closed the connection")
        self._buffer += more

    def _take_frame(self):
        """One whole frame off the buffer. A node sends each event in one frame, unmasked."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(buffer) < at:
                return None
            size = int.from_bytes(buffer[2:at], "big")
        if len(buffer) < at + size:
            return None
        self._buffer = buffer[at + size:]
        return buffer[0] & 0x0F, buffer[at:at + size]

    def _answer(self, kind, payload):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | kind, 0x80 | len(payload)]) + mask + masked)

    def close(self):
        self._socket.close()
