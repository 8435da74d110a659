"""A WebSocket client, written from docs/protocol/websocket.md and RFC 6455 alone: a stream to make a Link on."""

import base64
import hashlib
import os
import struct

CONTINUATION, TEXT, BINARY = 0, 1, 2
CLOSE, PING, PONG = 8, 9, 10
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The answer to the upgrade was another one than 101; the arguments are its status line and the rest."""


class WebSocket:
    """The bytes of a stream in binary messages. `below` is a connected socket, with or without TLS."""

    def __init__(self, below, host):
        self.below = below
        self.received = b""      # of the stream, not asked for yet
        self.pongs = []          # payloads, in the order in which they came
        self.pings = 0           # of the node, all answered
        self.close_code = None   # of the node's close frame
        key = base64.b64encode(os.urandom(16)).decode()
        self.below.sendall((f"GET /ekiden/1 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = self.below.recv(1)  # Not a byte more: frames may come behind it.
            if not more:
                break
            head += more
        status, *fields = head.decode("ascii").split("\r\n")
        if not status.startswith("HTTP/1.1 101 "):
            raise Refused(status, fields)
        fields = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields if field)}
        assert fields["upgrade"].lower() == "websocket" and fields["connection"].lower() == "upgrade"
        assert fields["sec-websocket-accept"] == base64.b64encode(
            hashlib.sha1((key + MAGIC).encode()).digest()).decode()
        assert "sec-websocket-extensions" not in fields and "sec-websocket-protocol" not in fields

    def send_frame(self, opcode, payload, final=True, masked=True):
        size = len(payload)
        head = bytes([opcode | (0x80 if final else 0)])
        mask_bit = 0x80 if masked else 0
        if size < 126:
            head += bytes([mask_bit | size])
        elif size < 65536:
            head += bytes([mask_bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
        if masked:
            mask = os.urandom(4)
            head += mask
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.below.sendall(head + payload)

    def sendall(self, data):
        """In three fragments, with a ping among them."""
        third = max(1, len(data) // 3)
        self.send_frame(BINARY, data[:third], final=False)
        self.send_frame(PING, b"between fragments")
        self.send_frame(CONTINUATION, data[third:2 * third], final=False)
        self.send_frame(CONTINUATION, data[2 * third:])

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.below.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def read_frame(self):
        """Opcode and payload; what the frame is about is done."""
        first, second = self.read_exactly(2)
        assert first & 0x70 == 0, "a reserved bit is set"
        assert second & 0x80 == 0, "the node has masked a frame"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.read_exactly(2))
            assert size >= 126, "a length that is not in its shortest form"
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read_exactly(8))
            assert size >= 65536, "a length that is not in its shortest form"
        opcode, payload = first & 0x0F, self.read_exactly(size)
        if opcode >= CLOSE:
            assert first & 0x80 and size <= 125, "a control frame is in fragments or too long"
        if opcode == PING:
            self.pings += 1
            self.send_frame(PONG, payload)
        elif opcode == PONG:
            self.pongs.append(payload)
        elif opcode == CLOSE:
            (self.close_code,) = struct.unpack(">H", payload[:2])
        else:
            assert opcode in (BINARY, CONTINUATION), f"a frame of kind {opcode}"
            self.received += payload
        return opcode, payload

    def recv(self, size):
        """At least one byte; none if the node has closed."""
        while not self.received and self.close_code is None:
            try:
                self.read_frame()
            except EOFError:
                break
        data, self.received = self.received[:size], self.received[size:]
        return data

    def shut(self, code):
        """Sends a close frame, and reads until the node has ended the connection."""
        self.send_frame(CLOSE, struct.pack(">H", code))
        while self.recv(65536):
            pass
        return self.below.recv(1) == b""

    def close(self):
        self.below.close()
