"""A node behind a router that forwards ports, and a node in the world outside: three network namespaces."""

import json
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import unittest

from daemon import BINARY, wait_until
from spaces import Node, ip, why_not

HOME, INSIDE = "192.168.77.2", "192.168.77.1"
OUTSIDE, WORLD = "9.9.9.1", "9.9.9.2"  # Addresses that strangers may name; nothing leaves the namespaces.
MAPPED, NOT_FORWARDED = f"tcp://{OUTSIDE}:7421", f"udp://{OUTSIDE}:7421"

# Of somebody else: that nothing is forwarded to port 1.
ASK = f"""
import socket, struct
s = socket.socket(type=socket.SOCK_DGRAM)
s.settimeout(10)
s.sendto(struct.pack("!BBHHHI", 0, 1, 0, 1, 0, 0), ("{INSIDE}", 5351))
s.recv(64)
"""


@unittest.skipIf(why_not(), why_not() or "")
class PortMappingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-port-mapping-")
        self.addCleanup(self.folder.cleanup)
        self.home, self.gateway, self.world = (f"ekiden-{name}-{os.getpid()}" for name in ("home", "gate", "world"))
        for space in (self.home, self.gateway, self.world):
            self.must("netns", "add", space)
            self.addCleanup(ip, "netns", "delete", space)
            self.must("-n", space, "link", "set", "lo", "up")
        self.join(self.home, HOME, self.gateway, INSIDE)
        self.join(self.world, WORLD, self.gateway, OUTSIDE)
        self.must("-n", self.home, "route", "add", "default", "via", INSIDE)
        self.start_router()
        root = pathlib.Path(self.folder.name)
        self.node, self.peer = Node(self.home, root / "node"), Node(self.world, root / "peer")
        settings = self.peer.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace('port_mapping = "on"', 'port_mapping = "off"'))
        for node in (self.node, self.peer):
            self.addCleanup(node.stop)

    def must(self, *words):
        done = ip(*words)
        if done.returncode != 0:
            self.skipTest(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def join(self, first, address, second, other):
        cable = f"to-{other.split('.')[0]}"
        self.must("link", "add", cable, "netns", first, "type", "veth", "peer", "name", cable, "netns", second)
        for space, at in ((first, address), (second, other)):
            self.must("-n", space, "address", "add", f"{at}/24", "dev", cable)
            self.must("-n", space, "link", "set", cable, "up")

    def start_router(self):
        script = pathlib.Path(__file__).with_name("home_router.py")
        self.router = subprocess.Popen(
            ["ip", "netns", "exec", self.gateway, "/usr/bin/python3", "-B", str(script), INSIDE, OUTSIDE, WORLD],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for clean_up in (self.router.stdout.close, self.router.stdin.close, self.router.wait, self.router.kill):
            self.addCleanup(clean_up)
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self.read_router, args=(self.router.stdout,), daemon=True).start()
        self.assertEqual(self.lines.get(timeout=30), "ready\n")

    def read_router(self, output):
        for line in output:
            self.lines.put(line)

    def next_request(self):
        """That the router was asked; fails if there is none."""
        return json.loads(self.lines.get(timeout=30))

    def wait_asked(self, wanted):
        while not wanted.items() <= self.next_request().items():
            pass

    def endpoints(self):
        return {known["endpoint"]: known for known in self.node.status()["endpoints"]}

    def published(self):
        """What the record says that the peer holds."""
        asks = [BINARY, "explain", self.node.id, "--json", "--data-dir", str(self.peer.directory)]
        done = subprocess.run(["ip", "netns", "exec", self.world, *asks], capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout or "{}").get("record", {}).get("endpoints")

    def wait_for(self, holds, what):
        wait_until(holds, 60, lambda: f"{self.node.log_text()}\n{self.endpoints()}\n{what}")

    def test_what_the_router_forwards_is_published_once_a_peer_came_through_and_goes_with_it(self):
        self.node.start("--no-lan")
        self.wait_asked({"map": "tcp", "port": 7420, "granted": True})
        self.wait_for(lambda: MAPPED in self.endpoints(), "the router's port is not known")
        alone = self.endpoints()[MAPPED]
        self.assertEqual((alone["source"], alone["state"], alone["published"]), ("mapped", "candidate", False))
        self.node.stop()
        self.wait_asked({"map": "tcp", "port": 7420, "seconds": 0})

        self.peer.start("--no-lan")
        self.node.start("--no-lan", "--bootstrap", f"{self.peer.id}@tcp://{INSIDE}:7420")  # Through the router.
        self.wait_for(lambda: self.endpoints().get(MAPPED, {}).get("state") == "verified", "it is not verified")
        self.wait_for(lambda: self.published() == [MAPPED], "it is not published")
        self.wait_for(lambda: self.endpoints()[NOT_FORWARDED]["state"] == "unreachable", "nobody tried the other")
        self.router.stdin.write("refuse\n")
        self.router.stdin.flush()
        self.wait_for(lambda: not {MAPPED, NOT_FORWARDED} & set(self.endpoints()), "it was not taken back")
        self.wait_for(lambda: self.published() == [], "the record still shows it")

    def test_a_node_that_has_no_use_for_it_asks_for_nothing(self):
        settings = self.node.directory / "ekiden.toml"
        text = settings.read_text()
        for key, value, flags in (("port_mapping", "off", []), ("private_network", "on", []),
                                  ("port_mapping", "on", ["--listen", "tcp://0.0.0.0:7420"])):  # no discovery
            with self.subTest(f"{key} {value} {flags}"):
                lines = [f'{key} = "{value}"' if line.startswith(f"{key} =") else line for line in text.splitlines()]
                settings.write_text("\n".join(lines) + "\n")
                self.node.start("--no-lan", *flags)
                self.node.stop()
                asks = ["/usr/bin/python3", "-c", ASK]
                subprocess.run(["ip", "netns", "exec", self.home, *asks], check=True, timeout=30)
                first = self.next_request()
                self.assertEqual((first["map"], first["port"]), ("udp", 1), "the router was asked before")


if __name__ == "__main__":
    unittest.main()
