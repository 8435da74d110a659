#!/usr/bin/python3
"""A bootstrap node as deploy/ sets it up: unit, installation, certificates that come, are renewed and expire."""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from cryptography import x509

from authority import HOUR, Authority
from daemon import BINARY, Daemon, command, free_port, wait_until

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, **options)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def taken_port(ports):
    """Why nobody can listen at one of these here, or None."""
    for kind, address, port in ports:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                return f"port {port} of {address}: {error.strerror}"
    return None


class InstallTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-deploy-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def install(self, *words):
        return run(DEPLOY / "install", "--root", self.root, *words)

    def test_the_unit_is_one_that_systemd_takes_and_lets_do_little(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not here")
        unit = self.root / "ekiden-bootstrap.service"
        text = (DEPLOY / "ekiden-bootstrap.service").read_text()
        unit.write_text(text.replace("/usr/local/bin/ekiden", str(pathlib.Path(BINARY).resolve())))
        checked = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((checked.returncode, checked.stderr.strip()), (0, ""))
        judged = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
        self.assertEqual(judged.returncode, 0, judged.stdout[-500:])

    def test_the_options_of_the_unit_are_those_of_the_command(self):
        text = (DEPLOY / "ekiden-bootstrap.service").read_text() + (DEPLOY / "bootstrap.env").read_text()
        known = command("bootstrap", "serve", "--help").stdout
        for option in re.findall(r" (--[a-z-]+)", text):
            self.assertIn(option, known)

    def test_it_installs_what_the_guide_says(self):
        done = self.install("node.example.net", "198.51.100.9")
        self.assertEqual(done.returncode, 0, done.stderr)
        environment = self.root / "etc/ekiden/bootstrap.env"
        self.assertIn("--endpoint udp://198.51.100.9:7420", environment.read_text())
        self.assertIn("--endpoint wss://node.example.net:443", environment.read_text())
        self.assertTrue((self.root / "etc/systemd/system/ekiden-bootstrap.service").is_file())
        self.assertTrue(os.access(self.root / "etc/ekiden/renewed", os.X_OK))
        environment.write_text("EKIDEN_OPTIONS=--endpoint tcp://192.0.2.1:1\n")
        self.assertEqual(self.install("node.example.net", "198.51.100.9").returncode, 0)
        self.assertIn("192.0.2.1", environment.read_text(), "what was configured stays")

    def test_an_address_of_the_sixth_version_is_bracketed(self):
        self.assertEqual(self.install("node.example.net", "2001:db8::7").returncode, 0)
        self.assertIn("udp://[2001:db8::7]:7420", (self.root / "etc/ekiden/bootstrap.env").read_text())

    def test_it_refuses_what_is_no_name_and_no_address(self):
        for words in (["a b", "203.0.113.7"], ["node.example", "203.0.113.7/24"], ["node.example"], ["--wrong"]):
            self.assertEqual(self.install(*words).returncode, 2, words)


class ServeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-serve-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.authority = Authority()
        self.authority.write(self.root / "ca.pem")
        self.tls = self.root / "tls"
        self.tls.mkdir()
        self.lineage = self.root / "lineage"
        self.lineage.mkdir()
        self.port, self.links, self.metrics = free_port(), free_port(), free_port()

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_who_tells_an_address_of_ipv6_listens_there(self):
        server = Daemon(self.root / "server").init()
        settings = server.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace(f'"{server.endpoint}"', f'"tcp://127.0.0.1:{self.links}", '
                                                         f'"udp://127.0.0.1:{self.links}"'))
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen(
                [BINARY, "bootstrap", "serve", "--data-dir", server.directory, "--endpoint", "tcp://[2001:db8::7]:7420",
                 "--metrics", f"127.0.0.1:{self.metrics}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(server.stop)
        server.wait_ready()
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, self.links)).close()

    def renew(self, **options):
        """As certbot does."""
        serial = self.authority.issue(self.lineage, "fullchain.pem", "privkey.pem", **options)
        environment = {**os.environ, "RENEWED_LINEAGE": str(self.lineage), "EKIDEN_TLS": str(self.tls)}
        hook = run(DEPLOY / "renewed", env=environment)
        self.assertEqual(hook.returncode, 0, hook.stderr)
        return serial

    def words(self):
        return ["bootstrap", "serve", "--data-dir", str(self.root / "server"),
                "--listen", f"tcp://127.0.0.1:{self.links}", "--listen", "udp://127.0.0.1:0",
                "--listen", f"wss://127.0.0.1:{self.port}", "--endpoint", "tcp://203.0.113.7:7420",
                "--certificate", str(self.tls / "fullchain.pem"), "--key", str(self.tls / "privkey.pem"),
                "--metrics", f"127.0.0.1:{self.metrics}"]

    def serve(self):
        server = Daemon(self.root / "server")
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen([BINARY, *self.words()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(server.stop)
        server.wait_ready()
        server.id = command("id", "--data-dir", server.directory).stdout.strip()
        return server

    def client(self, name="client"):
        client = Daemon(self.root / name).init()
        settings = client.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace('tls_ca = ""', f'tls_ca = "{self.root / "ca.pem"}"'))
        self.addCleanup(client.stop)
        return client.start()

    def serial_shown(self):
        context = ssl.create_default_context(cafile=self.root / "ca.pem")
        context.check_hostname = False
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as shown:
                return x509.load_der_x509_certificate(shown.getpeercert(binary_form=True)).serial_number

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}{path}", timeout=30) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def send(self, client, server, text):
        return command("send", "server", text, "--wait", "delivered", "--timeout", "20s",
                       "--data-dir", client.directory, check=False)

    def test_a_node_is_made_and_watched(self):
        self.renew()
        server = self.serve()
        self.assertTrue(server.id.startswith("ek1"))
        self.assertEqual(json.loads(self.get("/healthz")[1])["status"], "ok")
        kind, text = self.get("/metrics")
        self.assertTrue(kind.startswith("text/plain; version=0.0.4"))
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        self.assertEqual(float(values["ekiden_ready"]), 1)
        self.assertEqual(float(values["ekiden_discovery"]), 1)
        self.assertNotIn(server.id, text)
        for path in ("/v1/status", "/v1/inbox", "/"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.get(path)
            self.assertEqual(refused.exception.code, 404, path)
            refused.exception.close()
        first = server.id
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.serve().id, first, "the node is kept")

    def test_it_listens_on_its_default_ports(self):
        """Those that the guide opens in the firewall, with no more said than where others reach it."""
        why = taken_port([(socket.SOCK_STREAM, "0.0.0.0", 7420), (socket.SOCK_DGRAM, "0.0.0.0", 7420),
                          (socket.SOCK_STREAM, "0.0.0.0", 443), (socket.SOCK_STREAM, "127.0.0.1", 9420)])
        if why:
            self.skipTest(why)
        self.renew()
        self.port, self.metrics = 443, 9420
        server = Daemon(self.root / "server")
        command("init", "--data-dir", server.directory)
        settings = server.directory / "ekiden.toml"
        text = settings.read_text()
        self.assertIn('port_mapping = "on"', text)
        # No router is asked by a test.
        settings.write_text(text.replace('port_mapping = "on"', 'port_mapping = "off"'))
        words = ["bootstrap", "serve", "--data-dir", str(server.directory), "--no-lan", "--bootstrap", "none",
                 "--endpoint", "tcp://203.0.113.7:7420", "--endpoint", "udp://203.0.113.7:7420",
                 "--endpoint", "wss://localhost:443",
                 "--certificate", str(self.tls / "fullchain.pem"), "--key", str(self.tls / "privkey.pem")]
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(server.stop)
        server.wait_ready()
        server.id = command("id", "--data-dir", server.directory).stdout.strip()
        with server.api() as api:
            self.assertEqual(sorted(api.call("GET", "/v1/status")["listening"]),
                             ["tcp://0.0.0.0:7420", "udp://0.0.0.0:7420", "wss://0.0.0.0:443"])
        self.assertEqual(json.loads(self.get("/healthz")[1])["status"], "ok")
        client = self.client()
        for endpoint in ("tcp://127.0.0.1:7420", "wss://localhost:443"):
            done = command("bootstrap", "check", "--json", "--bootstrap", f"{server.id}@{endpoint}", "--data-dir",
                           client.directory, check=False)
            self.assertEqual((done.returncode, json.loads(done.stdout)["ok"]), (0, True), done.stdout + done.stderr)

    def test_two_on_one_machine_need_ports_of_their_own(self):
        self.renew()
        self.serve()
        # Of all that one machine gives once, the second takes the metrics of the first.
        words = ["bootstrap", "serve", "--data-dir", str(self.root / "second"), "--listen", "tcp://127.0.0.1:0",
                 "--listen", "udp://127.0.0.1:0", "--endpoint", "tcp://203.0.113.7:7421", "--no-lan"]
        ended = run(BINARY, *words, "--metrics", f"127.0.0.1:{self.metrics}")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn(f"127.0.0.1:{self.metrics}: the port is in use", ended.stderr)
        self.assertIn("--metrics", ended.stderr)
        self.assertIn("`metrics` under [api]", ended.stderr)
        # And that of links, whose setting is another.
        words[words.index("tcp://127.0.0.1:0")] = f"tcp://127.0.0.1:{self.links}"
        ended = run(BINARY, *words, "--metrics", "127.0.0.1:0")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn(f"cannot listen on tcp://127.0.0.1:{self.links}: the port is in use", ended.stderr)
        self.assertIn("[network]", ended.stderr)

    def test_a_renewed_certificate_is_shown_and_links_stay(self):
        self.renew()
        server = self.serve()
        client = self.client()
        command("contact", "add", "server", server.id, "--endpoint", f"wss://localhost:{self.port}", "--data-dir",
                client.directory)
        self.assertEqual(self.send(client, server, "before").returncode, 0)
        serial = self.renew()
        wait_until(lambda: self.serial_shown() == serial, 30, "the renewed certificate is not shown")
        self.assertEqual(self.send(client, server, "after").returncode, 0)
        self.assertEqual(server.log_text().count("link: up"), 1)

    def test_an_expired_certificate_does_not_replace_one_that_is_good(self):
        serial = self.renew()
        server = self.serve()
        self.renew(ends_in=-HOUR)
        server.wait_logged("has expired", 30)
        self.assertEqual(self.serial_shown(), serial)

    def test_nobody_begins_with_an_expired_certificate(self):
        self.renew(ends_in=-HOUR)
        ended = run(BINARY, *self.words())
        self.assertEqual(ended.returncode, 1)
        self.assertIn("has expired", ended.stderr)

    def test_a_certificate_of_another_name_is_not_believed(self):
        self.renew(name="elsewhere.example")
        server = self.serve()
        client = self.client()
        command("contact", "add", "server", server.id, "--endpoint", f"wss://localhost:{self.port}", "--data-dir",
                client.directory)
        done = self.send(client, server, "to whom?")
        self.assertNotEqual(done.returncode, 0)
        wait_until(lambda: "localhost" in client.log_text() and "certificate" in client.log_text(), 30, client.log_text)

    def test_check_says_whether_a_certificate_is_good(self):
        self.renew()
        server = self.serve()
        client = self.client()

        def check():
            done = command("bootstrap", "check", "--json", "--bootstrap", f"{server.id}@wss://localhost:{self.port}",
                           "--data-dir", client.directory, check=False)
            return done.returncode, json.loads(done.stdout)

        status, row = check()
        self.assertEqual((status, row["ok"]), (0, True), row)
        serial = self.renew(name="elsewhere.example")
        wait_until(lambda: self.serial_shown() == serial, 30, "the new certificate is not shown")
        status, row = check()
        self.assertEqual((status, row["ok"]), (1, False), row)
        self.assertIn("certificate", row["error"])

    def test_it_says_what_is_missing(self):
        base = ["bootstrap", "serve", "--data-dir", self.root / "other"]
        for words, said in ((["--listen", "tcp://127.0.0.1:0"], "udp://"),
                            (["--listen", "udp://127.0.0.1:0"], "tcp://"),
                            (["--listen", "tcp://127.0.0.1:0", "--listen", "udp://127.0.0.1:0"], "--endpoint")):
            ended = run(BINARY, *base, *words)
            self.assertEqual(ended.returncode, 1, words)
            self.assertIn(said, ended.stderr)


if __name__ == "__main__":
    unittest.main()
