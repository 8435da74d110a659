#!/usr/bin/python3
"""A real node and the Python peer over ws:// and wss://, through a WebSocket that shares no code with the node's."""

import pathlib
import socket
import ssl
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from authority import Authority  # noqa: E402
from daemon import Daemon, free_port, wait_until  # noqa: E402
from peer import Closed, Identity, Link, Peer, bech32m  # noqa: E402
from websocket import BINARY, CONTINUATION, PING, TEXT, Refused, WebSocket  # noqa: E402


class WebSocketPeerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-interop-")
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        self.authority = Authority()
        self.authority.write(root / "ca.pem")
        self.tls = ssl.create_default_context(cafile=root / "ca.pem")
        self.tls.set_alpn_protocols(["http/1.1"])
        self.node = Daemon(root / "node").init()
        self.authority.issue(self.node.directory)
        settings = self.node.directory / "ekiden.toml"
        text = settings.read_text()
        for key, value in (("tls_certificate", "cert.pem"), ("tls_key", "key.pem")):
            text = text.replace(f'{key} = ""', f'{key} = "{value}"')
        settings.write_text(text)
        self.ports = {transport: free_port() for transport in ("ws", "wss")}
        self.node.start(*(word for transport, port in self.ports.items()
                          for word in ("--listen", f"{transport}://127.0.0.1:{port}")))
        self.addCleanup(self.node.stop)
        self.api = self.node.api()
        self.addCleanup(self.api.close)
        self.identity = Identity()
        self.api.call("POST", "/v1/contacts", {"name": "peer", "id": bech32m(self.identity.id)})

    def connect(self, transport):
        stream = socket.create_connection(("127.0.0.1", self.ports[transport]), timeout=10)
        if transport == "wss":
            stream = self.tls.wrap_socket(stream, server_hostname="localhost")
            self.assertEqual(stream.selected_alpn_protocol(), "http/1.1")
        self.addCleanup(stream.close)
        return WebSocket(stream, f"localhost:{self.ports[transport]}")

    def state(self, message):
        return self.api.call("GET", f"/v1/messages/{message}")["state"]

    def test_a_message_and_its_answer_over_each_transport(self):
        for transport in self.ports:
            with self.subTest(transport):
                peer = Peer(self.identity, Link(self.identity, self.connect(transport)))
                self.assertEqual(bech32m(peer.link.peer_id), self.node.id)
                sent = peer.send(f"hello over {transport}")
                self.assertEqual(peer.read_receipt(), [sent])
                message = self.api.call("GET", "/v1/inbox")["messages"][-1]
                self.assertEqual((message["id"], message["body"]), (sent, f"hello over {transport}"))

                answer = self.api.call("POST", "/v1/messages", {
                    "to": bech32m(self.identity.id), "body": "hello, python " * 2000, "in_reply_to": sent})["id"]
                message_id, content = peer.receive()
                self.assertEqual((message_id, content[8]), (answer, b"hello, python " * 2000))
                peer.send_receipt(message_id)
                wait_until(lambda: self.state(answer) == "delivered", 10, f"{answer} is not delivered")

                stream = peer.link.stream
                self.assertGreater(len(stream.pongs), 3)
                self.assertEqual(set(stream.pongs), {b"between fragments"})
                self.assertTrue(stream.shut(1000), "the node has ended the connection")
                self.assertEqual(stream.close_code, 1000)

    def test_pings_are_answered_in_their_order_before_the_message_has_ended(self):
        stream = self.connect("ws")
        stream.send_frame(BINARY, b"EKI", final=False)
        payloads = [b"", b"\x00\xff", bytes(125)]
        for payload in payloads:
            stream.send_frame(PING, payload)
        while len(stream.pongs) < len(payloads):
            stream.read_frame()
        self.assertEqual(stream.pongs, payloads)

    def test_what_the_protocol_forbids_ends_with_its_code(self):
        cases = (
            ("no mask", 1002, lambda stream: stream.send_frame(BINARY, b"EKIDEN", masked=False)),
            ("nothing to continue", 1002, lambda stream: stream.send_frame(CONTINUATION, b"EKIDEN")),
            ("a ping in fragments", 1002, lambda stream: stream.send_frame(PING, b"", final=False)),
            ("a long ping", 1002, lambda stream: stream.send_frame(PING, bytes(126))),
            ("a reserved bit", 1002, lambda stream: stream.send_frame(BINARY | 0x40, b"EKIDEN")),
            ("a kind of frame", 1002, lambda stream: stream.send_frame(3, b"EKIDEN")),
            ("text", 1003, lambda stream: stream.send_frame(TEXT, b"EKIDEN")),
            ("2 MiB", 1009, lambda stream: stream.below.sendall(b"\x82\xff" + struct.pack(">Q", 2 << 20) + bytes(4))),
        )
        for name, code, send in cases:
            with self.subTest(name):
                stream = self.connect("ws")
                send(stream)
                self.assertEqual(stream.recv(1), b"")
                self.assertEqual(stream.close_code, code)

    def test_what_is_no_link_inside_is_refused(self):
        stream = self.connect("wss")
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(stream.recv(1), b"")
        with self.assertRaises(Closed):
            Link(self.identity, self.connect("ws"), node_key=self.identity.public)

    def test_what_is_no_upgrade_is_refused(self):
        stream = socket.create_connection(("127.0.0.1", self.ports["ws"]), timeout=10)
        self.addCleanup(stream.close)
        with self.assertRaises(Refused) as refused:
            WebSocket(stream, "localhost\r\nContent-Length: 0")
        self.assertEqual(refused.exception.args[0].split()[1], "400")
        while stream.recv(4096):  # What stands under the head, then the end of the connection; else a timeout.
            pass


if __name__ == "__main__":
    unittest.main()
