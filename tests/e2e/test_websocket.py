#!/usr/bin/python3
"""Nodes over wss:// and ws:// as people set them up: the command line, a proxy, a new certificate."""

import json
import pathlib
import signal
import socket
import ssl
import tempfile
import unittest

from cryptography import x509

from authority import Authority
from connect_proxy import ConnectProxy
from daemon import Daemon, command, free_port, wait_until


def set_network(daemon, **values):
    path = daemon.directory / "ekiden.toml"
    lines = path.read_text().splitlines()
    for key, value in values.items():
        text = value if isinstance(value, int) else f'"{value}"'
        lines = [f"{key} = {text}" if line.startswith(f"{key} =") else line for line in lines]
    path.write_text("\n".join(lines) + "\n")


class WebSocketTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-websocket-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.authority = Authority()
        self.authority.write(self.root / "ca.pem")

    def node(self, name, *flags, environment=None, **settings):
        daemon = Daemon(self.root / name, environment).init()
        self.authority.issue(daemon.directory)
        set_network(daemon, tls_certificate="cert.pem", tls_key="key.pem", tls_ca=self.root / "ca.pem", **settings)
        self.addCleanup(daemon.stop)
        return daemon.start(*flags)

    def listening(self, name, transport, **settings):
        port = free_port()
        daemon = self.node(name, "--listen", f"{transport}://127.0.0.1:{port}", **settings)
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

    def renew(self, node, **options):
        serial = self.authority.issue(node.directory, **options)
        # Sooner than the node would look by itself.
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.serial_shown(node.port) == serial, 8, "the new certificate is not shown")

    def serial_shown(self, port):
        context = ssl.create_default_context(cafile=self.root / "ca.pem")
        context.check_hostname = False
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
                for node, direction in ((alice, "out"), (bob, "in")):
                    (link,) = self.links(node)
                    self.assertEqual((link["transport"], link["direction"]), (transport, direction))

    def proxy(self, **options):
        proxy = ConnectProxy(**options)
        self.addCleanup(proxy.close)
        return proxy

    def test_wss_on_port_443_is_reached_through_the_proxy_of_the_environment(self):
        bob = self.listening("bob", "wss")
        self.renew(bob, name="node.example")
        bob.endpoint = "wss://node.example:443"
        # The name leads nowhere but there, and nobody listens on port 443 of this machine for us.
        proxy = self.proxy(routes={"node.example:443": bob.port}, credentials="me:s e/cret")
        with_password = f"http://me:s%20e%2fcret@{proxy.address}"
        alice = self.node("alice", environment={"https_proxy": with_password, "no_proxy": ""})
        self.meet(alice, bob)
        self.send(alice, bob, "through the tunnel")
        self.assertEqual(proxy.requests, ["CONNECT node.example:443 HTTP/1.1"])
        self.assertNotIn("cret", alice.log_text())

    def write(self, sender, text):
        """The id of a message that is not waited for."""
        sent = command("send", "peer", text, "--json", "--data-dir", sender.directory)
        return json.loads(sent.stdout)["id"]

    def state(self, sender, message):
        return json.loads(command("trace", message, "--json", "--data-dir", sender.directory).stdout)["state"]

    def wait_delivered(self, messages):
        for sender, message in messages:
            wait_until(lambda: self.state(sender, message) == "delivered", 60,
                       lambda: f"{sender.log_text()}\n{self.state(sender, message)}, and not delivered")

    def read(self, node):
        shown = command("inbox", "--json", "--data-dir", node.directory).stdout
        return [json.loads(line)["body"] for line in shown.splitlines()]

    def links(self, node):
        return json.loads(command("peers", "--json", "--data-dir", node.directory).stdout)["links"]

    def linked_through(self, proxy, **settings):
        """Two nodes, of which only the first can reach the other, and has."""
        bob = self.listening("bob", "wss", **settings)
        alice = self.node("alice", environment={"https_proxy": proxy.url, "no_proxy": ""}, **settings)
        self.meet(alice, bob)
        self.send(alice, bob, "before")
        return alice, bob

    def test_a_tunnel_that_the_proxy_cuts_comes_back_and_nothing_is_lost(self):
        # Less patient than any that our pings are made for; and heartbeats would keep it busy.
        proxy = self.proxy(idle_limit=1)
        alice, bob = self.linked_through(proxy, watch="off")
        proxy.refusal = "503 Service Unavailable"
        wait_until(lambda: all(tunnel.was_cut for tunnel in proxy.tunnels) and not self.links(alice) + self.links(bob),
                   60, "the idle tunnel was not cut")
        meanwhile = [(bob, self.write(bob, "from bob")), (alice, self.write(alice, "from alice"))]
        alice.wait_logged("503 Service Unavailable", 30)
        self.assertFalse([message for message in meanwhile if self.state(*message) == "delivered"])
        proxy.refusal = None
        self.wait_delivered(meanwhile)
        self.assertEqual((self.read(alice), self.read(bob)), (["from bob"], ["from alice"]))

    def test_a_tunnel_that_carries_nothing_any_more_is_noticed_and_made_anew(self):
        proxy = self.proxy()
        alice, bob = self.linked_through(proxy, keepalive_s=1)
        for tunnel in proxy.tunnels:
            tunnel.is_silent = True
        held = len(proxy.tunnels)
        meanwhile = [(bob, self.write(bob, "from bob")), (alice, self.write(alice, "from alice"))]
        self.wait_delivered(meanwhile)
        self.assertEqual((self.read(alice), self.read(bob)), (["from bob"], ["from alice"]))
        self.assertGreater(len(proxy.tunnels), held)

    def test_what_no_proxy_lists_is_reached_directly(self):
        proxy = self.proxy(refusal="403 Forbidden")
        bob = self.listening("bob", "wss")
        for name, direct in (("by-name", "example.org,localhost"), ("by-port", f"localhost:{bob.port}"), ("all", "*")):
            with self.subTest(direct):
                alice = self.node(name, environment={"HTTPS_PROXY": proxy.url, "NO_PROXY": direct})
                command("contact", "add", "peer", bob.id, "--endpoint", bob.endpoint, "--data-dir", alice.directory)
                bob.know(name, alice)
                self.send(alice, bob, name)
        self.assertEqual(proxy.requests, [])

    def test_a_proxy_that_does_not_help_is_said(self):
        client = Daemon(self.root / "client").init()
        node = f"{client.id}@wss://node.example:443"

        def error(proxy):
            done = command("bootstrap", "check", "--json", "--bootstrap", node, "--data-dir", client.directory,
                           check=False, env={**client.environment, "https_proxy": proxy, "no_proxy": ""})
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertNotIn("secret", done.stdout + done.stderr)
            return json.loads(done.stdout)["error"]

        refusing = self.proxy(refusal="403 Blocked by policy")
        self.assertIn(f"the proxy {refusing.url}", error(refusing.url))
        self.assertIn("403 Blocked by policy", error(refusing.url))
        asking = self.proxy(credentials="me:right")
        self.assertIn("asks for a name and a password", error(asking.url))
        self.assertIn("does not accept", error(f"http://me:secret@{asking.address}"))
        closed = f"127.0.0.1:{free_port()}"
        self.assertIn(f"the proxy http://{closed}", error(f"http://me:secret@{closed}"))
        self.assertIn("HTTPS_PROXY", error(f"socks5://me:secret@{closed}"))

    def test_a_new_certificate_is_shown_after_sighup_and_links_stay(self):
        bob = self.listening("bob", "wss")
        alice = self.node("alice")
        self.meet(alice, bob)
        self.send(alice, bob, "before")
        self.renew(bob)
        self.send(alice, bob, "after")
        self.assertEqual(bob.log_text().count("link: up"), 1)
        self.assertNotIn("link: down", bob.log_text())


if __name__ == "__main__":
    unittest.main()
