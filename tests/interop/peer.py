"""An Ekiden peer in Python, written from docs/protocol alone: links, sessions, messages. For tests: it keeps nothing.

Cryptography and codecs are independent implementations: dissononce (Noise; Debian's
python3-noise is about another kind of noise), cbor2, PyNaCl, cryptography."""

import hashlib
import hmac
import os
import struct
import time
import uuid

import cbor2
import nacl.bindings as sodium
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from dissononce.cipher.aesgcm import AESGCMCipher
from dissononce.dh.x25519.keypair import KeyPair
from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.public import PublicKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.IK import IKHandshakePattern
from dissononce.processing.handshakepatterns.interactive.XX import XXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState

PING, PONG, REKEY, CLOSE, MESSAGE = range(5)
ERROR, RECORD, ENVELOPE, RECEIPT, REFUSAL, SESSION_RESET = range(6)
DURABLE, VOLATILE = 0, 1


def now_ms():
    return int(time.time() * 1000)


def encode(value):
    return cbor2.dumps(value, canonical=True)


def hkdf(salt, material, info, size):
    key = hmac.digest(salt, material, "sha256")
    out, block = b"", b""
    for counter in range(1, size // 32 + 2):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        out += block
    return out[:size]


def x25519(secret, public):
    shared = sodium.crypto_scalarmult(secret, public)
    assert shared != bytes(32)
    return shared


def x25519_pair():
    secret = os.urandom(32)
    return secret, sodium.crypto_scalarmult_base(secret)


# Identities and signed objects


class Identity:
    def __init__(self):
        self.public, self.secret = sodium.crypto_sign_seed_keypair(os.urandom(32))
        self.x_secret = sodium.crypto_sign_ed25519_sk_to_curve25519(self.secret)
        self.x_public = sodium.crypto_sign_ed25519_pk_to_curve25519(self.public)
        self.id = hashlib.sha256(self.public).digest()
        self.prekey_secret, self.prekey = x25519_pair()
        self.prekey_id = 7
        self.sequence = now_ms()

    def sign(self, purpose, payload):
        protected = bytes.fromhex("a10127")
        covered = encode(["Signature1", protected, purpose, payload])
        signature = sodium.crypto_sign(covered, self.secret)[:64]
        return encode(cbor2.CBORTag(18, [protected, {}, payload, signature]))

    def record(self):
        return self.sign(b"ekiden record 1", encode({
            1: 1, 2: self.public, 3: self.sequence, 4: now_ms(), 5: 3600, 6: [], 7: [], 8: 0,
            9: {1: self.prekey_id, 2: self.prekey}, 10: [], 11: []}))


def verify(signed, purpose, public=None):
    """The payload of a COSE_Sign1; the key is `public`, or field 2 of the payload."""
    tag = cbor2.loads(signed)
    assert tag.tag == 18 and encode(tag) == signed, "not a canonical COSE_Sign1"
    protected, unprotected, payload, signature = tag.value
    assert protected == bytes.fromhex("a10127") and unprotected == {}
    decoded = cbor2.loads(payload)
    covered = encode(["Signature1", protected, purpose, payload])
    sodium.crypto_sign_open(signature + covered, public or decoded[2])
    return decoded


def bech32m(data):
    """The ek1… form of an id (BIP-350)."""
    charset, prefix = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "ek"
    bits = int.from_bytes(data, "big") << (-len(data) * 8 % 5)
    count = (len(data) * 8 + 4) // 5
    values = [bits >> 5 * (count - 1 - i) & 31 for i in range(count)]
    check = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values + [0] * 6:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    check ^= 0x2BC830A3
    return prefix + "1" + "".join(charset[v] for v in values + [check >> 5 * (5 - i) & 31 for i in range(6)])


# Links


class Closed(Exception):
    """The other side ended the link; the argument is its reason."""


class Link:
    """A link that we begin on a stream: a socket, or what sends and receives like one. IK if the node's Ed25519 key is
    given, else XX."""

    def __init__(self, identity, stream, node_key=None):
        self.identity = identity
        self.stream = stream
        preamble = b"EKIDEN\x01" + (b"\x01" if node_key else b"\x02")
        state = HandshakeState(SymmetricState(CipherState(AESGCMCipher()), SHA256Hash()), X25519DH())
        static = KeyPair(PublicKey(identity.x_public), PrivateKey(identity.x_secret))
        remote = PublicKey(sodium.crypto_sign_ed25519_pk_to_curve25519(node_key)) if node_key else None
        pattern = IKHandshakePattern() if node_key else XXHandshakePattern()
        state.initialize(pattern, True, preamble, s=static, rs=remote)
        hello = encode({1: 1, 2: 1, 3: 0, 4: identity.record()})
        first = bytearray()
        state.write_message(hello if node_key else b"", first)
        self.first_flight = preamble + struct.pack(">H", len(first)) + bytes(first)
        self.stream.sendall(self.first_flight)
        answer = bytearray()
        ciphers = state.read_message(self.read_handshake_message(), answer)
        if not node_key:
            last = bytearray()
            ciphers = state.write_message(hello, last)
            self.stream.sendall(struct.pack(">H", len(last)) + bytes(last))
        self.sending, self.receiving = ciphers
        theirs = cbor2.loads(bytes(answer))
        assert theirs[1] <= 1 <= theirs[2], "no version in common"
        self.record = verify(theirs[4], b"ekiden record 1")
        self.peer_key = self.record[2]
        self.peer_id = hashlib.sha256(self.peer_key).digest()
        assert state.rs.data == sodium.crypto_sign_ed25519_pk_to_curve25519(self.peer_key)
        self.frames = []
        self.first_record = self.send_frame(PING, b"12345678" + b"\x01")
        self.wait(lambda kind, payload: kind == PONG and payload[:8] == b"12345678")

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.stream.recv(size - len(data))
            if not more:
                raise Closed("end of the stream")
            data += more
        return data

    def read_handshake_message(self):
        (size,) = struct.unpack(">H", self.read_exactly(2))
        if size == 0:
            raise Closed(self.read_exactly(1)[0])
        return self.read_exactly(size)

    def send_frame(self, kind, payload):
        sealed = self.sending.encrypt_with_ad(b"", bytes([kind]) + struct.pack(">H", len(payload)) + payload)
        record = struct.pack(">H", len(sealed)) + sealed
        self.stream.sendall(record)
        return record

    def read_record(self):
        (size,) = struct.unpack(">H", self.read_exactly(2))
        plain = self.receiving.decrypt_with_ad(b"", self.read_exactly(size))
        while plain:
            kind, (length,) = plain[0], struct.unpack(">H", plain[1:3])
            self.frames.append((kind, plain[3:3 + length]))
            plain = plain[3 + length:]

    def wait(self, wanted):
        """The payload of the next frame that is wanted; answers pings, passes over the rest."""
        while True:
            while not self.frames:
                self.read_record()
            kind, payload = self.frames.pop(0)
            if kind == CLOSE:
                raise Closed(payload[0])
            if kind == PING:
                self.send_frame(PONG, payload[:8] + b"\x01")
            elif kind == REKEY:
                self.receiving.rekey()
            if wanted(kind, payload):
                return payload

    def send(self, kind, body):
        self.send_frame(MESSAGE, bytes([kind]) + body)

    def receive(self, kind):
        return self.wait(lambda frame, payload: frame == MESSAGE and payload[0] == kind)[1:]

    def close(self):
        self.stream.close()


# Sessions


def root_step(root, shared):
    both = hkdf(root, shared, b"ekiden ratchet root 1", 64)
    return both[:32], both[32:]


class Session:
    """One Double Ratchet session. Receives in order only: what a test needs."""

    def __init__(self, binding, session_id):
        self.binding, self.id = binding, session_id
        self.initial = b""                      # what initial messages add to the header
        self.chain_out = self.chain_in = None
        self.their_ratchet = None
        self.sent = self.received = 0           # numbers in the current chains
        self.previous = 0
        self.sequence = 0

    @classmethod
    def initiate(cls, identity, peer_id, record):
        session_id = uuid.uuid4().bytes
        session = cls(identity.id + peer_id + session_id, session_id)
        prekey_id, prekey = record[9][1], record[9][2]
        ephemeral_secret, ephemeral = x25519_pair()
        session.root = cls.agree(
            x25519(identity.x_secret, prekey),
            x25519(ephemeral_secret, sodium.crypto_sign_ed25519_pk_to_curve25519(record[2])),
            x25519(ephemeral_secret, prekey))
        session.initial = ephemeral + struct.pack(">II", prekey_id, 1) + identity.public
        session.ratchet_secret, session.ratchet = x25519_pair()
        session.root, session.chain_out = root_step(session.root, x25519(session.ratchet_secret, prekey))
        return session

    @classmethod
    def respond(cls, identity, sealed):
        session_id, ephemeral = sealed[1:17], sealed[65:97]
        prekey_id, _ = struct.unpack(">II", sealed[97:105])
        sender = sealed[105:137]
        assert prekey_id == identity.prekey_id
        session = cls(hashlib.sha256(sender).digest() + identity.id + session_id, session_id)
        session.root = cls.agree(
            x25519(identity.prekey_secret, sodium.crypto_sign_ed25519_pk_to_curve25519(sender)),
            x25519(identity.x_secret, ephemeral),
            x25519(identity.prekey_secret, ephemeral))
        # Its first ratchet key is the prekey; the first message brings the initiator's.
        session.ratchet_secret = identity.prekey_secret
        return session

    @staticmethod
    def agree(dh1, dh2, dh3):
        return hkdf(bytes(32), b"\xff" * 32 + dh1 + dh2 + dh3, b"ekiden x3dh 1", 32)

    @staticmethod
    def chain_step(chain):
        return hmac.digest(chain, b"\x02", "sha256"), hmac.digest(chain, b"\x01", "sha256")

    @staticmethod
    def cipher(message_key):
        both = hkdf(bytes(32), message_key, b"ekiden ratchet message 1", 44)
        return AESGCM(both[:32]), both[32:]

    def step(self):
        """A new ratchet key of ours, after one of theirs."""
        self.ratchet_secret, self.ratchet = x25519_pair()
        self.root, self.chain_out = root_step(self.root, x25519(self.ratchet_secret, self.their_ratchet))
        self.previous, self.sent = self.sent, 0

    def seal(self, associated, plaintext):
        if self.chain_out is None:
            self.step()
        self.chain_out, message_key = self.chain_step(self.chain_out)
        self.sequence += 1
        header = bytes([2 if self.initial else 1]) + self.id + self.ratchet
        header += struct.pack(">IIQ", self.previous, self.sent, self.sequence) + self.initial
        self.sent += 1
        cipher, nonce = self.cipher(message_key)
        return header + cipher.encrypt(nonce, plaintext, self.binding + header + associated)

    def open(self, associated, sealed):
        size = 137 if sealed[0] == 2 else 65
        header, ratchet = sealed[:size], sealed[17:49]
        _, number, _ = struct.unpack(">IIQ", sealed[49:65])
        if ratchet != self.their_ratchet:
            self.their_ratchet, self.received = ratchet, 0
            self.root, self.chain_in = root_step(self.root, x25519(self.ratchet_secret, ratchet))
            self.initial = b""
        while True:
            self.chain_in, message_key = self.chain_step(self.chain_in)
            self.received += 1
            if self.received > number:
                break
        cipher, nonce = self.cipher(message_key)
        return cipher.decrypt(nonce, sealed[size:], self.binding + header + associated)


# Messages


class Peer:
    """An agent with one session to the node at the other end of its link."""

    def __init__(self, identity, link):
        self.identity, self.link = identity, link
        self.session = None
        self.epoch, self.numbers = now_ms(), 0

    def make_envelope(self, body, delivery=DURABLE, in_reply_to=None):
        """The encoded envelope and the id of its message."""
        if self.session is None:
            self.session = Session.initiate(self.identity, self.link.peer_id, self.link.record)
        message_id = uuid.uuid4()
        fields = {1: message_id.bytes, 2: self.identity.id, 3: self.link.peer_id,
                  4: now_ms() + 3_600_000, 5: 2, 6: delivery}
        number = 0
        if delivery == DURABLE:
            self.numbers += 1
            number = self.numbers
        content = {1: self.epoch, 2: number, 3: number, 4: now_ms(), 5: "", 6: "text/plain", 8: body.encode()}
        if in_reply_to:
            content[7] = uuid.UUID(in_reply_to).bytes
        sealed = self.session.seal(encode(fields), encode(content))
        return encode({**fields, 7: sealed}), str(message_id)

    def send(self, body, **options):
        envelope, message_id = self.make_envelope(body, **options)
        self.link.send(ENVELOPE, envelope)
        return message_id

    def read_receipt(self):
        """The ids that the node has on its disk, by its signature."""
        receipt = verify(self.link.receive(RECEIPT), b"ekiden receipt 1", self.link.peer_key)
        assert receipt[1] == self.link.peer_id and receipt[2] == self.identity.id
        return [str(uuid.UUID(bytes=one)) for one in receipt[4]]

    def receive(self):
        """The next message for us: its id and content."""
        envelope = cbor2.loads(self.link.receive(ENVELOPE))
        assert envelope[2] == self.link.peer_id and envelope[3] == self.identity.id
        sealed = envelope.pop(7)
        if self.session is None or sealed[1:17] != self.session.id:
            self.session = Session.respond(self.identity, sealed)
        content = cbor2.loads(self.session.open(encode(envelope), sealed))
        return str(uuid.UUID(bytes=envelope[1])), content

    def send_receipt(self, message_id):
        payload = encode({1: self.identity.id, 2: self.link.peer_id, 3: now_ms(), 4: [uuid.UUID(message_id).bytes]})
        self.link.send(RECEIPT, self.identity.sign(b"ekiden receipt 1", payload))
