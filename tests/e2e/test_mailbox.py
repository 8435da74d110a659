"""Messages to nodes that are down, through mailboxes at third parties, between real processes."""

import json
import pathlib
import tempfile
import unittest

from daemon import Daemon, command, wait_until


class MailboxTest(unittest.TestCase):
    COUNT = 6

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ekiden-mailbox-")
        root = pathlib.Path(self.folder.name)
        self.nodes = [Daemon(root / f"node{i}").init() for i in range(self.COUNT)]
        for node in self.nodes:
            settings = node.directory / "ekiden.toml"
            text = settings.read_text()
            text = text.replace(f'listen = ["{node.endpoint}"]', f'listen = ["{node.endpoint}", "udp://127.0.0.1:0"]')
            settings.write_text(text.replace('private_network = "off"', 'private_network = "on"'))
        self.flags = ("--no-lan", "--bootstrap", f"{self.nodes[0].id}@{self.nodes[0].endpoint}")
        for node in self.nodes:
            node.start(*self.flags)
        for node in self.nodes:
            wait_until(lambda: self.own(node) == 3, 120, lambda: f"{node.log_text()}\nhas too few mailboxes")
        for node in self.nodes:
            wait_until(lambda: self.is_named(node), 60, lambda: f"{node.log_text()}\nits mailboxes are not found")

    def tearDown(self):
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.folder.cleanup()

    @staticmethod
    def run_on(node, *words, **options):
        return command(*words, "--data-dir", node.directory, **options)

    def mailbox(self, node):
        return json.loads(self.run_on(node, "mailbox", "status", "--json").stdout)

    def own(self, node):
        return sum(own["up"] for own in self.mailbox(node)["own"])

    def is_named(self, node):
        """The record that others find names them."""
        other = next(other for other in self.nodes if other is not node)
        shown = json.loads(self.run_on(other, "lookup", node.id, "--json").stdout)
        return shown["found"] and len(shown["record"]["mailboxes"]) == 3

    def kept(self, nodes):
        return sum(self.mailbox(node)["used"]["messages"] for node in nodes)

    def trace(self, node, message):
        return json.loads(self.run_on(node, "trace", message, "--json").stdout)

    def test_neither_has_to_wait_for_the_other(self):
        *third, sender, recipient = self.nodes
        recipient.know("sender", sender)
        recipient.kill()
        message = json.loads(self.run_on(sender, "send", recipient.id, "for later", "--json").stdout)["id"]
        wait_until(lambda: len(self.trace(sender, message).get("stored", [])) == 3, 60,
                   lambda: f"{sender.log_text()}\n{self.trace(sender, message)}\nit is not in three mailboxes")
        self.assertEqual(self.kept(third), 3)
        shown = self.run_on(sender, "trace", message).stdout
        self.assertIn("kept by 3 mailboxes", shown)
        sender.kill()
        for node in third:  # What a mailbox has said that it keeps is on its disk.
            node.kill()
            node.start(*self.flags)

        recipient.start(*self.flags)
        read = json.loads(self.run_on(recipient, "inbox", "--follow", "--limit", "1", "--json").stdout.splitlines()[0])
        self.assertEqual((read["body"], read["from"]), ("for later", sender.id))
        # Its receipt lies in the mailboxes of the sender when the recipient goes.
        wait_until(lambda: self.mailbox(recipient)["deposits"]["placed"] >= 1, 60, "the receipt is in no mailbox")
        recipient.kill()

        sender.start(*self.flags)
        wait_until(lambda: self.trace(sender, message)["state"] == "delivered", 60,
                   lambda: f"{sender.log_text()}\n{self.trace(sender, message)}\nno receipt")
        recipient.start(*self.flags)  # It may have been killed before it had seen all copies.
        wait_until(lambda: self.kept(third) == 0, 60, "copies are left")
        self.assertEqual(self.run_on(recipient, "inbox", "--json").stdout, "", "delivered twice")
        self.check_receipt(sender, recipient, message)

    def check_receipt(self, sender, recipient, message):
        file = pathlib.Path(self.folder.name) / "proof.json"
        said = json.loads(self.run_on(sender, "receipt", "export", message, "--output", file, "--json").stdout)
        self.assertEqual(said, {"message": message, "file": str(file)})
        printed = self.run_on(sender, "receipt", "export", message, "--json").stdout
        self.assertEqual(json.loads(printed), json.loads(file.read_text(encoding="utf-8")))
        self.assertEqual(printed.count("\n"), 1)
        shown = json.loads(command("receipt", "verify", file, "--json").stdout)
        self.assertEqual((shown["message"], shown["sender"], shown["recipient"]), (message, sender.id, recipient.id))
        proof = json.loads(file.read_text())
        for field, value in (("message", "0f8fad5b-d9cb-469f-a165-70867728950e"), ("sender", recipient.id),
                             ("public_key", "00" * 32), ("receipt_base64", proof["receipt_base64"][:-8])):
            file.write_text(json.dumps({**proof, field: value}))
            done = command("receipt", "verify", file, check=False)
            self.assertNotEqual(done.returncode, 0, f"{field} was changed: {done.stdout}")

    def test_quotas_are_shown(self):
        quota = json.loads(self.run_on(self.nodes[0], "mailbox", "quota", "--json").stdout)
        self.assertEqual(quota["quota"]["strangers"]["messages"] * 2, quota["quota"]["all"]["messages"])
        self.assertIn("one sender", self.run_on(self.nodes[0], "mailbox", "quota").stdout)
        self.assertIn("own mailboxes", self.run_on(self.nodes[0], "mailbox", "status").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
