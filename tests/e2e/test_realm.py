"""Realms between real nodes: an invitation, topics and a registry for members alone, a restart, another key."""

import json
import subprocess
import unittest

from daemon import BINARY, command, wait_until
from network import NetworkTest


class Subscriber:
    """`ekiden topic sub` in a process of its own, whose output and errors are read from files."""

    def __init__(self, node):
        self.output = node.directory.with_suffix(".heard")
        self.errors = node.directory.with_suffix(".errors")
        with open(self.output, "w") as output, open(self.errors, "w") as errors:
            self.process = subprocess.Popen(
                [BINARY, "topic", "sub", "news", "--realm", "kitchen", "--json", "--data-dir", str(node.directory)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors)

    def heard(self):
        """Whole lines alone: one may be on its way."""
        lines = self.output.read_text().splitlines(keepends=True)
        items = [json.loads(line) for line in lines if line.endswith("\n")]
        return [(item["topic"], item["realm"], item["body"]) for item in items]

    def end(self):
        self.process.kill()
        self.process.wait(timeout=20)


class RealmTest(NetworkTest):
    def run_on(self, node, *words, **options):
        return command(*words, "--data-dir", node.directory, **options)

    def realms(self, node):
        return {realm["name"]: realm
                for realm in map(json.loads, self.run_on(node, "realm", "list", "--json").stdout.splitlines())}

    def values(self, node, name, realm="kitchen"):
        done = self.run_on(node, "registry", "get", name, "--realm", realm, "--json", check=False)
        return [json.loads(line)["value"] for line in done.stdout.splitlines()]

    def wait_for(self, node, name, values):
        wait_until(lambda: self.values(node, name) == values, 90,
                   lambda: f"{node.directory.name} has {self.values(node, name)} instead of {values}")

    def invitation(self, node, *words):
        """What a command prints that makes or shows one: that alone, and what to do with it elsewhere."""
        done = self.run_on(node, "realm", *words)
        self.assertRegex(done.stdout, r"\Aekrealm1[a-z0-9]+\n\Z")
        self.assertIn("ekiden realm join -", done.stderr)
        return done.stdout.strip()

    def wait_for_members(self, *nodes):
        wait_until(lambda: all(self.realms(node)["kitchen"]["members"] == len(nodes) - 1 for node in nodes), 90,
                   "the members do not find each other")

    def listen(self, node):
        subscriber = Subscriber(node)
        self.addCleanup(subscriber.end)

        def listens():
            with node.api() as api:
                topics = api.call("GET", "/v1/topics")["topics"]
            return any((topic["topic"], topic["realm"], topic["subscribers"]) == ("news", "kitchen", 1)
                       for topic in topics)

        wait_until(listens, 30, lambda: f"it does not listen: {subscriber.errors.read_text()}")
        return subscriber

    def say(self, node, text):
        self.run_on(node, "topic", "pub", "news", text, "--realm", "kitchen")

    def wait_heard(self, subscriber, *texts):
        expected = [("news", "kitchen", text) for text in texts]
        wait_until(lambda: subscriber.heard() == expected, 90,
                   lambda: f"{subscriber.heard()} was heard instead of {expected}: {subscriber.errors.read_text()}")

    def test_members_share_what_nobody_else_has_and_the_next_key_closes_out_who_does_not_get_it(self):
        first, second, third = self.nodes
        invitation = self.invitation(first, "create", "kitchen", "--closed")
        self.assertEqual(self.invitation(first, "invite", "kitchen"), invitation)
        quiet = self.run_on(first, "realm", "invite", "kitchen", "--quiet")
        self.assertEqual((quiet.stdout, quiet.stderr), (invitation + "\n", ""))
        self.run_on(second, "realm", "join", "-", input=invitation + "\n")
        self.run_on(third, "realm", "join", "kitchen")  # An open one, of the same name.
        self.wait_for_members(first, second)
        self.assertEqual({node: self.realms(node)["kitchen"]["closed"] for node in self.nodes},
                         {first: True, second: True, third: False})
        self.assertNotIn("invitation", self.realms(first)["kitchen"])

        self.run_on(first, "registry", "put", "oven", "warm", "--realm", "kitchen")
        self.wait_for(second, "oven", ["warm"])
        self.assertEqual(self.values(third, "oven"), [])
        self.assertEqual(self.run_on(third, "registry", "list", "--json").stdout, "")
        subscriber = self.listen(second)
        self.say(first, "soup")
        self.wait_heard(subscriber, "soup")

        # It is on the disk, with the key.
        second.kill()
        self.start(second)
        self.assertEqual(self.values(second, "oven"), ["warm"])
        self.assertTrue(self.realms(second)["kitchen"]["closed"])

        changed = self.invitation(first, "change-key", "kitchen")
        self.assertNotEqual(changed, invitation)
        self.run_on(third, "realm", "leave", "kitchen")
        self.run_on(third, "realm", "join", changed)
        self.run_on(first, "registry", "put", "sink", "full", "--realm", "kitchen")
        self.wait_for(third, "sink", ["full"])
        self.wait_for(third, "oven", ["warm"])
        self.assertEqual((self.values(second, "sink"), self.values(second, "oven")), ([], ["warm"]))
        self.assertEqual(self.realms(second)["kitchen"]["members"], 0)

        self.run_on(third, "realm", "leave", "kitchen")
        self.assertEqual(self.realms(third), {})
        refused = self.run_on(third, "registry", "put", "a", "b", "--realm", "kitchen", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("not in the realm", refused.stderr)

    def test_a_subscriber_goes_on_with_the_next_key_and_ends_with_the_realm(self):
        first, second, _ = self.nodes
        invitation = self.invitation(first, "create", "kitchen", "--closed")
        self.run_on(second, "realm", "join", "-", input=f"{invitation}\nand so on, as letters do\n")
        self.wait_for_members(first, second)
        subscriber = self.listen(first)
        self.say(second, "soup")
        self.wait_heard(subscriber, "soup")

        changed = self.invitation(first, "change-key", "kitchen")
        self.run_on(second, "realm", "join", "-", input=changed + "\n")
        self.wait_for_members(first, second)
        self.say(second, "stew")
        self.wait_heard(subscriber, "soup", "stew")

        self.run_on(first, "realm", "leave", "kitchen")
        self.assertEqual(subscriber.process.wait(timeout=30), 1)
        self.assertIn("has left the realm", json.loads(subscriber.errors.read_text())["error"])

    def test_errors_say_what_to_do(self):
        node = self.nodes[0]
        self.run_on(node, "realm", "create", "hall")
        for words, says in ((("create", "hall", "--closed"), "leave that first"),
                            (("join", "Hall"), "lower-case"),
                            (("join", "ekrealm1qqqqqqqq"), "the invitation is not valid"),
                            (("join", "EKREALM1QQQQQQQQ"), "the invitation is not valid"),
                            (("join", "EkRealm1qqqqqqqq"), "the invitation is not valid"),
                            (("invite", "hall"), "is open"),
                            (("change-key", "hall"), "no key to change"),
                            (("leave", "nowhere"), "no realm")):
            done = self.run_on(node, "realm", *words, check=False)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(says, done.stderr, words)
            self.assertEqual(done.stdout, "", words)
            self.assertNotIn("qqqq", done.stderr.lower(), "it may be a secret")
        empty = self.run_on(node, "realm", "join", "-", check=False, input="\n")
        self.assertNotEqual(empty.returncode, 0)
        self.assertIn("ekiden realm invite", empty.stderr)
        self.run_on(node, "realm", "join", "hall")  # Again is fine.


if __name__ == "__main__":
    unittest.main()
