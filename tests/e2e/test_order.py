"""Conversations between real nodes: the order of what is sent, gaps that are told, nodes killed in between."""

import json
import pathlib
import tempfile
import unittest

from daemon import Daemon, command, wait_until


class OrderTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-order-")
        root = pathlib.Path(self.folder.name)
        self.alice, self.bob = self.nodes = [Daemon(root / name).init() for name in ("alice", "bob")]
        for node in self.nodes:
            node.start("--no-lan")
        self.alice.add_contact("bob", self.bob)
        self.bob.add_contact("alice", self.alice)

    def tearDown(self):
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def run_on(self, node, *words, **options):
        return command(*words, "--data-dir", node.directory, **options)

    def lines(self, node, *words):
        return [json.loads(line) for line in self.run_on(node, *words, "--json").stdout.splitlines()]

    def send(self, text, *flags):
        return self.lines(self.alice, "send", "bob", text, *flags)[0]["id"]

    def restart(self, node):
        node.kill()
        node.start("--no-lan")

    def state(self, message):
        return self.lines(self.alice, "trace", message)[0]["state"]

    def wait_for(self, message, state):
        wait_until(lambda: self.state(message) == state, 60, lambda: f"the message is {self.state(message)}")

    def test_priorities_do_not_break_the_order_of_a_conversation(self):
        self.bob.kill()
        priorities = ("background", "low", "normal", "high", "critical")
        sent = [self.send(f"{name} {i}", "--priority", priority, *flags)
                for i, priority in enumerate(priorities)
                for name, flags in (("tea", ("--conversation", "tea")), ("plain", ()))]
        sent.append(self.send("aside", "--unordered"))
        self.restart(self.alice)
        self.bob.start("--no-lan")
        for message in sent:
            self.wait_for(message, "delivered")
        self.restart(self.bob)
        read = self.lines(self.bob, "inbox")
        for name, conversation in (("tea", "tea"), ("plain", None)):
            mine = [message for message in read if message["ordered"] and message.get("conversation") == conversation]
            self.assertEqual([message["body"] for message in mine], [f"{name} {i}" for i in range(5)])
        self.assertEqual([message["body"] for message in read if not message["ordered"]], ["aside"])
        self.assertEqual([message for message in read if "missing" in message or "late" in message], [])

    def test_a_gap_is_told(self):
        self.bob.kill()
        lost = [self.send(f"step {i}", "--conversation", "build", "--ttl", "1s") for i in (1, 2)]
        for message in lost:
            self.wait_for(message, "expired")
        self.restart(self.alice)
        after = [self.send("step 3", "--conversation", "build"), self.send("step 4", "--conversation", "build"),
                 self.send("hello")]
        self.bob.start("--no-lan")
        for message in after:
            self.wait_for(message, "delivered")
        page = {message["body"]: message for message in self.lines(self.bob, "inbox", "--peek")}
        self.assertEqual(page["step 3"]["missing"], 2)
        self.assertNotIn("missing", page["step 4"])
        self.assertNotIn("missing", page["hello"])
        shown = self.run_on(self.bob, "inbox").stdout
        self.assertIn("  in build\n  2 messages before this one did not come while it was valid\n  step 3\n", shown)

    def test_what_makes_no_sense_is_refused(self):
        both = self.run_on(self.alice, "send", "bob", "x", "--unordered", "--conversation", "tea", check=False)
        self.assertEqual(both.returncode, 2)
        long = self.run_on(self.alice, "send", "bob", "x", "--conversation", "x" * 65, check=False)
        self.assertNotEqual(long.returncode, 0)
        self.assertIn("conversation", long.stderr)
        volatile = self.run_on(self.alice, "send", "bob", "x", "--conversation", "tea", "--class", "volatile",
                               check=False)
        self.assertIn("only ordered messages belong to a conversation", volatile.stderr)
        shown = self.run_on(self.alice, "send", "--help").stdout
        self.assertIn("--conversation", shown)
        self.assertIn("--unordered", shown)


if __name__ == "__main__":
    unittest.main()
