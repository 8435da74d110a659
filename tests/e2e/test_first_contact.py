"""Strangers between real nodes: their messages wait, are accepted or blocked, and nodes are killed in between."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from daemon import BINARY, Daemon, command, wait_until


class FirstContactTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-first-contact-")
        self.root = pathlib.Path(self.folder.name)
        self.alice, self.bob, self.carol = self.nodes = [
            Daemon(self.root / name).init() for name in ("alice", "bob", "carol")]
        for node in self.nodes:
            node.start("--no-lan")
        for stranger in (self.alice, self.carol):
            stranger.add_contact("bob", self.bob)

    def tearDown(self):
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def run_on(self, node, *words, **options):
        return command(*words, "--data-dir", node.directory, **options)

    def lines(self, node, *words):
        return [json.loads(line) for line in self.run_on(node, *words, "--json").stdout.splitlines()]

    def write(self, sender, text):
        self.run_on(sender, "send", "bob", text, "--wait", "delivered", "--timeout", "20s")

    def restart(self, node):
        node.kill()
        node.start("--no-lan")

    def test_messages_wait_and_arrive_in_order_through_kills(self):
        for i in range(1, 4):
            self.write(self.alice, f"letter {i}")
            self.restart(self.bob)
        self.assertEqual(self.lines(self.bob, "inbox"), [])
        request, = self.lines(self.bob, "contact", "requests")
        self.assertEqual((request["peer"], request["messages"], request["text"]), (self.alice.id, 3, "letter 1"))
        shown = self.run_on(self.bob, "contact", "requests").stdout
        self.assertIn(self.alice.id, shown)
        self.assertIn("letter 1", shown)
        self.assertIn("contact requests", self.run_on(self.bob, "status").stdout)

        self.run_on(self.bob, "contact", "accept", self.alice.id, "alice")
        self.bob.kill()
        self.bob.start("--no-lan")
        read = self.lines(self.bob, "inbox")
        self.assertEqual([message["body"] for message in read], ["letter 1", "letter 2", "letter 3"])
        self.assertEqual({message["tier"] for message in read}, {"contact"})
        self.run_on(self.bob, "contact", "trust", "alice")
        self.write(self.alice, "letter 4")
        self.assertIn("  trusted", self.run_on(self.bob, "inbox").stdout)
        self.run_on(self.bob, "contact", "trust", "alice", "--off")
        self.assertEqual(self.lines(self.bob, "contact", "list")[0]["tier"], "contact")
        self.assertEqual(self.lines(self.bob, "contact", "requests"), [])

    def test_a_blocked_peer_is_dropped_and_told_so(self):
        self.write(self.carol, "spam")
        self.run_on(self.bob, "contact", "block", self.carol.id)
        self.restart(self.bob)
        self.assertEqual(self.lines(self.bob, "contact", "requests"), [])
        self.assertTrue(self.lines(self.bob, "contact", "list")[0]["blocked"])
        sent, = self.lines(self.carol, "send", "bob", "more spam")
        steps = lambda: self.lines(self.carol, "trace", sent["id"])[0]["steps"]
        wait_until(lambda: "takes no messages of this node" in steps()[-1]["what"], 20,
                   lambda: f"{steps()}\nno refusal")
        refused = self.run_on(self.bob, "contact", "accept", self.carol.id, "carol", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("unblock", refused.stderr)
        self.assertEqual(self.lines(self.bob, "inbox"), [])

        self.run_on(self.bob, "contact", "unblock", self.carol.id)
        self.run_on(self.bob, "contact", "accept", self.carol.id)
        self.run_on(self.carol, "trace", sent["id"], "--retry")
        wait_until(lambda: [each["body"] for each in self.lines(self.bob, "inbox", "--peek")] == ["more spam"], 20,
                   "what was refused does not come after the peer is unblocked")

    def test_whoever_was_written_to_may_answer(self):
        self.write(self.alice, "first")
        self.run_on(self.bob, "send", self.alice.id, "who are you?")
        self.restart(self.bob)
        self.write(self.alice, "alice")
        read = self.lines(self.bob, "inbox")
        self.assertEqual([(each["body"], each["tier"]) for each in read],
                         [("first", "stranger"), ("alice", "stranger")])

    def test_a_reader_that_follows_gets_what_is_released(self):
        self.bob.add_contact("alice", self.alice)
        self.write(self.carol, "1")
        self.write(self.carol, "2")
        with subprocess.Popen([BINARY, "inbox", "--follow", "--json", "--limit", "3", "--data-dir",
                               str(self.bob.directory)], stdout=subprocess.PIPE, text=True) as reader:
            self.write(self.alice, "a contact's")
            self.assertEqual(json.loads(reader.stdout.readline())["body"], "a contact's")
            self.run_on(self.bob, "contact", "accept", self.carol.id, "carol", "--trusted")
            self.assertEqual([json.loads(reader.stdout.readline())["body"] for _ in range(2)], ["1", "2"])
            self.assertEqual(reader.wait(timeout=20), 0)

    def test_the_setting_accepts_or_refuses_strangers_and_questions_never_wait(self):
        settings = self.bob.directory / "ekiden.toml"
        text = settings.read_text()
        self.assertIn('strangers = "queue"', text)
        settings.write_text(text.replace('strangers = "queue"', 'strangers = "accept"'))
        self.restart(self.bob)
        self.write(self.alice, "hello")
        self.assertEqual([each["body"] for each in self.lines(self.bob, "inbox")], ["hello"])
        settings.write_text(text.replace('strangers = "queue"', 'strangers = "refuse"'))
        self.restart(self.bob)
        sent, = self.lines(self.carol, "send", "bob", "hello")
        steps = lambda: self.lines(self.carol, "trace", sent["id"])[0]["steps"]
        wait_until(lambda: "takes no messages of this node" in steps()[-1]["what"], 20,
                   lambda: f"{steps()}\nno refusal")
        with subprocess.Popen([BINARY, "serve", "--capability", "text/upper", "--exec", "tr a-z A-Z", "--json",
                               "--data-dir", str(self.bob.directory)], stdout=subprocess.PIPE, text=True) as serve:
            json.loads(serve.stdout.readline())
            self.assertIn("WHO", self.run_on(self.alice, "ask", "bob", "who", "--timeout", "20s").stdout)
            serve.terminate()


if __name__ == "__main__":
    unittest.main()
