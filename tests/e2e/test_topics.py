"""Topics between real nodes: `ekiden topic pub` on one, `ekiden topic sub` on the others, a crash in between."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from daemon import BINARY, ApiError, Daemon, command, wait_until
from events import Events

TOPIC = "weather/tokyo"
NODES = 5


class Subscriber:
    """`ekiden topic sub` in a process of its own, whose output is read from a file."""

    def __init__(self, node, topic):
        self.path = node.directory.with_suffix(".heard")
        self.output = open(self.path, "w")
        self.process = subprocess.Popen(
            [BINARY, "topic", "sub", topic, "--json", "--data-dir", str(node.directory)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.DEVNULL)

    def items(self):
        """Whole lines alone: one may be on its way."""
        return [json.loads(line) for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def heard(self):
        return [item["body"] for item in self.items()]

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        self.output.close()


class TopicTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-topics-")
        self.root = pathlib.Path(self.folder.name)
        self.nodes = [Daemon(self.root / f"node{i}").init() for i in range(NODES)]
        self.subscribers = []
        for node in self.nodes:
            settings = node.directory / "ekiden.toml"
            text = settings.read_text()
            text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
            settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
        for node in self.nodes:
            self.start(node)
        self.wait_until_joined()

    def tearDown(self):
        for subscriber in self.subscribers:
            subscriber.end()
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    def start(self, node):
        first = self.nodes[0]
        through = [] if node is first else ["--bootstrap", f"{first.id}@{first.endpoint}"]
        node.start("--no-lan", *through)

    def wait_until_joined(self):
        def joined(node):
            with node.api() as api:
                return api.call("GET", "/v1/status")["discovery"]["nodes"] >= 2

        wait_until(lambda: all(map(joined, self.nodes)), 60, "the nodes do not find each other")

    def subscribe(self, node):
        subscriber = Subscriber(node, TOPIC)
        self.subscribers.append(subscriber)
        wait_until(lambda: self.topic(node).get("subscribers", 0) == 1, 20, f"{node.directory.name} has no subscriber")
        return subscriber

    def topic(self, node):
        with node.api() as api:
            topics = api.call("GET", "/v1/topics")["topics"]
        return next((each for each in topics if each["topic"] == TOPIC), {})

    def wait_for_neighbours(self, nodes, count=1):
        # Who has found one member alone searches for others after a minute at the latest, and after two again.
        wait_until(lambda: all(self.topic(node).get("neighbours", 0) >= count for node in nodes), 150,
                   lambda: f"too few neighbours: {[self.topic(node) for node in nodes]}")

    def publish(self, node, text):
        return json.loads(command("topic", "pub", TOPIC, text, "--json", "--data-dir", node.directory).stdout)

    def metric(self, node, name):
        address = (node.directory / "api.address").read_text().strip()
        token = (node.directory / "api.token").read_text().strip()
        request = urllib.request.Request(f"http://{address}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise AssertionError(f"there is no metric {name}")

    def test_all_hear_once_and_a_crash_is_caught_up_with(self):
        publisher, others = self.nodes[1], [self.nodes[0], *self.nodes[2:]]
        subscribers = {node: self.subscribe(node) for node in others}
        self.wait_for_neighbours(others, 2)
        published = self.publish(publisher, "sunny")
        self.assertEqual((published["topic"], published["sequence"]), (TOPIC, 1))
        self.assertGreaterEqual(published["neighbours"], 1)
        for subscriber in subscribers.values():
            wait_until(lambda: subscriber.heard() == ["sunny"], 30, lambda: f"heard {subscriber.heard()}")
        item = subscribers[others[0]].items()[0]
        self.assertEqual((item["from"], item["topic"], item["sequence"]), (publisher.id, TOPIC, 1))

        victim = self.nodes[3]
        victim.kill()
        self.assertEqual(subscribers[victim].process.wait(timeout=20), 3)  # No node is running.
        self.publish(publisher, "cloudy")
        self.publish(publisher, "rain")
        alive = [node for node in others if node is not victim]
        for node in alive:
            wait_until(lambda: sorted(subscribers[node].heard()) == ["cloudy", "rain", "sunny"], 30,
                       lambda: f"heard {subscribers[node].heard()}")
        self.start(victim)
        back = self.subscribe(victim)
        wait_until(lambda: sorted(back.heard()) == ["cloudy", "rain", "sunny"], 60, lambda: f"heard {back.heard()}")
        self.publish(victim, "snow")
        for node in alive:
            wait_until(lambda: sorted(subscribers[node].heard()) == ["cloudy", "rain", "snow", "sunny"], 30,
                       lambda: f"heard {subscribers[node].heard()}")
        self.assertEqual(self.metric(self.nodes[0], "ekiden_topics"), 1)
        self.assertEqual(self.metric(self.nodes[0], "ekiden_topic_delivered_total"), 4)

    def test_the_command_and_the_api(self):
        alone = self.nodes[0]
        self.assertEqual(command("topic", "list", "--json", "--data-dir", alone.directory).stdout, "")
        with alone.api() as api:
            with self.assertRaises(ApiError) as refused:
                api.call("POST", "/v1/topics/weather%2Ftokyo", {"body": "x" * 20_000})
            self.assertEqual(refused.exception.problem["code"], "too-large")
            with self.assertRaises(ApiError) as refused:
                api.call("POST", "/v1/topics/Weather", {"body": "x"})
            self.assertEqual(refused.exception.problem["code"], "invalid-argument")
        done = command("topic", "sub", "No Topic", "--data-dir", alone.directory, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is no topic", done.stderr)
        heard = Events(self.nodes[1].directory, f"peer&topic={TOPIC}")
        self.addCleanup(heard.close)
        published = command("topic", "pub", TOPIC, "-", "--data-dir", alone.directory, input="dry\n")
        self.assertEqual(published.stdout, "published, by way of 1 neighbour\n")
        event = None
        while event is None or event["kind"] != "topic":
            event = heard.next(30)
            self.assertIsNotNone(event, "nothing was heard")
        self.assertEqual((event["body"], event["from"]), ("dry\n", alone.id))
        listed = command("topic", "list", "--data-dir", alone.directory).stdout
        self.assertIn(TOPIC, listed)
        heard.close()
        wait_until(lambda: self.topic(self.nodes[1]).get("subscribers", 0) == 0, 20, "the subscription stays")


if __name__ == "__main__":
    unittest.main()
