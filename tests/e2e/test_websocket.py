#!/usr/bin/python3
"""Nodes over wss:// and ws:// as people set them up: the command line, a proxy, a new certificate."""

import datetime
import ipaddress
import pathlib
import signal
import socket
import ssl
import tempfile
import threading
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daemon import Daemon, command, free_port, wait_until


class Authority:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))

    def _sign(self, subject, key, extension):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(hours=1)).add_extension(extension, critical=False)
                .sign(self.key, hashes.SHA256()))

    def issue(self, folder):
        """Writes cert.pem and key.pem of a node on this machine; returns the serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
        certificate = self._sign(subject, key, names)
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
        for name, content in (("cert.pem", certificate.public_bytes(serialization.Encoding.PEM)), ("key.pem", pem)):
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        return certificate.serial_number

    def write(self, path):
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))


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
