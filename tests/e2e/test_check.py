#!/usr/bin/python3
"""`ekiden bootstrap check` of a bootstrap node: green over every transport, and red with a word that says why."""

import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from authority import HOUR, Authority
from daemon import BINARY, Daemon, command, free_port

TRANSPORTS = ("tcp", "udp", "ws", "wss")


class TlsFace:
    """Shows a certificate to whoever comes, as a server does that never looks at it. No node serves an expired one."""

    def __init__(self, folder):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(context,), daemon=True).start()

    def _accept(self, context):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            try:
                with near:
                    near.settimeout(30)
                    context.wrap_socket(near, server_side=True).recv(1)
            except OSError:
                continue


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-check-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.authority = Authority()
        self.authority.write(self.root / "ca.pem")
        self.client = Daemon(self.root / "client").init()
        settings = self.client.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace('tls_ca = ""', f'tls_ca = "{self.root / "ca.pem"}"'))
        self.client_key = self.key_of(self.client)
        self.ports = {transport: free_port() for transport in TRANSPORTS}
        self.authority.issue(self.root)
        self.server = Daemon(self.root / "server")
        listening = [word for transport in TRANSPORTS
                     for word in ("--listen", f"{transport}://127.0.0.1:{self.ports[transport]}")]
        with open(self.server.log, "ab") as log:
            self.server.process = subprocess.Popen(
                [BINARY, "bootstrap", "serve", "--data-dir", self.server.directory, *listening,
                 "--endpoint", "tcp://203.0.113.7:7420", "--metrics", f"127.0.0.1:{free_port()}",
                 "--certificate", self.root / "cert.pem", "--key", self.root / "key.pem"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.server.stop)
        self.server.wait_ready()
        self.key = self.key_of(self.server)

    @staticmethod
    def key_of(node):
        return json.loads(command("id", "--json", "--data-dir", node.directory).stdout)["public_key"]

    def endpoint(self, transport, port=None):
        host = "localhost" if transport == "wss" else "127.0.0.1"
        return f"{transport}://{host}:{port or self.ports[transport]}"

    def check(self, *nodes, status):
        """Rows by endpoint."""
        done = command("bootstrap", "check", "--json", "--bootstrap", ",".join(nodes), "--data-dir",
                       self.client.directory, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return {row["endpoint"]: row for row in map(json.loads, done.stdout.splitlines())}, done.stderr

    def assert_red(self, endpoint, *said, key=None):
        rows, errors = self.check(f"{key or self.key}@{endpoint}", status=1)
        self.assertFalse(rows[endpoint]["ok"])
        for words in said:
            self.assertIn(words, rows[endpoint]["error"])
        self.assertIn("1 of 1 node cannot be reached at any endpoint", errors)

    def test_every_transport_is_green(self):
        rows, _ = self.check(*(f"{self.key}@{self.endpoint(transport)}" for transport in TRANSPORTS), status=0)
        self.assertEqual(set(rows), {self.endpoint(transport) for transport in TRANSPORTS})
        for row in rows.values():
            self.assertTrue(row["ok"], row)
            self.assertGreater(row["round_trip_us"], 0)

    def test_a_dead_one_is_red(self):
        for transport in TRANSPORTS:
            with self.subTest(transport):
                said = "nobody is there" if transport == "udp" else "Connection refused"
                self.assert_red(self.endpoint(transport, free_port()), said)

    def test_a_node_of_another_key_is_red(self):
        for transport in TRANSPORTS:
            with self.subTest(transport):
                said = "holds another key" if transport == "udp" else "another identity than the one we asked for"
                self.assert_red(self.endpoint(transport), said, key=self.client_key)

    def test_a_certificate_that_is_not_good_is_red(self):
        for said, options in (("certificate has expired", {"ends_in": -HOUR}),
                              ("is for another name than localhost", {"name": "elsewhere.example"})):
            with self.subTest(said):
                self.authority.issue(self.client.directory, **options)
                face = TlsFace(self.client.directory)
                self.addCleanup(face.listening.close)
                self.assert_red(self.endpoint("wss", face.port), said)


if __name__ == "__main__":
    unittest.main()
