"""Real nodes of one local network without the internet: two network namespaces, joined by a cable, and nothing else."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from daemon import wait_until
from spaces import Node, ip, why_not

GROUP, PORT = "239.255.74.20", 7419

LISTENER = f"""
import socket, struct, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("{GROUP}", {PORT}))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("{GROUP}") + socket.inet_aton(sys.argv[1]))
print("listening", flush=True)
while True:
    words, (host, _) = s.recvfrom(2048)
    print(host, len(words), flush=True)
"""


@unittest.skipIf(why_not(), why_not() or "")
class LanTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-lan-")
        self.addCleanup(self.folder.cleanup)
        self.spaces = [f"ekiden-{side}-{os.getpid()}" for side in ("a", "b")]
        for space in self.spaces:
            self.must("netns", "add", space)
            self.addCleanup(ip, "netns", "delete", space)
        self.must("link", "add", "cable", "netns", self.spaces[0], "type", "veth", "peer", "name", "cable", "netns",
                  self.spaces[1])
        self.nodes = []
        for number, space in enumerate(self.spaces, 1):
            self.must("-n", space, "address", "add", f"10.77.0.{number}/24", "dev", "cable")
            for name in ("lo", "cable"):
                self.must("-n", space, "link", "set", name, "up")
            self.nodes.append(Node(space, pathlib.Path(self.folder.name) / f"node{number}", f"10.77.0.{number}"))
        for node in self.nodes:
            self.addCleanup(node.stop)

    def must(self, *words):
        done = ip(*words)
        if done.returncode != 0:
            self.skipTest(f"ip {' '.join(words)}: {done.stderr.strip()}")

    @staticmethod
    def heard(node):
        return node.status()["discovery"]["lan"]["peers"]

    def test_a_message_to_an_id_arrives_without_any_list_or_address(self):
        first, second = (node.start() for node in self.nodes)
        second.run("contact", "add", "first", first.id)
        sent = first.run("send", second.id, "are you next door?", "--wait", "delivered", "--timeout", "20s")
        self.assertIsNotNone(sent, f"{first.last_error}\n{first.log_text()}\n{second.log_text()}")
        shown = json.loads(second.run("inbox", "--json"))
        self.assertEqual((shown["body"], shown["from"]), ("are you next door?", first.id))
        wait_until(lambda: self.heard(second) == 1, 20,
                   "the recipient has not heard the sender")
        self.assertIn("on the local network", first.run("peers"))
        self.assertIn("1 peer", first.run("status"))
        wait_until(lambda: first.run("lookup", second.id), 20, lambda: first.last_error)
        explained = first.run("explain", second.id)
        self.assertIsNotNone(explained, first.last_error)
        self.assertIn("tcp://10.77.0.2:7420", explained)
        self.assertIn("local network", explained)

    def test_a_node_that_comes_later_is_found_at_once(self):
        first, second = self.nodes
        first.start()
        sent = json.loads(first.run("send", second.id, "welcome", "--json"))
        second.start()
        second.run("contact", "add", "first", first.id)
        arrived = []  # Whoever reads an inbox takes what is in it.

        def something_arrived():
            arrived.extend((second.run("inbox", "--json") or "").splitlines())
            return arrived

        wait_until(something_arrived, 20, lambda: f"{first.log_text()}\nnothing arrived")
        self.assertEqual(json.loads(arrived[0])["id"], sent["id"])

    def test_without_it_a_node_is_silent_and_deaf(self):
        speaker, silent = self.nodes
        listener = subprocess.Popen(
            ["ip", "netns", "exec", speaker.space, "/usr/bin/python3", "-c", LISTENER, speaker.address],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.assertEqual(listener.stdout.readline(), "listening\n")
        silent.start("--no-lan")
        self.assertFalse(silent.status()["discovery"]["lan"]["on"])
        speaker.start()
        heard = [listener.stdout.readline().split()[0] for _ in range(3)]  # It asks three times.
        self.assertEqual(heard, [speaker.address] * 3, "a node that is not to speak has spoken")
        self.assertEqual((self.heard(speaker), self.heard(silent)), (0, 0))
        silent.stop()
        silent.start()  # The same node at the same place, allowed to speak, is heard.
        while listener.stdout.readline().split()[0] != silent.address:
            pass
        wait_until(lambda: self.heard(speaker) == self.heard(silent) == 1, 20, "they did not hear each other")


if __name__ == "__main__":
    unittest.main()
