#!/usr/bin/python3
"""Requests whose end is in doubt, at every place where a node answers over HTTP: 400, and the connection is closed.

Besides those below, those of llhttp are sent, where the folder of public vectors is there."""

import os
import pathlib
import re
import socket
import tempfile
import unittest

from daemon import Daemon, free_port

VECTORS = pathlib.Path(os.environ.get("EKIDEN_VECTORS") or
                       pathlib.Path(__file__).resolve().parents[3] / "shared" / "vectors") / "http"

# Two programs that read one of these one after the other may see two different requests. Without its Host field.
DOUBTFUL = {
    "two lengths": "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": "Content-Length : 0\r\n\r\n",
    "a length that is no number": "Content-Length: +1\r\n\r\nx",
    "an empty length": "Content-Length:\r\n\r\n",
    "a folded field": "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "another coding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": "X: y\nContent-Length: 0\r\n\r\n",
    "a bare carriage return": "X: y\rContent-Length: 0\r\n\r\n",
    "a blank behind the size of a chunk": "Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n",
    "a sign before the size of a chunk": "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a size in another notation": "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk that is longer than it says": "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "a length behind the body": "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
}


def unescaped(text):
    """The bytes of an example in llhttp's Markdown."""
    text = text.replace("\\\n", "").replace("\n", "\r\n")
    for escape, byte in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\f", "\f")):
        text = text.replace(escape, byte)
    return text


def llhttp_requests():
    """Name and bytes of each request that llhttp refuses, or takes only where it is told to be lenient."""
    for file in sorted(VECTORS.glob("request__*.txt")):
        examples = re.findall(r'<!-- meta=\{"type": "(.*?)".*?```http\n(.*?)\n```.*?```log\n(.*?)```', file.read_text(),
                              re.DOTALL)
        for number, (kind, request, log) in enumerate(examples):
            if kind != "request" or "error code" in log:
                request = unescaped(request)
                # llhttp has seen enough in the middle of some heads.
                yield f"{file.name} {number}", request if "\r\n\r\n" in request else request + "\r\n"


class FacesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-faces-")
        cls.addClassCleanup(folder.cleanup)
        node = Daemon(pathlib.Path(folder.name) / "node").init()
        web, metrics = free_port(), free_port()
        node.start("--listen", f"ws://127.0.0.1:{web}", "--metrics", f"127.0.0.1:{metrics}")
        cls.addClassCleanup(node.stop)
        cls.api = int((node.directory / "api.address").read_text().rpartition(":")[2])
        token = (node.directory / "api.token").read_text().strip()
        upgrade = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        own = f"Host: 127.0.0.1:{cls.api}\r\n"
        bearer = f"{own}Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        # Each with a request that it takes, to which what is in doubt is added.
        cls.faces = {
            "links over ws://": (web, f"GET /ekiden/1 HTTP/1.1\r\nHost: node\r\n{upgrade}"),
            "links, of another path": (web, "POST /url HTTP/1.1\r\nHost: node\r\n"),
            "metrics": (metrics, "GET /metrics HTTP/1.1\r\nHost: node\r\n"),
            "health": (metrics, "GET /healthz HTTP/1.1\r\nHost: node\r\n"),
            "metrics, of another path": (metrics, "PUT /url HTTP/1.1\r\nHost: node\r\n"),
            "metrics, in an old version": (metrics, "GET /metrics HTTP/1.0\r\nHost: node\r\n"),
            "API": (cls.api, f"POST /v1/relay HTTP/1.1\r\n{bearer}"),
            "API, a question": (cls.api, f"POST /v1/lookups HTTP/1.1\r\n{bearer}"),
            "API, of another path": (cls.api, f"PUT /url HTTP/1.1\r\n{bearer}"),
            "API, without a token": (cls.api, f"GET /v1/status HTTP/1.1\r\n{own}"),
            "API, under another name": (cls.api, "PUT /url HTTP/1.1\r\nHost: evil.example\r\n"),
        }

    def ask(self, port, request):
        """The status of the one answer, after which the node has closed; else a timeout."""
        with socket.create_connection(("127.0.0.1", port), timeout=30) as stream:
            stream.sendall(request.encode("latin-1"))
            answer = b""
            while piece := stream.recv(65536):
                answer += piece
        head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
        self.assertEqual(len(re.findall(rb"HTTP/1\.1 [1-5]\d\d ", answer)), 1, f"one answer to {request!r}: {answer!r}")
        self.assertIn("connection: close", head.lower())
        return int(head.split()[1])

    def test_what_is_in_doubt_is_refused(self):
        for face, (port, begin) in self.faces.items():
            for name, rest in DOUBTFUL.items():
                with self.subTest(f"{face}: {name}"):
                    self.assertEqual(self.ask(port, begin + rest), 400)

    def test_what_is_clear_is_not(self):
        expected = {
            "links, of another path": 404, "metrics": 200, "health": 200, "metrics, of another path": 404,
            "metrics, in an old version": 505, "API": 405, "API, of another path": 404, "API, without a token": 401,
            "API, under another name": 403}
        for face, status in expected.items():
            with self.subTest(face):
                port, begin = self.faces[face]
                self.assertEqual(self.ask(port, begin + "Connection: close\r\n\r\n"), status)

    def test_what_llhttp_refuses_is_refused(self):
        if not VECTORS.is_dir():
            self.skipTest("the public vectors are not here")
        requests = dict(llhttp_requests())
        self.assertGreater(len(requests), 20)
        for port in {port for port, _ in self.faces.values()}:
            for name, request in requests.items():
                with self.subTest(f"{port}: {name}"):
                    self.assertEqual(self.ask(port, request), 400)


if __name__ == "__main__":
    unittest.main()
