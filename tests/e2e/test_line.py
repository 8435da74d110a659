"""Five hosts in a row, each in a network namespace that reaches only the one before it and the one behind it."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from daemon import command, wait_until
from spaces import Node, ip, why_not

COUNT = 5


def address(cable, side):
    """Of the host at one end (0 or 1) of the cable behind host `cable`."""
    return f"10.78.{cable}.{side + 1}"


@unittest.skipIf(why_not(), why_not() or "")
class LineTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-line-")
        self.addCleanup(self.folder.cleanup)
        self.spaces = [f"ekiden-line{i}-{os.getpid()}" for i in range(COUNT)]
        for space in self.spaces:
            self.must("netns", "add", space)
            self.addCleanup(ip, "netns", "delete", space)
            self.must("-n", space, "link", "set", "lo", "up")
        for i in range(COUNT - 1):
            self.must("link", "add", "behind", "netns", self.spaces[i], "type", "veth", "peer", "name", "before",
                      "netns", self.spaces[i + 1])
            for side, name in ((0, "behind"), (1, "before")):
                space = self.spaces[i + side]
                self.must("-n", space, "address", "add", f"{address(i, side)}/30", "dev", name)
                self.must("-n", space, "link", "set", name, "up")
        self.nodes = [self.make(i) for i in range(COUNT)]
        for node in self.nodes:
            self.addCleanup(node.stop)
            node.start(*node.flags)
        for i, node in enumerate(self.nodes):
            wanted = {self.nodes[other].id for other in (i - 1, i + 1) if 0 <= other < COUNT}
            wait_until(lambda: wanted <= self.linked(node), 60,
                       lambda: f"{node.log_text()}\nhas no links to those beside it")

    def make(self, i):
        node = Node(self.spaces[i], pathlib.Path(self.folder.name) / f"node{i}")
        addresses = ([address(i - 1, 1)] if i > 0 else []) + ([address(i, 0)] if i < COUNT - 1 else [])
        endpoints = [f"{transport}://{at}:7420" for at in addresses for transport in ("tcp", "udp")]
        settings = node.directory / "ekiden.toml"
        lines = []
        for line in settings.read_text().splitlines():
            if line.startswith("advertise = "):
                line = "advertise = " + json.dumps(endpoints)
            line = line.replace('private_network = "off"', 'private_network = "on"')
            lines.append(line.replace('strangers = "queue"', 'strangers = "accept"'))
        settings.write_text("\n".join(lines) + "\n")
        node.flags = ["--no-lan"]
        if i > 0:
            before = self.nodes_so_far[-1]
            node.flags += ["--bootstrap", f"{before.id}@tcp://{address(i - 1, 0)}:7420"]
        self.nodes_so_far = getattr(self, "nodes_so_far", []) + [node]
        return node

    def must(self, *words):
        done = ip(*words)
        if done.returncode != 0:
            self.skipTest(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def linked(self, node):
        shown = json.loads(node.run("status", "--json"))
        return {link["peer"] for link in shown["links"]}

    def send(self, sender, recipient, text, *flags):
        sent = sender.run("send", recipient.id, text, "--json", *flags)
        self.assertIsNotNone(sent, sender.last_error)
        return json.loads(sent)["id"]

    def trace(self, node, message):
        return json.loads(node.run("trace", message, "--json"))

    def wait_delivered(self, sender, message, seconds=90):
        wait_until(lambda: self.trace(sender, message)["state"] == "delivered", seconds,
                   lambda: f"{self.logs()}\n{json.dumps(self.trace(sender, message), indent=1)}\nis not delivered")
        return self.trace(sender, message)

    def logs(self):
        return "\n".join(f"--- {node.space}\n{node.log_text()[-3000:]}" for node in self.nodes)

    def test_messages_pass_from_end_to_end(self):
        first, *_, last = self.nodes
        message = self.send(first, last, "along the line")
        trace = self.wait_delivered(first, message)
        self.assertEqual([hop["by"] for hop in trace["path"]], [node.id for node in self.nodes[:-1]])
        self.assertIn(self.nodes[2].id, first.run("trace", message))
        shown = json.loads(last.run("inbox", "--json"))
        self.assertEqual((shown["body"], shown["from"]), ("along the line", first.id))
        self.check_receipt(first, message)
        self.assertGreaterEqual(json.loads(self.nodes[2].run("relay", "status", "--json"))["counters"]["taken"], 1)

        back = self.send(last, first, "and back")
        self.assertEqual(len(self.wait_delivered(last, back)["path"]), COUNT - 1)

    def check_receipt(self, sender, message):
        file = pathlib.Path(self.folder.name) / "proof.json"
        self.assertIsNotNone(sender.run("receipt", "export", message, "--output", str(file)), sender.last_error)
        shown = json.loads(command("receipt", "verify", file, "--json").stdout)
        self.assertEqual([hop["by"] for hop in shown["path"]], [node.id for node in self.nodes[:-1]])

    def test_a_cut_and_a_killed_relay_only_delay(self):
        first, second, middle, _, last = self.nodes
        self.wait_delivered(first, self.send(first, last, "before"))
        self.must("-n", self.spaces[1], "link", "set", "behind", "down")
        held = [self.send(first, last, f"meanwhile {i}") for i in range(5)]
        middle.kill()
        self.must("-n", self.spaces[1], "link", "set", "behind", "up")
        middle.start(*middle.flags)
        for message in held:
            self.wait_delivered(first, message, 180)
        read = [json.loads(line)["body"] for line in last.run("inbox", "--json").splitlines()]
        self.assertEqual(sorted(read), sorted(["before", *(f"meanwhile {i}" for i in range(5))]))

    def test_a_way_that_carries_nothing_in_one_direction_only_delays(self):
        first, *_, last = self.nodes
        self.wait_delivered(first, self.send(first, last, "before"))
        self.shape(2, "blackhole")
        held = self.send(first, last, "not one way")
        self.must("netns", "exec", self.spaces[2], "tc", "qdisc", "delete", "dev", "behind", "root")
        self.wait_delivered(first, held, 180)

    def test_messages_pass_over_a_slow_and_lossy_line(self):
        for i in range(COUNT - 1):
            self.shape(i, "netem", "delay", "20ms", "5ms", "loss", "2%")
        first, *_, last = self.nodes
        for i in range(3):
            self.wait_delivered(first, self.send(first, last, f"slowly {i}"), 180)

    def shape(self, host, *how):
        words = ["tc", "qdisc", "replace", "dev", "behind", "root", *how]
        done = subprocess.run(["ip", "netns", "exec", self.spaces[host], *words], capture_output=True, text=True,
                              timeout=30)
        if done.returncode != 0:
            self.skipTest(f"no {how[0]} here: {done.stderr.strip()}")

    def test_a_relay_that_is_switched_off_hands_on_nothing(self):
        first, _, middle, _, last = self.nodes
        self.assertIn("off", middle.run("relay", "off") and middle.run("relay", "status"))
        self.assertIsNone(first.run("send", last.id, "no way", "--wait", "delivered", "--timeout", "5s"))
        middle.stop()
        middle.start(*middle.flags)
        self.assertFalse(json.loads(middle.run("relay", "status", "--json"))["forwards"], "forgotten in a restart")
        middle.run("relay", "on")
        wait_until(lambda: first.run("outbox", "--state", "delivered", "--json"), 180, lambda: self.logs())


if __name__ == "__main__":
    unittest.main(verbosity=2)
