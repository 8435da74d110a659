import os
import shlex
import subprocess
import unittest

import symbols
from made_up import TreeCase

BAD = {
    "a clock": "#include <chrono>\nlong f() { return std::chrono::steady_clock::now().time_since_epoch().count(); }",
    "entropy": "#include <sys/random.h>\nlong f(char* p) { return getrandom(p, 1, 0); }",
    "a thread": "#include <thread>\nvoid f() { std::thread([] {}).join(); }",
    "a socket": "#include <sys/socket.h>\nint f() { return socket(AF_INET, SOCK_STREAM, 0); }",
    "a file": '#include <fstream>\nvoid f() { std::ofstream("x") << 1; }',
    "the environment": '#include <cstdlib>\nchar* f() { return std::getenv("X"); }',
    "output": '#include <cstdio>\nvoid f() { std::puts("x"); }',
    "termination": "#include <cstdlib>\nvoid f() { std::exit(1); }",
}
GOOD = """
#include <map>
#include <memory>
#include <string>
#include <vector>
std::string f(std::map<std::string, std::shared_ptr<std::vector<int>>>& m) { return std::to_string(m.at("a")->size()); }
"""


class Symbols(TreeCase):
    def archive(self, module: str, text: str):
        """A tree with one built module of one file."""
        root = self.tree({f"src/{module}/a.cpp": text})
        compiler = shlex.split(os.environ.get("CXX", "g++"))
        build = root / "build"
        build.mkdir()
        source, member = root / "src" / module / "a.cpp", build / "a.o"
        subprocess.run([*compiler, "-std=c++23", "-c", str(source), "-o", str(member)], check=True, timeout=120)
        subprocess.run(["ar", "rc", str(build / f"libekiden_{module}.a"), str(member)], check=True, timeout=60)
        return root, build

    def test_every_kind_of_effect_is_found_in_a_pure_module(self):
        for kind, text in BAD.items():
            with self.subTest(kind):
                found = symbols.check(*self.archive("link", text))
                self.assertTrue(any(kind in violation.advice for violation in found), found)

    def test_ordinary_code_calls_nothing_of_the_kind(self):
        self.assert_rules(symbols.check(*self.archive("link", GOOD)), [])

    def test_other_modules_may(self):
        self.assert_rules(symbols.check(*self.archive("runtime", BAD["a socket"])), [])

    def test_base_may_print_and_stop_but_not_read_the_clock(self):
        self.assert_rules(symbols.check(*self.archive("base", BAD["output"])), [])
        self.assert_rules(symbols.check(*self.archive("base", BAD["termination"])), [])
        self.assertTrue(symbols.check(*self.archive("base", BAD["a clock"])))

    def test_a_module_that_was_not_built_is_not_passed_over(self):
        root, build = self.archive("link", GOOD)
        (build / "libekiden_link.a").unlink()
        self.assert_rules(symbols.check(root, build), ["symbol-archive"])

    def test_names_are_matched_whole(self):
        for symbol in ("read", "time", "open64", "std::chrono::_V2::system_clock::now()", "pthread_mutex_lock",
                       "__fread_chk", "RAND_bytes", "crypto_sign_keypair", "getenv@GLIBC_2.2.5"):
            self.assertIsNotNone(symbols.banned(symbol), symbol)
        for symbol in ("ekiden::wire::Reader::read(int)", "crypto_sign_ed25519_seed_keypair", "memcpy", "__cxa_throw",
                       "crypto_sign_detached", "std::__throw_bad_alloc()", "timely", "EVP_EncryptInit_ex"):
            self.assertIsNone(symbols.banned(symbol), symbol)


if __name__ == "__main__":
    unittest.main()
