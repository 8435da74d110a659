"""Real nodes of one local network without the internet: two network namespaces, joined by a cable, and nothing else."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from daemon import BINARY, command, wait_until

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


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30)


def why_not():
    """Why this machine lets us make no network namespaces; nothing if it does."""
    try:
        tried = ip("netns", "add", f"ekiden-try-{os.getpid()}")
        ip("netns", "delete", f"ekiden-try-{os.getpid()}")
    except FileNotFoundError:
        return "there is no `ip` command"
    return f"no network namespaces can be made here: {tried.stderr.strip()}" if tried.returncode else None


class Node:
    """A node in a namespace of its own, with the settings that `ekiden init` writes."""

    def __init__(self, space, address, directory):
        self.space, self.address, self.directory = space, address, directory
        self.log = directory.with_suffix(".log")
        self.process = None
        command("init", "--data-dir", directory)
        self.id = command("id", "--data-dir", directory).stdout.strip()

    def start(self, *flags):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, BINARY, "up", "--data-dir", str(self.directory), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.is_ready, 30, lambda: f"{self.log_text()}\nthe node is not ready")
        return self

    def run(self, *words):
        """A command of the node; its output, or None if it fails."""
        done = subprocess.run(["ip", "netns", "exec", self.space, BINARY, *words, "--data-dir", str(self.directory)],
                              capture_output=True, text=True, timeout=60)
        self.last_error = done.stderr
        return done.stdout if done.returncode == 0 else None

    def status(self):
        return json.loads(self.run("status", "--json") or "{}")

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended: {self.log_text()}")
        return self.status().get("ready", False)

    def neighbours(self):
        return self.status()["discovery"]["lan"]["peers"]

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
        self.process = None

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


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
            self.nodes.append(Node(space, f"10.77.0.{number}", pathlib.Path(self.folder.name) / f"node{number}"))
        for node in self.nodes:
            self.addCleanup(node.stop)

    def must(self, *words):
        done = ip(*words)
        if done.returncode != 0:
            self.skipTest(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def test_a_message_to_an_id_arrives_without_any_list_or_address(self):
        first, second = (node.start() for node in self.nodes)
        sent = first.run("send", second.id, "are you next door?", "--wait", "delivered", "--timeout", "20s")
        self.assertIsNotNone(sent, f"{first.last_error}\n{first.log_text()}\n{second.log_text()}")
        shown = json.loads(second.run("inbox", "--json"))
        self.assertEqual((shown["body"], shown["from"]), ("are you next door?", first.id))
        wait_until(lambda: second.neighbours() == 1, 20, "the recipient has not heard the sender")
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
        self.assertEqual((speaker.neighbours(), silent.neighbours()), (0, 0))
        silent.stop()
        silent.start()  # The same node at the same place, allowed to speak, is heard.
        while listener.stdout.readline().split()[0] != silent.address:
            pass
        wait_until(lambda: speaker.neighbours() == 1 and silent.neighbours() == 1, 20, "they did not hear each other")


if __name__ == "__main__":
    unittest.main()
