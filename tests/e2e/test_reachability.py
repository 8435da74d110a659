"""Real nodes learn which of their endpoints others can reach: dialled back by a peer before they are published."""

import json
import pathlib
import tempfile
import unittest

from daemon import Daemon, command, free_port, wait_until


class ReachabilityTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-reachability-")
        self.nodes = []

    def tearDown(self):
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def node(self, advertise=()):
        node = Daemon(pathlib.Path(self.folder.name) / f"node{len(self.nodes)}").init()
        settings = node.directory / "ekiden.toml"
        text = settings.read_text()
        text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
        text = text.replace("advertise = []", f"advertise = {json.dumps(list(advertise))}")
        settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
        self.nodes.append(node)
        return node

    @staticmethod
    def endpoints(node):
        with node.api() as api:
            return {known["endpoint"]: known for known in api.call("GET", "/v1/status")["endpoints"]}

    def wait_for_state(self, node, endpoint, state):
        wait_until(lambda: self.endpoints(node).get(endpoint, {}).get("state") == state, 60,
                   lambda: f"{node.log_text()}\n{endpoint} is not {state}: {self.endpoints(node)}")

    def published(self, seeker, sought):
        done = command("lookup", sought.id, "--json", "--data-dir", seeker.directory, check=False)
        return json.loads(done.stdout).get("record", {}).get("endpoints", []) if done.returncode == 0 else []

    def test_an_endpoint_is_published_once_a_peer_has_dialled_it_back(self):
        first, second = self.node(), self.node()
        first.start()
        self.assertEqual(self.endpoints(first)[first.endpoint]["state"], "candidate")
        second.start("--bootstrap", f"{first.id}@{first.endpoint}")
        for node in self.nodes:
            self.wait_for_state(node, node.endpoint, "verified")
        wait_until(lambda: first.endpoint in self.published(second, first), 60,
                   lambda: f"{first.log_text()}\nits record does not show its endpoint")
        shown = self.endpoints(first)[first.endpoint]
        self.assertTrue(shown["published"])
        self.assertEqual(shown["source"], "configured")
        self.assertIn("verified", shown)
        first.wait_logged("is reachable")
        self.assertIn("verified", command("status", "--data-dir", first.directory).stdout)
        first.stop()
        second.stop()
        first.start()
        self.assertEqual(self.endpoints(first)[first.endpoint]["state"], "verified", "it is remembered")

    def test_a_wrong_port_is_not_published_and_the_status_says_why(self):
        wrong = f"tcp://127.0.0.1:{free_port()}"
        first, second = self.node(), self.node(advertise=[wrong])
        first.start()
        second.start("--bootstrap", f"{first.id}@{first.endpoint}")
        self.wait_for_state(second, wrong, "unreachable")
        shown = self.endpoints(second)[wrong]
        self.assertFalse(shown["published"])
        self.assertIn("refused", shown["why"])
        self.assertEqual(shown["said_by"], first.id)
        text = command("status", "--data-dir", second.directory).stdout
        self.assertIn(wrong, text)
        self.assertIn(first.id, text)
        self.assertNotIn(wrong, self.published(first, second))

    def test_a_name_is_published_where_it_leads_to_its_node(self):
        first, second = self.node(), self.node()
        port = int(second.endpoint.rsplit(":", 1)[1])
        right, wrong = f"tcp://localhost:{port}", f"tcp://nobody.invalid:{port}"
        datagrams = f"udp://localhost:{port}"
        settings = second.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace("advertise = []",
                                                         f"advertise = {json.dumps([right, wrong, datagrams])}"))
        first.start()
        second.start("--bootstrap", f"{first.id}@{first.endpoint}")
        self.wait_for_state(second, right, "verified")
        self.wait_for_state(second, datagrams, "unreachable")
        wait_until(lambda: "does not resolve" in self.endpoints(second)[wrong].get("why", ""), 60,
                   lambda: f"{second.log_text()}\n{self.endpoints(second)}")
        self.assertFalse(self.endpoints(second)[wrong]["published"])
        wait_until(lambda: right in self.published(first, second), 60,
                   lambda: f"{second.log_text()}\nits record does not show the name")
        self.assertFalse({wrong, datagrams} & set(self.published(first, second)))


if __name__ == "__main__":
    unittest.main()
