"""What `ekiden explain` says of addresses that a record names and that nobody may dial from here."""

import json
import pathlib
import tempfile
import unittest

from daemon import Daemon, command, free_port, wait_until


def set_value(daemon, key, value):
    settings = daemon.directory / "ekiden.toml"
    lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in settings.read_text().splitlines()]
    settings.write_text("\n".join(lines) + "\n")


class RefusedAddressesTest(unittest.TestCase):
    """Bob's record names addresses of his private network; Alice has it from his handshake."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ekiden-explain-")
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        self.alice, self.bob = (Daemon(root / name).init() for name in ("alice", "bob"))
        self.closed = f"tcp://127.0.0.1:{free_port()}"
        self.by_name = f"tcp://localhost:{self.bob.port}"

    def start(self, *advertised):
        set_value(self.bob, "private_network", '"on"')
        set_value(self.bob, "advertise", json.dumps(advertised))
        for node in (self.alice, self.bob):
            self.addCleanup(node.stop)
            node.start("--no-lan")
        self.alice.add_contact("bob", self.bob)

    def explain(self, *words, status=0):
        done = command("explain", "bob", *words, "--data-dir", self.alice.directory, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def tried(self, shown):
        return {address["endpoint"]: address for address in shown["addresses"]}

    def test_each_is_named_with_the_reason(self):
        refused = {
            self.closed: "127.0.0.1, a loopback address",
            self.by_name: "127.0.0.1, a loopback address",
            "tcp://10.1.2.3:7420": "10.1.2.3, a private address",
            "tcp://[fd00::1]:7420": "fd00::1, a private address",
            "tcp://169.254.9.9:7420": "169.254.9.9, a link-local address",
        }
        self.start(*refused)
        shown = json.loads(self.explain("--json"))
        self.assertEqual(shown["record"]["where"], "shown in the handshake")
        self.assertGreater(shown["record"]["age_ms"], 0)
        self.assertEqual(set(shown["record"]["endpoints"]), set(refused))
        tried = self.tried(shown)
        self.assertEqual((tried[self.bob.endpoint]["from"], tried[self.bob.endpoint]["reachable"]), ("owner", True))
        for endpoint, why in refused.items():
            self.assertEqual((tried[endpoint]["from"], tried[endpoint]["problem"]["code"]), ("record", "refused"))
            self.assertIn(f"refused to dial {why}", tried[endpoint]["problem"]["detail"])
            self.assertNotIn("round_trip_us", tried[endpoint])
        text = self.explain()
        self.assertRegex(text, r"record +held by this node, sequence [1-9]")
        self.assertRegex(text, r"issued .*Z, [1-9][0-9.]* \w+ ago, expires ")
        self.assertRegex(text, r"10\.1\.2\.3:7420 +record +FAILED: refused to dial 10\.1\.2\.3, a private address")
        self.assertIn("verdict     reachable", text)

        # Without the address that its owner has named, none is left.
        with self.alice.api() as api:
            api.call("PUT", "/v1/contacts/bob", {"name": "bob", "endpoints": []})
            self.bob.kill()
            wait_until(lambda: not api.call("GET", "/v1/peers/bob")["linked"], 30, "still linked")
        shown = json.loads(self.explain("--json", status=1))
        self.assertEqual(set(self.tried(shown)), set(refused))
        self.assertIn("none of its addresses may be dialled from here", shown["advice"])
        self.assertIn("verdict     NOT reachable", self.explain(status=1))

    def test_a_private_network_dials_them(self):
        set_value(self.alice, "private_network", '"on"')
        self.start(self.closed, self.by_name)
        tried = self.tried(json.loads(self.explain("--json")))
        self.assertEqual(tried[self.closed]["problem"]["code"], "unreachable")
        self.assertIn("Connection refused", tried[self.closed]["problem"]["detail"])
        self.assertTrue(tried[self.by_name]["reachable"])


if __name__ == "__main__":
    unittest.main()
