#!/usr/bin/python3
"""The command as people and scripts meet it, and what it says when something is wrong. Real processes, real files."""

import json
import os
import pathlib
import sqlite3
import stat
import subprocess
import tempfile
import unittest

from daemon import BINARY, ApiError, Daemon, command


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-command-")
        self.root = pathlib.Path(self.folder.name)
        self.daemons = []

    def tearDown(self):
        for daemon in self.daemons:
            daemon.stop()
        self.folder.cleanup()

    def node(self, name, start=True):
        daemon = Daemon(self.root / name).init()
        self.daemons.append(daemon)
        return daemon.start() if start else daemon

    def pair(self):
        alice, bob = self.node("alice"), self.node("bob")
        alice.add_contact("bob", bob)
        bob.add_contact("alice", alice)
        return alice, bob

    def run_on(self, daemon, *words, **options):
        return command(*words, "--data-dir", daemon.directory, **options)

    def fails(self, status, *words, **options):
        """Runs a command that has to fail; returns what it says."""
        done = command(*words, check=False, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_init_makes_private_files_and_overwrites_nothing(self):
        node = self.node("a", start=False)
        self.assertEqual(stat.S_IMODE(os.stat(node.directory).st_mode), 0o700)
        for file in node.directory.iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, file)
        before = (node.directory / "identity.key").read_bytes()
        self.fails(1, "init", "--data-dir", node.directory)
        self.assertEqual((node.directory / "identity.key").read_bytes(), before)
        self.assertIn("#", (node.directory / "ekiden.toml").read_text())

    def test_a_missing_directory_says_what_to_do(self):
        self.assertIn("ekiden init", self.fails(1, "up", "--data-dir", self.root / "none"))

    def test_without_a_node_the_status_says_how_to_start_one(self):
        node = self.node("a", start=False)
        self.assertIn("ekiden up", self.fails(3, "status", "--data-dir", node.directory))

    def test_a_second_node_on_the_same_directory_is_refused(self):
        node = self.node("a")
        self.assertIn(str(node.process.pid), self.fails(1, "up", "--data-dir", node.directory))
        self.run_on(node, "status")

    def test_a_locked_store_names_the_process_that_holds_it(self):
        node = self.node("a", start=False)
        for mode in ("NORMAL", "EXCLUSIVE"):
            with self.subTest(mode):
                database = sqlite3.connect(node.directory / "ekiden.db", isolation_level=None)
                self.addCleanup(database.close)
                database.execute(f"PRAGMA locking_mode = {mode}")
                database.execute("BEGIN EXCLUSIVE")
                said = self.fails(1, "up", "--data-dir", node.directory)
                database.close()
                self.assertIn(f"held by process {os.getpid()}", said)
                self.assertIn("end the program that holds it", said)

    def test_the_store_of_another_identity_is_refused(self):
        alice, bob = self.node("alice"), self.node("bob")
        alice.stop()
        bob.stop()
        kept = (alice.directory / "ekiden.db").read_bytes()
        (alice.directory / "ekiden.db").write_bytes((bob.directory / "ekiden.db").read_bytes())
        said = self.fails(1, "up", "--data-dir", alice.directory)
        self.assertIn(alice.id, said)
        self.assertIn(bob.id, said)
        self.assertIn("identity.key", said)
        (alice.directory / "ekiden.db").write_bytes(kept)
        alice.start()

    def test_a_store_of_before_is_bound_to_its_identity_at_the_next_start(self):
        node = self.node("a")
        node.stop()
        database = sqlite3.connect(node.directory / "ekiden.db", isolation_level=None)
        self.addCleanup(database.close)
        owners = "FROM meta WHERE name = CAST('node.owner' AS BLOB)"
        self.assertEqual(database.execute(f"DELETE {owners}").rowcount, 1)
        database.close()
        node.start()
        node.stop()
        database = sqlite3.connect(node.directory / "ekiden.db")
        self.assertEqual(database.execute(f"SELECT count(*) {owners}").fetchone(), (1,))
        database.close()

    def test_a_port_in_use_is_named(self):
        first, second = self.node("a"), self.node("b", start=False)
        text = self.fails(1, "up", "--data-dir", second.directory, "--listen", first.endpoint)
        self.assertIn(str(first.port), text)
        self.assertIn("end the program that holds it", text)
        api = (first.directory / "api.address").read_text().strip()
        for option, key in (("--api", "listen"), ("--metrics", "metrics")):
            text = self.fails(1, "up", "--data-dir", second.directory, option, api)
            self.assertIn(f"{api}: the port is in use; end the program that holds it", text)
            self.assertIn(f"{option}, or `{key}` under [api] in ekiden.toml", text)

    def test_an_identity_that_others_can_read_is_refused(self):
        node = self.node("a", start=False)
        (node.directory / "identity.key").chmod(0o644)
        self.assertIn("chmod 600", self.fails(1, "up", "--data-dir", node.directory))

    def test_a_wrong_setting_names_its_line(self):
        node = self.node("a", start=False)
        with open(node.directory / "ekiden.toml", "a") as settings:
            settings.write("\n[netwrok]\nlisten = []\n")
        self.assertIn("netwrok", self.fails(1, "up", "--data-dir", node.directory))

    def test_a_damaged_database_is_an_error_and_left_alone(self):
        node = self.node("a")
        node.stop()
        database = node.directory / "ekiden.db"
        database.write_bytes(b"this is no database" * 1000)
        self.fails(1, "up", "--data-dir", node.directory)
        self.assertTrue(database.read_bytes().startswith(b"this is no database"))

    def test_a_missing_database_is_not_made_anew(self):
        node = self.node("a", start=False)
        (node.directory / "ekiden.db").unlink()
        advice = "ekiden up --new-store"
        self.assertIn(advice, self.fails(1, "up", "--data-dir", node.directory))
        node.start(*advice.split()[2:])
        node.stop()
        self.assertIn("never overwritten", self.fails(1, "up", "--new-store", "--data-dir", node.directory))
        node.start()

    def test_a_message_goes_there_and_is_taken_once(self):
        alice, bob = self.pair()
        self.run_on(alice, "send", "bob", "hello", "--wait", "delivered")
        shown = json.loads(self.run_on(bob, "inbox", "--json").stdout)
        self.assertEqual((shown["body"], shown["from"]), ("hello", alice.id))
        self.assertEqual(self.run_on(bob, "inbox", "--json").stdout, "")
        traced = json.loads(self.run_on(alice, "trace", shown["id"], "--json").stdout)
        self.assertEqual(traced["state"], "delivered")

    def test_standard_input_and_files_are_sent(self):
        alice, bob = self.pair()
        subprocess.run([BINARY, "send", "bob", "-", "--data-dir", alice.directory, "--wait", "delivered"],
                       input=b"\x00\xffbinary", check=True, capture_output=True, timeout=60)
        file = self.root / "note"
        file.write_text("from a file")
        self.run_on(alice, "send", "bob", "--file", file, "--wait", "delivered")
        bodies = [json.loads(line) for line in self.run_on(bob, "inbox", "--json").stdout.splitlines()]
        self.assertIn("body_base64", bodies[0])
        self.assertEqual(bodies[1]["body"], "from a file")

    def test_a_mistyped_id_and_an_unknown_name_are_told_apart(self):
        node = self.node("a")
        mistyped = node.id[:-1] + ("q" if node.id[-1] != "q" else "p")
        self.assertIn("typing", self.fails(1, "send", mistyped, "x", "--data-dir", node.directory))
        self.assertIn("contact", self.fails(1, "send", "nobody", "x", "--data-dir", node.directory))

    def test_a_body_over_the_limit_is_refused(self):
        alice, _ = self.pair()
        file = self.root / "big"
        file.write_bytes(b"x" * (32 * 1024 + 1))
        self.fails(1, "send", "bob", "--file", file, "--data-dir", alice.directory)

    def test_waiting_for_somebody_who_is_away_times_out_and_the_message_stays(self):
        alice, bob = self.pair()
        bob.stop()
        done = self.run_on(alice, "send", "bob", "later", "--wait", "delivered", "--timeout", "1s", check=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        bob.start()
        self.run_on(alice, "send", "bob", "now", "--wait", "delivered")
        bodies = [json.loads(line)["body"] for line in self.run_on(bob, "inbox", "--json").stdout.splitlines()]
        self.assertEqual(sorted(bodies), ["later", "now"])

    def test_the_wrong_identity_behind_an_address_is_told(self):
        alice, bob = self.pair()
        carol = self.node("carol")
        with alice.api() as api:
            api.call("PUT", "/v1/contacts/bob", {"name": "bob", "endpoints": [carol.endpoint]})
        self.run_on(alice, "send", "bob", "x", "--wait", "delivered", "--timeout", "2s", check=False)
        alice.wait_logged(carol.id)

    def test_the_api_wants_its_token(self):
        node = self.node("a")
        api = node.api()
        api._headers["Authorization"] = "Bearer " + "0" * 64
        with self.assertRaises(ApiError) as refused:
            api.call("GET", "/v1/status")
        self.assertEqual(refused.exception.status, 401)
        api.close()

    def test_a_log_in_json_is_one_object_a_line(self):
        node = self.node("logs", start=False).start("--json", "--log-format", "json", "--log-level", "debug")
        self.assertEqual(node.stop(), 0)
        lines = [json.loads(line) for line in node.log_text().splitlines()]
        logged = [line for line in lines if "level" in line]
        self.assertIn("stopping", [line["text"] for line in logged])
        for line in logged:
            self.assertIn(line["level"], ("debug", "info", "warning", "error"))
            self.assertTrue(line["time"] and line["component"])

    def test_sigterm_ends_a_node_in_peace(self):
        node = self.node("a")
        self.assertEqual(node.stop(), 0)
        self.assertFalse((node.directory / "api.address").exists())

    def draft(self, name, *nodes):
        """A file with one unsigned list of these nodes."""
        listed = [{"public_key": json.loads(command("id", "--json", "--data-dir", node.directory).stdout)["public_key"],
                   "endpoints": [node.endpoint], "note": "a note"} for node in nodes]
        file = self.root / name
        file.write_text(json.dumps({"format": "ekiden bootstrap nodes 1", "lists": [{"nodes": listed}]}))
        return file

    def test_a_bootstrap_list_is_signed_verified_and_shown(self):
        alice, bob = self.node("a", start=False), self.node("b", start=False)
        file = self.draft("nodes.json", alice, bob)
        self.assertIn("not signed", self.fails(1, "bootstrap", "verify", file))
        signed = json.loads(command("bootstrap", "sign", file, "--json", "--data-dir", alice.directory).stdout)
        self.assertEqual((signed["signed"], signed["signer"]), (1, alice.id))
        verdict = json.loads(command("bootstrap", "verify", file, "--json").stdout)
        self.assertEqual((verdict["valid"], verdict["signer"], verdict["nodes"]), (True, alice.id, 2))
        self.assertIn("2 nodes", command("bootstrap", "verify", file, "--signer", alice.id).stdout)
        self.assertIn("not a trusted signer", self.fails(1, "bootstrap", "verify", file, "--signer", bob.id))
        shown = command("bootstrap", "list", "--json", "--bootstrap", file, "--data-dir", bob.directory).stdout
        nodes = [json.loads(line) for line in shown.splitlines()]
        self.assertEqual([node["id"] for node in nodes], [alice.id, bob.id])
        self.assertEqual(nodes[0]["endpoints"], [alice.endpoint])
        self.assertEqual({node["state"] for node in nodes}, {"ok"})

    def test_a_changed_bootstrap_list_is_found(self):
        alice = self.node("a", start=False)
        file = self.draft("nodes.json", alice)
        command("bootstrap", "sign", file, "--data-dir", alice.directory)
        file.write_text(file.read_text().replace("a note", "A note"))
        self.assertIn("signature", self.fails(1, "bootstrap", "verify", file))
        self.assertIn("signature", self.fails(1, "bootstrap", "list", "--bootstrap", file))

    def test_signing_again_counts_up_and_leaves_the_lists_of_others(self):
        alice, bob = self.node("a", start=False), self.node("b", start=False)
        file = self.draft("nodes.json", alice)
        command("bootstrap", "sign", file, "--data-dir", alice.directory)
        content = json.loads(file.read_text())
        del content["lists"][0]["signature"]
        file.write_text(json.dumps(content))
        self.assertIn("nothing to sign", self.fails(1, "bootstrap", "sign", file, "--data-dir", bob.directory))
        again = self.root / "again.json"
        command("bootstrap", "sign", file, "--output", again, "--ttl", "1d", "--data-dir", alice.directory)
        self.assertEqual(json.loads(file.read_text()), content)
        self.assertEqual(json.loads(again.read_text())["lists"][0]["sequence"], 2)
        self.fails(1, "bootstrap", "sign", file, "--output", again, "--data-dir", alice.directory)
        self.fails(1, "bootstrap", "sign", file, "--ttl", "500d", "--data-dir", alice.directory)
        piped = subprocess.run([BINARY, "bootstrap", "sign", "-", "--data-dir", alice.directory],
                               input=file.read_bytes(), capture_output=True, check=True, timeout=60).stdout
        subprocess.run([BINARY, "bootstrap", "verify", "-"], input=piped, capture_output=True, check=True, timeout=60)

    def test_the_places_of_bootstrap_nodes_override_each_other(self):
        alice, bob = self.node("a", start=False), self.node("b", start=False)

        def listed(*words, **environment):
            shown = self.run_on(alice, "bootstrap", "list", "--json", *words,
                                env={**os.environ, **environment}).stdout
            return [json.loads(line) for line in shown.splitlines()]

        self.assertEqual(listed(), [])
        draft = self.draft("nodes.json", alice)
        command("bootstrap", "sign", draft, "--output", alice.directory / "bootstrap_nodes.json",
                "--data-dir", alice.directory)
        self.assertEqual([node["id"] for node in listed()], [alice.id])
        other = f"{bob.id}@tcp://192.0.2.1:7420"
        self.assertEqual(listed(EKIDEN_BOOTSTRAP=other)[0]["from"], "EKIDEN_BOOTSTRAP")
        self.assertEqual(listed("--bootstrap", other, EKIDEN_BOOTSTRAP="junk")[0]["from"], "--bootstrap")
        self.assertEqual(listed("--bootstrap", "none"), [])
        settings = alice.directory / "ekiden.toml"
        settings.write_text(settings.read_text().replace("trusted_signers = []", f'trusted_signers = ["{bob.id}"]'))
        self.assertIn("not a trusted signer", listed()[0]["state"])
        self.assertEqual(listed("--signer", alice.id)[0]["state"], "ok")
        mistyped = bob.id[:-1] + ("q" if bob.id[-1] != "q" else "p") + "@tcp://192.0.2.1:7420"
        self.assertIn(mistyped, self.fails(1, "bootstrap", "list", "--bootstrap", mistyped))

    def test_help_teaches_by_example(self):
        for word in ("init", "id", "up", "contact", "send", "inbox", "trace", "status", "explain",
                     "bootstrap"):
            self.assertIn("xample", command(word, "--help").stdout, word)
        for word in ("list", "check", "discover", "sign", "verify"):
            self.assertIn("xample", command("bootstrap", word, "--help").stdout, word)
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("ekiden", command("completion", shell).stdout)


if __name__ == "__main__":
    unittest.main()
