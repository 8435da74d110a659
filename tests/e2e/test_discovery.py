"""Real nodes that know no addresses: they join through one of them, find each other, and send by id alone."""

import datetime
import json
import pathlib
import subprocess
import tempfile
import unittest

from daemon import BINARY, Daemon, command, wait_until


class DiscoveryTest(unittest.TestCase):
    COUNT = 6

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-discovery-")
        root = pathlib.Path(self.folder.name)
        self.nodes = [Daemon(root / f"node{i}").init() for i in range(self.COUNT)]
        for node in self.nodes:
            self.set_up(node)
        self.bootstrap = f"{self.nodes[0].id}@{self.nodes[0].endpoint}"
        for node in self.nodes:
            node.start("--bootstrap", self.bootstrap)
        for node in self.nodes:
            wait_until(lambda: self.known(node) >= self.COUNT - 1, 60, lambda: f"{node.log_text()}\nknows too few")

    def tearDown(self):
        for node in self.nodes:
            node.ask_to_stop()  # All at once, or each would look for those that are gone.
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    @staticmethod
    def set_up(node):
        settings = node.directory / "ekiden.toml"
        text = settings.read_text()
        text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
        settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))

    @staticmethod
    def run_on(node, *words, **options):
        return command(*words, "--data-dir", node.directory, **options)

    def known(self, node):
        with node.api() as api:
            return api.call("GET", "/v1/peers")["nodes_total"]

    def test_nodes_find_each_other_by_id(self):
        seeker, sought = self.nodes[1], self.nodes[4]

        def look_up():
            return json.loads(self.run_on(seeker, "lookup", sought.id, "--json").stdout)

        # Its endpoints stand there once somebody has dialled it back.
        wait_until(lambda: sought.endpoint in look_up()["record"]["endpoints"], 60,
                   lambda: f"{sought.log_text()}\n{look_up()}")
        shown = look_up()
        self.assertTrue(shown["found"])
        self.assertGreaterEqual(shown["answered"], 1)
        self.assertIn(sought.endpoint, self.run_on(seeker, "lookup", sought.id).stdout)
        self.assertIn(self.nodes[2].id, self.run_on(seeker, "peers").stdout)

    def line_about(self, node, other):
        """Of the table of `peers`."""
        lines = self.run_on(node, "peers").stdout.splitlines()
        found = [line for line in lines if line.split()[0] in (other.id, "other")]
        self.assertLessEqual(len(found), 1, "one line for each peer")
        return found[0] if found else ""

    def test_a_message_needs_no_address(self):
        sender, recipient = self.nodes[2], self.nodes[5]
        recipient.know("sender", sender)
        self.run_on(sender, "send", recipient.id, "found you", "--wait", "delivered")
        shown = json.loads(self.run_on(recipient, "inbox", "--json").stdout)
        self.assertEqual((shown["body"], shown["from"]), ("found you", sender.id))

    def test_peers_shows_links_and_explain_how_old_a_record_is(self):
        first, other = self.nodes[0], self.nodes[1]
        first.add_contact("other", other)
        wait_until(lambda: "linked" in self.line_about(first, other), 60,
                   lambda: f"{first.log_text()}\n{self.run_on(first, 'peers').stdout}")
        self.assertIn("in the DHT", self.line_about(first, other))
        self.assertRegex(self.line_about(first, other), r"linked over tcp \((in|out), up [0-9.]+ \w+")

        def link():
            links = json.loads(self.run_on(first, "peers", "--json").stdout)["links"]
            return next(link for link in links if link["peer"] == other.id)

        self.assertEqual((link()["name"], link()["transport"], link()["carries_traffic"]), ("other", "tcp", True))
        self.assertIn(link()["direction"], ("in", "out"))
        age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(link()["since"])
        self.assertAlmostEqual(link()["age_ms"] / 1000, age.total_seconds(), delta=30)
        # Who has made a link pings at once, the other side when it is silent.
        maker, peer = (first, other) if link()["direction"] == "out" else (other, first)

        def made():
            links = json.loads(self.run_on(maker, "peers", "--json").stdout)["links"]
            return [link for link in links if link["peer"] == peer.id and link["direction"] == "out"]

        wait_until(lambda: any(link.get("round_trip_us", 0) > 0 for link in made()), 60, made)
        sessions = json.loads(self.run_on(first, "peers", "--json").stdout)["datagram_sessions"]
        (session,) = [session for session in sessions if session["peer"] == other.id]
        self.assertRegex(session["remote"], r"^udp://127\.0\.0\.1:\d+$")
        self.assertEqual((session["transport"], session["name"]), ("udp", "other"))
        self.assertIn(session["direction"], ("in", "out"))
        self.assertGreater(session["age_ms"], 0)
        self.assertRegex(self.line_about(first, other), r"session over udp \((in|out), up ")
        explained = self.run_on(first, "explain", other.id, "--json", check=False)
        self.assertGreaterEqual(json.loads(explained.stdout)["record"]["age_ms"], 0)
        self.assertRegex(self.run_on(first, "explain", other.id, check=False).stdout, r"issued .* ago, expires ")

    def test_a_node_that_has_run_before_needs_no_bootstrap_node(self):
        node = self.nodes[3]
        node.stop()
        self.nodes[0].stop()
        node.start()
        wait_until(lambda: self.known(node) >= 2, 60, lambda: f"{node.log_text()}\nknows too few")
        self.run_on(node, "send", self.nodes[1].id, "back again", "--wait", "delivered")

    def test_agents_are_found_by_what_they_offer(self):
        offering, seeker = self.nodes[4], self.nodes[1]
        self.run_on(offering, "capability", "add", "translate/ja-en")
        shown = self.found(seeker, "translate")
        self.assertEqual([(owner["peer"], owner["capability"]) for owner in shown], [(offering.id, "translate/ja-en")])
        listed = json.loads(self.run_on(offering, "capability", "list", "--json").stdout)
        self.assertEqual(listed["capability"], "translate/ja-en")
        self.assertGreaterEqual(listed["holders"], 1)
        offering.kill()
        offering.start("--bootstrap", self.bootstrap)
        self.assertIn("translate/ja-en", self.run_on(offering, "capability", "list").stdout)
        self.run_on(offering, "capability", "remove", "translate/ja-en")
        done = self.run_on(offering, "capability", "remove", "translate/ja-en", check=False)
        self.assertEqual(done.returncode, 1)
        wait_until(lambda: not self.owners(seeker, "translate"), 30, "still found after it was withdrawn")

    def test_no_more_are_found_than_wanted(self):
        for offering in self.nodes[3:]:
            self.run_on(offering, "capability", "add", "ocr")
        seeker, offered = self.nodes[1], {node.id for node in self.nodes[3:]}
        wait_until(lambda: {owner["peer"] for owner in self.owners(seeker, "ocr")} == offered, 30,
                   lambda: f"not all are found: {self.owners(seeker, 'ocr')}")
        for limit in (1, 2, 3, 4):
            found = [owner["peer"] for owner in self.owners(seeker, "ocr", "--limit", str(limit))]
            self.assertEqual(len(found), min(limit, 3))
            self.assertEqual(len(set(found) & offered), len(found))
        for limit in ("0", "65", "many"):
            done = self.run_on(seeker, "find", "ocr", "--limit", limit, check=False)
            self.assertEqual((done.returncode, "--limit" in done.stderr), (2, True), done.stderr)

    def test_the_environment_names_whom_to_join_through(self):
        root = pathlib.Path(self.folder.name)
        node = Daemon(root / "environment", {"EKIDEN_BOOTSTRAP": self.bootstrap}).init()
        self.addCleanup(node.stop)
        self.set_up(node)
        node.start("--no-lan")
        wait_until(lambda: self.known(node) >= self.COUNT - 1, 60, lambda: f"{node.log_text()}\nknows too few")
        node.stop()

        # What stands in the command line counts alone.
        other = Daemon(root / "flag", {"EKIDEN_BOOTSTRAP": self.bootstrap}).init()
        self.addCleanup(other.stop)
        self.set_up(other)
        other.start("--no-lan", "--bootstrap", "none")
        shown = json.loads(self.run_on(other, "bootstrap", "discover", "--json").stdout)
        self.assertEqual((shown["nodes"], self.known(other)), ([], 0))

        wrong = Daemon(root / "wrong", {"EKIDEN_BOOTSTRAP": "ek1nobody@tcp://192.0.2.1:7420"}).init()
        wrong.start("--no-lan", wait=False)
        self.assertEqual(wrong.process.wait(timeout=60), 1)
        self.assertIn("EKIDEN_BOOTSTRAP", wrong.log_text())

    def test_who_offers_is_watched(self):
        offering, seeker = self.nodes[3], self.nodes[2]
        watch = subprocess.Popen(
            [BINARY, "find", "ocr", "--watch", "--every", "1s", "--json", "--data-dir", str(seeker.directory)],
            stdout=subprocess.PIPE, text=True)
        try:
            self.run_on(offering, "capability", "add", "ocr")
            came = json.loads(watch.stdout.readline())
            self.assertEqual((came["kind"], came["peer"]), ("found", offering.id))
            later = self.nodes[4]
            self.run_on(later, "capability", "add", "ocr/latin")
            came = json.loads(watch.stdout.readline())
            self.assertEqual((came["kind"], came["peer"], came["capability"]), ("found", later.id, "ocr/latin"))
            offering.stop()  # It withdraws what it has published.
            went = json.loads(watch.stdout.readline())
            self.assertEqual((went["kind"], went["peer"]), ("gone", offering.id))
        finally:
            watch.terminate()
            watch.wait(timeout=10)
            watch.stdout.close()

    def test_who_has_stopped_is_not_found(self):
        seeker, leaving = self.nodes[1], self.nodes[4]
        self.assertEqual(leaving.stop(), 0)
        done = self.run_on(seeker, "lookup", leaving.id, "--json", check=False)
        shown = json.loads(done.stdout)
        # What is found, if it has mailboxes by then, says where to leave messages, and no address.
        self.assertEqual(shown["record"]["endpoints"] if shown["found"] else [], [], done.stdout)

    def owners(self, seeker, capability, *options):
        done = self.run_on(seeker, "find", capability, "--json", *options, check=False)
        return json.loads(done.stdout)["owners"]

    def found(self, seeker, capability):
        wait_until(lambda: self.owners(seeker, capability), 30, f"nobody is found who offers {capability}")
        return self.owners(seeker, capability)

    def test_who_is_not_there_is_said(self):
        stranger = Daemon(pathlib.Path(self.folder.name) / "stranger").init()
        done = self.run_on(self.nodes[1], "lookup", stranger.id, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(stranger.id, done.stdout)
        self.assertTrue(done.stderr.strip())


class LonelyTest(unittest.TestCase):
    """A node that nobody told where others are."""

    def test_it_says_what_is_missing(self):
        with tempfile.TemporaryDirectory(prefix="ekiden-lonely-") as folder:
            node = Daemon(pathlib.Path(folder) / "node").init()
            settings = node.directory / "ekiden.toml"
            settings.write_text(settings.read_text().replace(f'"{node.endpoint}"',
                                                             f'"{node.endpoint}", "udp://127.0.0.1:0"'))
            node.start("--no-lan")
            try:
                node.wait_logged("--bootstrap ID@ENDPOINT")
                offered = command("capability", "add", "ocr", "--data-dir", node.directory).stdout
                self.assertIn("neighbours alone", offered)
                self.assertIn("no node of the network is known yet", offered)
                self.assertIn("private_network", command("peers", "--data-dir", node.directory).stdout)
            finally:
                node.stop()
            node.start("--no-lan", "--bootstrap", "none")
            self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    unittest.main()
