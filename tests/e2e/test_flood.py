#!/usr/bin/python3
"""A bootstrap node that attackers keep busy, with connections that say nothing and with requests for its list: whoever
wants to join through it still does."""

import pathlib
import select
import socket
import sys
import tempfile
import threading
import unittest

from daemon import Daemon, command, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import peer  # noqa: E402

LIST_REQUEST, LIST = 6, 7
NETWORKS = 20
FROM_EACH = 16  # handshakes that a node lets one network have under way
PLACES = 256    # and all together


class Flood:
    """Threads that go on until the end."""

    def __init__(self, port):
        self.port = port
        self.stopping = threading.Event()
        self.threads = []
        self.opened = 0  # connections that say nothing
        self.asked = 0  # requests for the list
        self.cut = 0  # links that the node has ended for them

    def start(self, run, count, *words):
        for number in range(count):
            self.threads.append(threading.Thread(target=run, args=(number, *words)))
            self.threads[-1].start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def connect(self, address):
        connection = socket.socket()
        connection.bind((address, 0))
        connection.settimeout(5)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def say_nothing(self, network):
        """As many connections as one network may have, and a new one for each that the node ends."""
        held = []
        while not self.stopping.is_set():
            while len(held) < FROM_EACH and not self.stopping.is_set():
                try:
                    held.append(self.connect(f"127.9.{network}.{len(held) + 1}"))
                    self.opened += 1
                except OSError:
                    break
            ended, _, _ = select.select(held, [], [], 0.1)
            for connection in ended:
                held.remove(connection)
                connection.close()
        for connection in held:
            connection.close()

    def ask_for_lists(self, number):
        """Again and again over one link, until the node ends it; then over another, as somebody else."""
        while not self.stopping.is_set():
            try:
                with self.connect(f"127.8.{number}.1") as connection:
                    link = peer.Link(peer.Identity(), connection)
                    while not self.stopping.is_set():
                        link.send(LIST_REQUEST, b"\xa0")
                        self.asked += 1
                        link.wait(lambda frame, body: frame == peer.MESSAGE and body[0] in (peer.ERROR, LIST))
            except peer.Closed:
                self.cut += 1
            except OSError:
                pass


class FloodTest(unittest.TestCase):
    JOINERS = 3

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-flood-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.server = self.node("server")
        self.server.start("--bootstrap", "none")
        self.flood = Flood(self.server.port)
        self.addCleanup(self.flood.stop)

    def node(self, name):
        node = Daemon(self.root / name).init()
        settings = node.directory / "ekiden.toml"
        text = settings.read_text()
        text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
        settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
        self.addCleanup(node.stop)
        return node

    def half_open(self):
        with self.server.api() as api:
            return api.call("GET", "/v1/status")["half_open"]

    def known(self, node):
        with node.api() as api:
            return api.call("GET", "/v1/peers")["nodes_total"]

    def join(self):
        joiners = [self.node(f"joiner{i}") for i in range(self.JOINERS)]
        for node in joiners:
            node.start("--no-lan", "--bootstrap", f"{self.server.id}@{self.server.endpoint}")
        for node in joiners:
            wait_until(lambda: self.known(node) >= self.JOINERS, 60,
                       lambda: f"{node.log_text()}\n{self.server.log_text()[-3000:]}\ndid not get in")
        first, last = joiners[0], joiners[-1]
        last.know("first", first)
        command("send", last.id, "we are in", "--wait", "delivered", "--data-dir", first.directory)

    def test_connections_that_say_nothing_keep_nobody_out(self):
        self.flood.start(self.flood.say_nothing, NETWORKS)
        wait_until(lambda: self.half_open() >= PLACES, 60, lambda: f"only {self.half_open()} are under way")
        before = self.flood.opened
        self.join()
        self.assertGreater(self.flood.opened, before, "the flood was over")
        # The places are taken again as soon as they are free.
        wait_until(lambda: self.half_open() >= PLACES * 9 // 10, 60, lambda: f"only {self.half_open()} are under way")

    def test_requests_for_the_list_keep_nobody_out(self):
        self.flood.start(self.flood.ask_for_lists, 8)
        wait_until(lambda: self.flood.cut >= 8, 60, lambda: f"{self.flood.cut} links were ended")
        before = self.flood.asked
        self.join()
        self.assertGreater(self.flood.asked, before, "the flood was over")
        # One that counts, and as many bad messages as a link may have.
        self.assertLessEqual(self.flood.asked, (self.flood.cut + 8) * 17)


if __name__ == "__main__":
    unittest.main()
