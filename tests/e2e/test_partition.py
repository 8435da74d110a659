"""Real nodes that are split: two of five stop, or a cable between three and three is cut. They say so, go on, and say
what was merged."""

import json
import os
import pathlib
import signal
import tempfile
import threading
import unittest

from daemon import Daemon, command, wait_until
from events import Events
from spaces import Node, ip, why_not

NODES = 5
TOPIC = "members"


class Subscriber(threading.Thread):
    """Reads the events of a node until it is closed: who does not answer for a minute is none any more."""

    def __init__(self, node):
        super().__init__()
        self.events = Events(node.directory, f"partition&topic={TOPIC}")
        self.states = []
        self.is_over = threading.Event()
        self.start()

    def run(self):
        while not self.is_over.is_set():
            try:
                event = self.events.next(1)
            except OSError:
                return  # The node has gone.
            if event is not None and event["kind"] == "partition":
                self.states.append(event["state"])

    def close(self):
        self.is_over.set()
        self.join()
        self.events.close()


class PartitionTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-partition-")
        root = pathlib.Path(self.folder.name)
        self.nodes = [Daemon(root / f"node{i}").init() for i in range(NODES)]
        self.stopped = []
        self.subscribers = []
        for node in self.nodes:
            settings = node.directory / "ekiden.toml"
            text = settings.read_text()
            text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
            settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
        for node in self.nodes:
            first = self.nodes[0]
            through = [] if node is first else ["--bootstrap", f"{first.id}@{first.endpoint}"]
            node.start("--no-lan", *through)
        # Members of a topic have links to each other.
        self.subscribers = [Subscriber(node) for node in self.nodes]

    def tearDown(self):
        for node in self.stopped:
            os.kill(node.process.pid, signal.SIGCONT)
        for subscriber in self.subscribers:
            subscriber.close()
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def network(self, node):
        with node.api() as api:
            return api.call("GET", "/v1/partition")

    def test_a_split_is_told_and_healed(self):
        wait_until(lambda: all(self.network(node)["here"] == NODES for node in self.nodes), 180,
                   lambda: f"not all know each other: {[self.network(node) for node in self.nodes]}")
        # Each has two neighbours or more on either side, then: one that names somebody counts for nothing.
        wait_until(lambda: all(self.network(node)["neighbours_well"] >= 3 for node in self.nodes), 180,
                   lambda: f"not all have links to each other: {[self.network(node) for node in self.nodes]}")
        self.assertEqual([self.network(node)["state"] for node in self.nodes], ["whole"] * NODES)
        here, there = self.nodes[:3], self.nodes[3:]
        for node in there:
            os.kill(node.process.pid, signal.SIGSTOP)
            self.stopped.append(node)
        for node in here:
            wait_until(lambda: self.network(node)["state"] == "split" and self.network(node)["away"] == 2, 30,
                       lambda: f"no split is seen: {self.network(node)}")
            node.wait_logged("network: split: ")
        status = self.network(here[0])
        self.assertEqual({peer["peer"] for peer in status["other_side"]}, {node.id for node in there})
        said = command("partition", "status", "--data-dir", here[0].directory).stdout
        self.assertIn("split since ", said)
        self.assertIn("2 peers on the other side:", said)
        self.assertIn(there[0].id, said)

        while self.stopped:
            os.kill(self.stopped.pop().process.pid, signal.SIGCONT)
        for node in here:
            wait_until(lambda: self.network(node)["state"] == "whole", 90,
                       lambda: f"it is not healed: {self.network(node)}")
            node.wait_logged("network: whole again after ")
        last = self.network(here[0])["history"][-1]
        self.assertEqual((last["state"], last["healed"]["away"], last["healed"]["back"]), ("whole", 2, 2))
        lines = command("partition", "history", "--json", "--data-dir", here[0].directory).stdout.splitlines()
        states = [json.loads(line)["state"] for line in lines]
        self.assertEqual((states[0], states[-1]), ("whole", "whole"))
        self.assertIn("split", states)
        self.assertIn("healing", states)
        wait_until(lambda: {"split", "healing", "whole"} <= set(self.subscribers[0].states), 10,
                   lambda: f"events tell of {self.subscribers[0].states} alone")


@unittest.skipIf(why_not(), why_not() or "")
class CableTest(unittest.TestCase):
    """Two network namespaces, joined by a cable, with three nodes in each."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-cable-")
        self.addCleanup(self.folder.cleanup)
        self.spaces = [f"ekiden-{side}-{os.getpid()}" for side in ("west", "east")]
        for space in self.spaces:
            self.must("netns", "add", space)
            self.addCleanup(ip, "netns", "delete", space)
        self.must("link", "add", "cable", "netns", self.spaces[0], "type", "veth", "peer", "name", "cable", "netns",
                  self.spaces[1])
        self.sides = []
        for number, space in enumerate(self.spaces, 1):
            self.must("-n", space, "address", "add", f"10.78.0.{number}/24", "dev", "cable")
            for name in ("lo", "cable"):
                self.must("-n", space, "link", "set", name, "up")
            self.sides.append([self.node(space, f"10.78.0.{number}", 7420 + place) for place in range(3)])
        self.nodes = [node for side in self.sides for node in side]
        first = self.nodes[0]
        for node in self.nodes:
            self.addCleanup(node.stop)
            through = [] if node is first else ["--bootstrap", f"{first.id}@tcp://10.78.0.1:7420"]
            node.start("--no-lan", *through)
        # Members of a topic have links to each other.
        for node in self.nodes:
            self.addCleanup(self.end, node.follow("topic", "sub", TOPIC))

    @staticmethod
    def end(process):
        process.terminate()
        process.wait(timeout=20)

    def must(self, *words):
        done = ip(*words)
        if done.returncode != 0:
            self.skipTest(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def node(self, space, address, port):
        node = Node(space, pathlib.Path(self.folder.name) / f"node-{address}-{port}", address)
        settings = node.directory / "ekiden.toml"
        lines = settings.read_text().replace('private_network = "off"', 'private_network = "on"').splitlines()
        listen = json.dumps([f"{form}://{address}:{port}" for form in ("tcp", "udp")])
        settings.write_text("\n".join(f"listen = {listen}" if line.startswith("listen = [\"tcp") else line
                                      for line in lines) + "\n")
        return node

    @staticmethod
    def network(node):
        return json.loads(node.run("partition", "status", "--json") or "{}")

    def put(self, node, name):
        self.assertIsNotNone(node.run("registry", "put", name, "here"), node.last_error)

    @staticmethod
    def entries(node):
        lines = (node.run("registry", "list", "--json") or "").splitlines()
        return {(entry["owner"], entry["name"], entry.get("value")) for entry in map(json.loads, lines)}

    def wait_for_all(self, is_so, seconds, what):
        for node in self.nodes:
            wait_until(lambda: is_so(node), seconds, lambda: f"{node.log_text()}\n{what}: {self.network(node)}")

    def test_both_sides_go_on_and_say_what_was_merged(self):
        for place, node in enumerate(self.nodes):
            self.put(node, f"before/{place}")
        self.wait_for_all(lambda node: self.network(node).get("here") == 6, 180, "not all know each other")
        self.wait_for_all(lambda node: len(self.entries(node)) == 6, 90, "not all have all entries")
        # Two of four are on the other side at least; of a member that one neighbour alone misses, nobody is sure.
        self.wait_for_all(lambda node: self.network(node).get("neighbours_well", 0) >= 4, 180, "too few links")
        self.must("-n", self.spaces[0], "link", "set", "cable", "down")
        self.wait_for_all(lambda node: (self.network(node).get("state"), self.network(node).get("away")) ==
                          ("split", 3), 30, "no split is seen")
        written = {}
        for side, count in zip(self.sides, (2, 3)):
            for number in range(count):
                self.put(side[number], f"meanwhile/{number}")
            written[side[0].space] = count
            for node in side:
                wait_until(lambda: len(self.entries(node)) == 6 + count, 30, "a side does not go on by itself")
        self.must("-n", self.spaces[0], "link", "set", "cable", "up")
        self.wait_for_all(lambda node: self.network(node).get("state") == "whole", 90, "it is not healed")
        self.wait_for_all(lambda node: len(self.entries(node)) == 6 + 2 + 3, 30, "not all have all entries")
        self.assertEqual([self.entries(node) for node in self.nodes], [self.entries(self.nodes[0])] * 6)
        for node in self.nodes:
            healed = json.loads(node.run("partition", "history", "--json").splitlines()[-1])["healed"]
            other = written[self.spaces[1 - self.spaces.index(node.space)]]
            self.assertEqual((healed["away"], healed["back"], healed["merged"], healed["conflicts"]), (3, 3, other, 0))
            self.assertIn(f"merged {other} with 0 conflicts", node.run("partition", "history"))


if __name__ == "__main__":
    unittest.main()
