#!/usr/bin/python3
"""Nodes over wss:// and ws:// as people set them up: the command line, a proxy, a new certificate."""

import pathlib
import signal
import socket
import ssl
import tempfile
import threading
import unittest

from cryptography import x509

from authority import Authority
from daemon import Daemon, command, free_port, wait_until


class ConnectProxy:
    """Opens tunnels for whoever asks, and keeps the request lines."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.requests = []
        threading.Thread(target=self._accept, daemon=True).start()

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
                head += near.recv(4096)
            self.requests.append(head.split(b"\r\n")[0].decode())
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
                back.start()
                self._pump(near, far)
                back.join()

    @staticmethod
    def _pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def set_network(daemon, **values):
    path = daemon.directory / "ekiden.toml"
    lines = path.read_text().splitlines()
    for key, value in values.items():
        lines = [f'{key} = "{value}"' if line.startswith(f"{key} =") else line for line in lines]
    path.write_text("\n".join(lines) + "\n")


class WebSocketTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-websocket-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.authority = Authority()
        self.authority.write(self.root / "ca.pem")

    def node(self, name, *flags, environment=None):
        daemon = Daemon(self.root / name, environment).init()
        self.authority.issue(daemon.directory)
        set_network(daemon, tls_certificate="cert.pem", tls_key="key.pem", tls_ca=self.root / "ca.pem")
        self.addCleanup(daemon.stop)
        return daemon.start(*flags)

    def listening(self, name, transport):
        port = free_port()
        daemon = self.node(name, "--listen", f"{transport}://127.0.0.1:{port}")
        daemon.endpoint = f"{transport}://localhost:{port}"
        daemon.port = port
        return daemon

    def send(self, sender, receiver, text):
        sent = command("send", "peer", text, "--wait", "delivered", "--data-dir", sender.directory)
        self.assertIn("delivered", sent.stdout + sent.stderr)
        self.assertIn(text, command("inbox", "--data-dir", receiver.directory).stdout)

    def meet(self, sender, receiver):
        command("contact", "add", "peer", receiver.id, "--endpoint", receiver.endpoint, "--data-dir", sender.directory)
        receiver.know("peer", sender)

    def serial_shown(self, port):
        context = ssl.create_default_context(cafile=self.root / "ca.pem")
        with socket.create_connection(("127.0.0.1", port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as shown:
                return x509.load_der_x509_certificate(shown.getpeercert(binary_form=True)).serial_number

    def test_messages_go_over_each_transport(self):
        for transport in ("ws", "wss"):
            with self.subTest(transport):
                bob = self.listening(f"bob-{transport}", transport)
                alice = self.node(f"alice-{transport}")
                self.meet(alice, bob)
                self.send(alice, bob, f"over {transport}")
                self.assertIn(bob.endpoint, command("status", "--data-dir", alice.directory).stdout)

    def test_wss_goes_through_the_proxy_of_the_environment(self):
        proxy = ConnectProxy()
        self.addCleanup(proxy.listening.close)
        bob = self.listening("bob", "wss")
        alice = self.node("alice", environment={"HTTPS_PROXY": proxy.url, "NO_PROXY": ""})
        self.meet(alice, bob)
        self.send(alice, bob, "through the tunnel")
        self.assertEqual(proxy.requests, [f"CONNECT localhost:{bob.port} HTTP/1.1"])

    def test_a_new_certificate_is_shown_after_sighup_and_links_stay(self):
        bob = self.listening("bob", "wss")
        alice = self.node("alice")
        self.meet(alice, bob)
        self.send(alice, bob, "before")
        serial = self.authority.issue(bob.directory)
        # Sooner than the node would look by itself.
        bob.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.serial_shown(bob.port) == serial, 8, "the new certificate is not shown")
        self.send(alice, bob, "after")
        self.assertEqual(bob.log_text().count("link: up"), 1)
        self.assertNotIn("link: down", bob.log_text())


if __name__ == "__main__":
    unittest.main()
