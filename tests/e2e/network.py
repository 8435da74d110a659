"""Three nodes that have found each other, for tests of what nodes share."""

import pathlib
import tempfile
import unittest

from daemon import Daemon, wait_until

NODES = 3


class NetworkTest(unittest.TestCase):
    """Makes them before each test, on loopback and in a private network, and ends them after it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix=f"ekiden-{type(self).__name__.lower()}-")
        self.root = pathlib.Path(self.folder.name)
        self.nodes = [Daemon(self.root / f"node{i}").init() for i in range(NODES)]
        for node in self.nodes:
            settings = node.directory / "ekiden.toml"
            text = settings.read_text()
            text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
            settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
        for node in self.nodes:
            self.start(node)
        wait_until(lambda: all(self.status(node)["discovery"]["nodes"] >= 2 for node in self.nodes), 60,
                   "the nodes do not find each other")

    def tearDown(self):
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def start(self, node):
        first = self.nodes[0]
        through = [] if node is first else ["--bootstrap", f"{first.id}@{first.endpoint}"]
        node.start("--no-lan", *through)

    def status(self, node):
        with node.api() as api:
            return api.call("GET", "/v1/status")
