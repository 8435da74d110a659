#!/usr/bin/python3
"""A real node and the Python peer: handshakes, messages both ways, receipts, and what has to be refused."""

import pathlib
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import cbor2  # noqa: E402
from daemon import Daemon, wait_until  # noqa: E402
import peer as module  # noqa: E402
from peer import (ENVELOPE, REFUSAL, SESSION_RESET, VOLATILE, Closed, Identity, Link, Peer,  # noqa: E402
                  Session, bech32m)


class PeerTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ekiden-interop-")
        self.node = Daemon(f"{self.directory.name}/node").init().start()
        self.api = self.node.api()
        self.identity = Identity()
        # What strangers write waits until they are known.
        self.api.call("POST", "/v1/contacts", {"name": "peer", "id": bech32m(self.identity.id)})
        self.links = []

    def tearDown(self):
        for link in self.links:
            link.close()
        self.api.close()
        self.node.stop()
        self.directory.cleanup()

    def connect(self, node_key=None, identity=None):
        stream = socket.create_connection(("127.0.0.1", self.node.port), timeout=10)
        self.addCleanup(stream.close)
        link = Link(identity or self.identity, stream, node_key)
        self.links.append(link)
        return link

    def peer(self):
        return Peer(self.identity, self.connect())

    def inbox(self, count):
        """Waits until so many messages are in the inbox."""
        def messages():
            return self.api.call("GET", "/v1/inbox")["messages"]

        wait_until(lambda: len(messages()) >= count, 10, f"there are not {count} messages in the inbox")
        found = messages()
        self.assertEqual(len(found), count)
        return found

    def wait_state(self, message_id, state):
        wait_until(lambda: self.api.call("GET", f"/v1/messages/{message_id}")["state"] == state, 10,
                   f"{message_id} does not become {state}")

    def node_sends(self, body, **fields):
        return self.api.call("POST", "/v1/messages", {"to": bech32m(self.identity.id), "body": body, **fields})["id"]

    def test_the_node_is_who_it_says_over_xx_and_ik(self):
        link = self.connect()
        self.assertEqual(bech32m(link.peer_id), self.node.id)
        again = self.connect(node_key=link.peer_key)
        self.assertEqual(again.peer_id, link.peer_id)

    def test_a_message_and_its_answer_end_to_end(self):
        peer = self.peer()
        sent = peer.send("hello from python")
        self.assertEqual(peer.read_receipt(), [sent])
        message = self.inbox(1)[0]
        self.assertEqual(message["body"], "hello from python")
        self.assertEqual(message["from"], bech32m(self.identity.id))

        answer = self.node_sends("hello, python", in_reply_to=sent)
        message_id, content = peer.receive()
        self.assertEqual((message_id, content[8]), (answer, b"hello, python"))
        peer.send_receipt(message_id)
        self.wait_state(answer, "delivered")

        # The node has shown its ratchet key; we step, and it follows.
        peer.session.step()
        second = peer.send("and again")
        self.assertEqual(peer.read_receipt(), [second])
        self.assertEqual(self.inbox(2)[1]["body"], "and again")

    def test_the_node_begins_a_session_with_us(self):
        peer = self.peer()
        sent = self.node_sends("first")
        message_id, content = peer.receive()
        self.assertEqual((message_id, content[8]), (sent, b"first"))
        peer.send_receipt(message_id)
        self.wait_state(sent, "delivered")
        back = peer.send("second")
        self.assertEqual(peer.read_receipt(), [back])

    def test_a_volatile_message_arrives_without_a_receipt(self):
        peer = self.peer()
        durable = peer.send("on disk")
        self.assertEqual(peer.read_receipt(), [durable])
        peer.send("in passing", delivery=VOLATILE)
        durable = peer.send("on disk too")
        self.assertEqual(peer.read_receipt(), [durable])

    def test_a_repeated_message_is_receipted_again_and_delivered_once(self):
        peer = self.peer()
        envelope, sent = peer.make_envelope("once")
        for _ in range(3):
            peer.link.send(ENVELOPE, envelope)
            self.assertEqual(peer.read_receipt(), [sent])
        peer.link.close()
        peer.link = self.connect(node_key=peer.link.peer_key)
        peer.link.send(ENVELOPE, envelope)
        self.assertEqual(peer.read_receipt(), [sent])
        self.inbox(1)

    def test_a_changed_message_is_not_answered_and_arrives_nowhere(self):
        peer = self.peer()
        envelope, sent = peer.make_envelope("x")
        fields = cbor2.loads(envelope)
        for key in (4, 7):
            changed = dict(fields)
            changed[key] = fields[4] + 1 if key == 4 else fields[7][:-1] + bytes([fields[7][-1] ^ 1])
            peer.link.send(ENVELOPE, cbor2.dumps(changed, canonical=True))
        peer.link.send(ENVELOPE, envelope)
        first = peer.link.wait(lambda frame, _: frame == module.MESSAGE)
        self.assertEqual(first[0], module.RECEIPT)
        self.inbox(1)
        self.node.wait_logged(f"message {sent} cannot be decrypted", times=2)

    def test_a_message_of_an_unknown_session_is_answered_with_a_reset(self):
        peer = self.peer()
        peer.send("known")
        peer.read_receipt()
        peer.session = Session.initiate(self.identity, peer.link.peer_id, peer.link.record)
        peer.session.initial = b""  # An ordinary message, of a session that the node has never seen.
        peer.send("unknown")
        self.assertEqual(cbor2.loads(peer.link.receive(SESSION_RESET))[1], peer.session.id)

    def test_what_is_below_the_floor_is_refused(self):
        peer = self.peer()
        peer.numbers = 100
        peer.send("number 101")
        peer.read_receipt()
        peer.numbers = 5
        late = peer.send("number 6")
        refusal = cbor2.loads(peer.link.receive(REFUSAL))
        self.assertEqual(refusal[1], 3)
        self.assertEqual([one.hex() for one in refusal[3]], [late.replace("-", "")])

    def test_a_replayed_handshake_opens_no_link_and_is_named(self):
        first = self.connect()
        link = self.connect(node_key=first.peer_key)
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=10) as replay:
            address = f"127.0.0.1:{replay.getsockname()[1]}"
            # The node answers the first flight, but only the owner of the ephemeral key can use the answer.
            replay.sendall(link.first_flight + link.first_record)
            while replay.recv(4096):
                links = self.api.call("GET", "/v1/status")["links"]
                self.assertNotIn(address, [one["remote"] for one in links])
        links = self.api.call("GET", "/v1/status")["links"]
        self.assertNotIn(address, [one["remote"] for one in links])
        self.node.wait_logged(f"{address}: its first record does not decrypt: a replayed or forged handshake")

    def test_a_clock_years_off_is_told(self):
        original = module.now_ms
        module.now_ms = lambda: original() + 3 * 365 * 24 * 3_600_000
        try:
            with self.assertRaises(Closed) as closed:
                self.connect()
        finally:
            module.now_ms = original
        self.assertEqual(closed.exception.args[0], 6)
        self.node.wait_logged("clock")


if __name__ == "__main__":
    unittest.main()
