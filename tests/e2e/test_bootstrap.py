"""Real nodes in a chain, each told the next alone: they discover the others; and what check and explain say of them."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from daemon import BINARY, Daemon, command, free_port, wait_until


class BootstrapTest(unittest.TestCase):
    COUNT = 3

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-bootstrap-")
        root = pathlib.Path(self.folder.name)
        self.nodes = [Daemon(root / f"node{i}").init() for i in range(self.COUNT)]
        for node in self.nodes:
            node.udp_port = free_port()
            settings = node.directory / "ekiden.toml"
            text = settings.read_text()
            text = text.replace(f'listen = ["{node.endpoint}"]',
                                f'listen = ["{node.endpoint}", "udp://127.0.0.1:{node.udp_port}"]')
            settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
            node.key = json.loads(self.run_on(node, "id", "--json").stdout)["public_key"]
        for node, after in zip(self.nodes, self.nodes[1:]):
            self.tell(node, after)

    def tearDown(self):
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    @staticmethod
    def run_on(node, *words, **options):
        return command(*words, "--data-dir", node.directory, **options)

    def tell(self, node, other):
        """The bootstrap file of a node: the other one, in a list that the other one has signed."""
        file = node.directory / "bootstrap_nodes.json"
        file.write_text(json.dumps({"format": "ekiden bootstrap nodes 1", "lists": [
            {"nodes": [{"public_key": other.key, "endpoints": [other.endpoint]}]}]}))
        self.run_on(other, "bootstrap", "sign", file)

    def start_all(self):
        """The last first, so that each finds the one that it was told."""
        for node in reversed(self.nodes):
            node.start()

    def discovered(self, node, *words):
        return json.loads(self.run_on(node, "bootstrap", "discover", "--json", *words).stdout)["nodes"]

    def up(self, node):
        return {found["peer"] for found in self.discovered(node) if found["up"]}

    def known(self, node):
        with node.api() as api:
            return api.call("GET", "/v1/peers")["nodes_total"]

    def test_each_is_told_the_next_and_the_first_finds_all(self):
        self.start_all()
        first, second, third = self.nodes
        wait_until(lambda: self.up(first) == {second.id, third.id}, 60,
                   lambda: f"{first.log_text()}\n{self.discovered(first)}\nnot all are found")
        found = {node["peer"]: node for node in self.discovered(first, "--wait", "10s")}
        self.assertEqual(found[second.id]["depth"], 0)
        self.assertIn("bootstrap_nodes.json", found[second.id]["source"])
        self.assertEqual(found[third.id]["depth"], 1)
        self.assertEqual(found[third.id]["signer"], second.id)
        self.assertGreater(found[third.id]["score"], 0)
        shown = self.run_on(first, "bootstrap", "discover").stdout
        self.assertIn(f"list of {second.id}", shown)

        # Who has run before joins without any bootstrap node.
        wait_until(lambda: self.known(first) >= 2, 60, lambda: f"{first.log_text()}\nknows too few")
        first.stop()
        second.stop()
        (first.directory / "bootstrap_nodes.json").unlink()
        first.start()
        wait_until(lambda: self.known(first) >= 1, 60, lambda: f"{first.log_text()}\nknows nobody")
        wait_until(lambda: third.id in self.up(first), 60, lambda: f"{first.log_text()}\nis not remembered")

    def check(self, *words, status=0):
        done = command("bootstrap", "check", *words, "--json", "--data-dir", self.nodes[0].directory, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_check_tries_every_endpoint(self):
        self.start_all()
        first, second, third = self.nodes
        rows, _ = self.check()
        self.assertEqual([(row["id"], row["endpoint"]) for row in rows], [(second.id, second.endpoint)])
        self.assertTrue(rows[0]["ok"])
        self.assertGreater(rows[0]["round_trip_us"], 0)

        wrong_port = f"tcp://127.0.0.1:{free_port()}"
        udp = f"udp://127.0.0.1:{third.udp_port}"
        rows, _ = self.check("--bootstrap", f"{third.key}@{udp},{third.key}@{wrong_port}")
        by_endpoint = {row["endpoint"]: row for row in rows}
        self.assertTrue(by_endpoint[udp]["ok"], rows)
        self.assertIn("refused", by_endpoint[wrong_port]["error"])

        rows, errors = self.check("--bootstrap", f"{second.id}@{third.endpoint}", status=1)
        self.assertFalse(rows[0]["ok"])
        self.assertIn("1 of 1 node", errors)
        shown = self.run_on(first, "bootstrap", "check").stdout
        self.assertIn("ok", shown)
        self.assertIn(second.endpoint, shown)
        leftovers = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("ekiden-") and
                     pathlib.Path(tempfile.gettempdir(), name, "both").exists()]
        self.assertEqual(leftovers, [], "the temporary node is gone")

    def test_check_ends_at_ctrl_c(self):
        # Nobody answers there, and nobody refuses.
        process = subprocess.Popen(
            [BINARY, "bootstrap", "check", "--bootstrap", f"{self.nodes[1].id}@tcp://192.0.2.1:7420", "--data-dir",
             str(self.nodes[0].directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watched = pathlib.Path(f"/proc/{process.pid}/status")

        def handles_interrupt():
            line = next(each for each in watched.read_text().splitlines() if each.startswith("SigCgt"))
            return int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1

        wait_until(lambda: process.poll() is not None or handles_interrupt(), 30, "no handler of signals")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, errors)

    def explain(self, peer, status=0):
        done = command("explain", peer, "--json", "--data-dir", self.nodes[0].directory, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_explain_names_the_step(self):
        self.start_all()
        first, second, third = self.nodes
        wait_until(lambda: self.known(first) >= 2, 60, lambda: f"{first.log_text()}\nknows too few")

        def reached():
            return [tried["endpoint"] for tried in self.explain(third.id)["addresses"] if tried["reachable"]]

        # Its record names an address once somebody has dialled it back.
        wait_until(lambda: third.endpoint in reached(), 60, lambda: f"{third.log_text()}\n{reached()}")
        shown = self.explain(third.id)
        self.assertTrue(shown["reachable"], shown)
        self.assertGreater(shown["record"]["sequence"], 0)
        self.assertTrue(any(step["had_value"] for step in shown["lookup"]["steps"]), shown["lookup"])
        self.assertIn("verdict", self.run_on(first, "explain", third.id).stdout)

        stranger = Daemon(pathlib.Path(self.folder.name) / "stranger").init()
        shown = self.explain(stranger.id, status=1)
        self.assertFalse(shown["reachable"])
        self.assertNotIn("record", shown)
        self.assertEqual(shown["lookup"]["problem"]["code"], "not-found")
        self.assertIn("nobody has a record", shown["advice"])

        wrong_port = f"tcp://127.0.0.1:{free_port()}"
        self.run_on(first, "contact", "add", "closed", stranger.id, "--endpoint", wrong_port)
        shown = self.explain("closed", status=1)
        self.assertEqual(shown["addresses"][0]["endpoint"], wrong_port)
        self.assertIn("refused", shown["addresses"][0]["problem"]["detail"])

        self.run_on(first, "contact", "remove", "closed")
        self.run_on(first, "contact", "add", "other", stranger.id, "--endpoint", second.endpoint)
        shown = self.explain("other", status=1)
        detail = shown["addresses"][0]["problem"]["detail"]
        self.assertIn(second.endpoint, detail)
        self.assertIn(f"the node there is {second.id}", detail)
        self.assertIn("NOT reachable", self.run_on(first, "explain", "other", check=False).stdout)


if __name__ == "__main__":
    unittest.main()
