"""The registry between three real nodes: put on one, read on the others, a crash, removals, conflicts, ends."""

import json
import subprocess
import unittest

from daemon import BINARY, ApiError, command, wait_until
from network import NetworkTest

NAME = "printers/third-floor"


class RegistryTest(NetworkTest):
    def run_on(self, node, *words, **options):
        return command("registry", *words, "--data-dir", node.directory, **options)

    def entries(self, node, *words):
        done = self.run_on(node, *(words or ["list"]), "--json", check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def values(self, node, name=NAME):
        return sorted(entry.get("value", "") for entry in self.entries(node, "get", name))

    def wait_for(self, node, values, seconds=90, name=NAME):
        # Who has found one member alone searches for others after a minute at the latest.
        wait_until(lambda: self.values(node, name) == values, seconds,
                   lambda: f"{node.directory.name} has {self.values(node, name)} instead of {values}")

    def test_what_one_puts_all_have_also_after_a_crash_and_what_it_removes_is_gone(self):
        first, second, third = self.nodes
        self.run_on(first, "put", NAME, "tcp://10.0.3.9:631", "--capability", "print/colour", "--meta", "paper=a4")
        self.run_on(second, "put", "ocr", "here", "--capability", "ocr")
        for node in self.nodes:
            self.wait_for(node, ["tcp://10.0.3.9:631"])
            self.wait_for(node, ["here"], name="ocr")
        found = self.entries(third, "find", "--capability", "print", "--where", "paper=a4")
        self.assertEqual([(entry["name"], entry["owner"]) for entry in found], [(NAME, first.id)])
        self.assertEqual(self.entries(third, "find", "--capability", "print", "--where", "paper=a3"), [])

        # What was acknowledged is on the disk, and nothing else is left of the process.
        self.run_on(first, "put", "last", "words")
        first.kill()
        self.run_on(second, "remove", "ocr")
        self.wait_for(third, [], name="ocr")
        self.start(first)
        self.assertEqual(self.values(first), ["tcp://10.0.3.9:631"])
        # It was there a moment only, and nobody's record says where: those who joined through it know.
        self.wait_for(third, ["words"], name="last")
        self.wait_for(first, [], name="ocr")

        # A node that missed the removal does not bring it back, nor does one that had the entry on its disk.
        third.kill()
        self.run_on(first, "remove", NAME)
        self.start(third)
        self.wait_for(third, [])
        for node in self.nodes:
            self.wait_for(node, [])
            self.assertEqual([entry["name"] for entry in self.entries(node)], ["last"])

    def test_a_shared_name_shows_what_was_written_at_the_same_time(self):
        first, second, _ = self.nodes
        for node, other in ((first, second), (second, first)):
            node.add_contact("other", other)
        self.run_on(first, "put", "leader", "none", "--writer", "other")
        self.wait_for(second, ["none"], name="leader")
        second.kill()
        self.run_on(first, "put", "leader", "first", "--writer", "other")
        first.kill()
        self.nodes[2].stop()
        # Each is alone, and has not seen the other.
        self.start(second)
        self.run_on(second, "put", "leader", "second", "--owner", "other")
        self.start(first)
        for node in (first, second):
            self.wait_for(node, ["first", "second"], name="leader")
        conflicts = [json.loads(line) for line in self.run_on(first, "conflicts", "--json").stdout.splitlines()]
        self.assertEqual([(conflict["name"], conflict["open"], len(conflict["values"])) for conflict in conflicts],
                         [("leader", True, 2)])
        self.assertIn("[one of 2]", self.run_on(second, "get", "leader").stdout)
        self.run_on(first, "put", "leader", "first again", "--writer", "other")
        for node in (first, second):
            self.wait_for(node, ["first again"], name="leader")
        settled = [json.loads(line) for line in self.run_on(first, "conflicts", "--json").stdout.splitlines()]
        self.assertEqual([(conflict["open"], conflict["settled_by"]) for conflict in settled], [(False, first.id)])

    def test_an_entry_ends_unless_it_is_renewed(self):
        first, second, _ = self.nodes
        self.run_on(first, "put", "kept", "here", "--ttl", "3s", "--renew")
        self.wait_for(second, ["here"], name="kept")
        self.run_on(first, "put", "brief", "here", "--ttl", "5s")
        self.wait_for(second, ["here"], name="brief")
        self.wait_for(second, [], 20, name="brief")
        # By now it has been renewed; when its owner is gone, it ends.
        self.assertEqual(self.values(second, "kept"), ["here"])
        first.kill()
        self.wait_for(second, [], 20, name="kept")

    def test_what_is_offered_is_in_the_registry_and_what_is_there_is_found(self):
        first, second, third = self.nodes
        command("capability", "add", "ocr/latin", "--data-dir", first.directory)
        self.run_on(first, "put", "scanner", "room 3", "--capability", "scan")
        for node in (second, third):
            def names():
                return [(entry["name"], entry["owner"]) for entry in self.entries(node, "find", "--capability", "ocr")]

            wait_until(lambda: names() == [("ekiden/offer/ocr/latin", first.id)], 90, "the offer is not there")
        self.assertEqual(sorted(entry["name"] for entry in self.entries(third)), ["ekiden/offer/ocr/latin", "scanner"])

        def owners(capability):
            done = command("find", capability, "--json", "--data-dir", third.directory, check=False)
            return [owner["peer"] for owner in json.loads(done.stdout).get("owners", [])]

        wait_until(lambda: owners("scan") == [first.id], 60, "the entry is not announced")
        shown = command("capability", "list", "--json", "--data-dir", first.directory).stdout.splitlines()
        self.assertEqual([(offer["capability"], offer["of"]) for offer in map(json.loads, shown)],
                         [("ocr/latin", "owner"), ("scan", "registry")])
        refused = self.run_on(first, "put", "ekiden/record", "mine", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("ekiden capability add", refused.stderr)

        command("capability", "remove", "ocr/latin", "--data-dir", first.directory)
        self.run_on(first, "remove", "scanner")
        wait_until(lambda: self.entries(third) == [], 60, lambda: f"still there: {self.entries(third)}")
        wait_until(lambda: owners("scan") == [], 60, "the entry is still announced")

    def test_the_command_watches_and_explains(self):
        first, second, _ = self.nodes
        self.run_on(first, "put", "one", "1")
        self.wait_for(second, ["1"], name="one")
        output = self.root / "watched"
        with open(output, "w") as target:
            watching = subprocess.Popen([BINARY, "registry", "watch", "two", "-n", "2", "--json", "--data-dir",
                                         str(second.directory)], stdin=subprocess.DEVNULL, stdout=target)
            self.addCleanup(watching.wait, 20)
            self.addCleanup(watching.kill)
            # It begins some time: what is put again and again is seen.
            count = iter(range(100_000))

            def is_seen():
                self.run_on(first, "put", "two", str(next(count)))
                return '"two"' in output.read_text()

            wait_until(is_seen, 60, "nothing is watched")
            self.run_on(first, "remove", "two")
            self.assertEqual(watching.wait(timeout=30), 0)
        seen = [json.loads(line) for line in output.read_text().splitlines()]
        self.assertEqual([event["name"] for event in seen], ["two", "two"])
        self.assertEqual(seen[0]["owner"], first.id)
        missing = self.run_on(second, "get", "nowhere", check=False)
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("as far as this node has heard", missing.stderr)
        with first.api() as api:
            with self.assertRaises(ApiError) as refused:
                api.call("PUT", "/v1/registry/No%20Name", {"value": "x"})
            self.assertEqual(refused.exception.problem["code"], "invalid-argument")
            with self.assertRaises(ApiError) as refused:
                api.call("PUT", "/v1/registry/large", {"value": "x" * 1025})
            self.assertEqual(refused.exception.status, 413)
            with self.assertRaises(ApiError) as refused:
                api.call("DELETE", "/v1/registry/nowhere")
            self.assertEqual(refused.exception.status, 404)


if __name__ == "__main__":
    unittest.main()
