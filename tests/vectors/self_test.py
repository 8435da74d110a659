"""Shows that ekiden-vectors tells good vectors from bad ones: every format it reads is given to it whole and tampered.

Usage: self_test.py PROGRAM [FOLDER]. The samples here are examples of RFCs; where FOLDER (a folder of public vectors)
exists, its Noise and COSE files are tampered with as well, member by member.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def wycheproof(algorithm, group, test):
    return {"algorithm": algorithm, "testGroups": [group | {"tests": [{"tcId": 1, "result": "valid"} | test]}]}


RFC5869_A3 = """COUNT = 3

Hash = SHA-256
IKM  = 0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b
salt =
info =
L    = 42

PRK  = 19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04
OKM  = 8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8
"""

RFC7748_5_2 = {
    "private": "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "public": "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "shared": "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
}

RFC8032_KEY = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
RFC8032_TEST_2 = {
    "msg": "72",
    "sig": "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
}

RFC4231_2 = {
    "key": "4a656665",
    "msg": "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
    "tag": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
}

GCM_13 = {"key": "00" * 32, "iv": "00" * 12, "aad": "", "msg": "", "ct": "", "tag": "530f8afbc74536b9a963b4f1c4cb738b"}

RFC5869_A3_JSON = {
    "ikm": "0b" * 22,
    "salt": "",
    "info": "",
    "size": 42,
    "okm": "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
}

# name: (whole, what to replace, by what). Each is one case.
SAMPLES = {
    "hkdf.txt": (RFC5869_A3, "8da4e775", "8da4e774"),
    "x25519.json": (wycheproof("XDH", {"type": "XdhComp", "curve": "curve25519"}, RFC7748_5_2), "c3da5537", "c3da5536"),
    "ed25519.json": (
        wycheproof(
            "EDDSA",
            {"type": "EddsaVerify", "publicKey": {"curve": "edwards25519", "pk": RFC8032_KEY}},
            RFC8032_TEST_2,
        ),
        "92a009a9",
        "92a009a8",
    ),
    "gcm.json": (
        wycheproof("AES-GCM", {"type": "AeadTest", "keySize": 256, "ivSize": 96, "tagSize": 128}, GCM_13),
        "530f8afb",
        "530f8afa",
    ),
    "hmac.json": (wycheproof("HMACSHA256", {"type": "MacTest", "tagSize": 256}, RFC4231_2), "5bdcc146", "5bdcc147"),
    "hkdf.json": (wycheproof("HKDF-SHA-256", {"type": "HkdfTest"}, RFC5869_A3_JSON), "8da4e775", "8da4e774"),
    "appendix.json": ([{"hex": "83010203", "roundtrip": True, "decoded": [1, 2, 3]}], "[1, 2, 3]", "[1, 2, 4]"),
    "flat.json": (
        [{"encoded_hex": "1864", "decoded_cbor_hex": "1864", "roundtrip": True, "fail": False}],
        '"fail": false',
        '"fail": true',
    ),
    "malformed.json": ({"not_well_formed": {"short": ["18"]}}, '"18"', '"1818"'),
    "utf8.json": ([{"group": "surrogates", "valid": False, "hex": "eda080"}], "false", "true"),
    "close.json": (
        [{"id": "7.7.1", "description": "a valid close code", "expectation": "Clean close", "close_code": 1000}],
        "1000",
        "1005",
    ),
    "ping.json": (
        [{"id": "2.5", "description": "126 octets", "expectation": "Connection is failed immediately (1002)"}],
        "failed immediately",
        "not touched",
    ),
    "fragments.json": (
        [{"id": "5.6", "description": "2 fragments, one ping", "expectation": "A pong is received, then the message"}],
        "A pong is received",
        "The connection is failed immediately",
    ),
    "wrong_frame.json": (
        [
            {
                "id": "4.1.3",
                "description": "Send small text message, then send frame with reserved Opcode = 5 , then send Ping.",
                "expectation": "Echo for first message is received, but then connection is failed immediately",
            }
        ],
        "Opcode = 5",
        "Opcode = 2",
    ),
    "message.json": (
        [
            {
                "id": "1.2.8",
                "description": "Send binary message with payload of length 65536. Sent out in chops of 997 octets.",
                "expectation": "Receive echo'ed binary message (with payload as sent). Clean close with normal code.",
            }
        ],
        "echo'ed",
        "no",
    ),
    "addresses.json": (
        {"never_dial_or_store_from_a_remote_record": {"private": ["10.0.0.0/8"]}},
        "10.0.0.0/8",
        "8.8.8.0/24",
    ),
}


def text_of(sample):
    return sample if isinstance(sample, str) else json.dumps(sample)


class OwnSamples(unittest.TestCase):
    def outcome(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "nested" / name
            path.parent.mkdir()
            path.write_text(text)
            return run(folder)

    def test_whole_samples_pass(self):
        for name, (sample, _, _) in SAMPLES.items():
            with self.subTest(name):
                result = self.outcome(name, text_of(sample))
                self.assertEqual(result.stdout, f"nested/{name}: 1 passed, 0 failed\n", result.stderr)
                self.assertEqual(result.returncode, 0)

    def test_tampered_samples_fail(self):
        for name, (sample, old, new) in SAMPLES.items():
            with self.subTest(name):
                self.assertEqual(text_of(sample).count(old), 1)
                result = self.outcome(name, text_of(sample).replace(old, new))
                self.assertEqual(result.stdout, f"nested/{name}: 0 passed, 1 failed\n")
                self.assertNotEqual(result.stderr, "")
                self.assertEqual(result.returncode, 1)

    def websocket(self, description):
        test = {"id": "9", "description": description, "expectation": "Receive echo'ed message (with payload as sent)."}
        return self.outcome("cases.json", json.dumps([test])).stdout.removeprefix("nested/cases.json: ")

    def test_the_size_of_a_message_is_read_as_a_product(self):
        passed = "1 passed, 0 failed\n"
        refused = "0 passed, 0 failed, 1 asserted as refused (over 1 MiB, 1009: 1)\n"
        for size, expected in {
            "1048576": passed,
            "1048577": refused,
            "1 * 2**20 (1M)": passed,
            "1025 * 2**10": refused,
            "4 * 2**20 (4M)": refused,
            "4 * 3**20": "0 passed, 1 failed\n",
            "4 * much": "0 passed, 1 failed\n",
            "4 * 2**64": "0 passed, 1 failed\n",
            "none": "0 passed, 1 failed\n",
        }.items():
            for pieces in ["", " Sent out in fragments of 4k.", " Sent out data in chops of 2048 octets."]:
                with self.subTest(size + pieces):
                    text = f"Send binary message message with payload of length {size}.{pieces}"
                    self.assertEqual(self.websocket(text), expected)

    def test_text_is_asserted_as_refused(self):
        text = "Send text message message with payload of length 125."
        expected = "0 passed, 0 failed, 1 asserted as refused (text, 1003 or 1007: 1)\n"
        self.assertEqual(self.websocket(text), expected)

    def test_chops_and_fragments_of_nothing_fail(self):
        for pieces in ["fragments of 0.", "chops of 0 octets.", "chops of several octets."]:
            text = f"Send binary message message with payload of length 125. Sent out in {pieces}"
            self.assertEqual(self.websocket(text), "0 passed, 1 failed\n", pieces)

    def test_the_name_of_a_file_does_not_matter(self):
        result = self.outcome("anything.txt", text_of(SAMPLES["x25519.json"][0]))
        self.assertEqual(result.stdout, "nested/anything.txt: 1 passed, 0 failed\n")

    def test_a_case_that_cannot_be_judged_fails(self):
        for old, new in [('"shared"', '"shard"'), ("c3da5537", "no hex"), ('"valid"', '"fine"')]:
            text = text_of(SAMPLES["x25519.json"][0]).replace(old, new)
            self.assertEqual(self.outcome("x25519.json", text).returncode, 1, text)

    def test_json_that_is_cut_off_fails(self):
        result = self.outcome("x25519.json", text_of(SAMPLES["x25519.json"][0])[:-10])
        self.assertEqual(result.stdout, "nested/x25519.json: 0 passed, 1 failed\n")
        self.assertEqual(result.returncode, 1)

    def test_what_is_not_ours_is_skipped(self):
        foreign = wycheproof("CHACHA20-POLY1305", {"type": "AeadTest", "keySize": 256}, GCM_13)
        result = self.outcome("chacha.json", text_of(foreign))
        self.assertRegex(result.stdout, r"^nested/chacha.json: skipped \(.*CHACHA20-POLY1305")
        self.assertEqual(result.returncode, 0)


class CommandLine(unittest.TestCase):
    def test_help(self):
        result = run("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("Usage: ekiden-vectors DIR", result.stdout)

    def test_usage_errors(self):
        for arguments in [[], ["a", "b"], ["--unknown"], [""], ["/nonexistent/folder"]]:
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_a_folder_without_files_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run(folder).returncode, 2)


def flip(holder, member):
    """Changes the last hexadecimal digit of a member."""
    text = holder[member]
    holder[member] = text[:-1] + ("1" if text[-1] == "0" else "0")


def noise_holders(vectors):
    """All members of the XX and IK cases that a change must be noticed in."""
    for vector in vectors["vectors"]:
        if vector["protocol_name"] not in ("Noise_XX_25519_AESGCM_SHA256", "Noise_IK_25519_AESGCM_SHA256"):
            continue
        for member in sorted(vector):
            if member not in ("protocol_name", "messages"):
                yield vector, member
        for message in vector["messages"]:
            yield message, "ciphertext"
            yield message, "payload"


def cose_holders(vector):
    yield vector["output"], "cbor"
    yield vector["intermediates"], "ToBeSign_hex"
    yield vector["input"]["sign0"]["key"], "x_hex"
    yield vector["input"]["sign0"]["key"], "d_hex"


@unittest.skipUnless(FOLDER and FOLDER.is_dir(), "no public vectors")
class PublicVectors(unittest.TestCase):
    def check_every_tampering(self, pattern, holders):
        for path in FOLDER.glob(pattern):
            whole = path.read_text()
            count = len(list(holders(json.loads(whole))))
            self.assertGreater(count, 0)
            for i in range(count):
                changed = json.loads(whole)
                holder, member = list(holders(changed))[i]
                flip(holder, member)
                with self.subTest(f"{path.name}, {i}, {member}"), tempfile.TemporaryDirectory() as folder:
                    copy = pathlib.Path(folder) / path.name
                    copy.write_text(json.dumps(changed))
                    self.assertEqual(run(folder).returncode, 1)

    def test_every_tampering_with_noise_is_noticed(self):
        self.check_every_tampering("noise/*.json", noise_holders)

    def test_every_tampering_with_cose_is_noticed(self):
        self.check_every_tampering("cose/eddsa-*.json", cose_holders)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
