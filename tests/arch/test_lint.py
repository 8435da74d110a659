import unittest

import lint
import sources
from made_up import TreeCase

# One example for each rule on code: in a pure module unless it says otherwise.
BAD_CODE = {
    "shuffle": "std::ranges::shuffle(v, g);",
    "random": "std::uniform_int_distribution<int> d;",
    "unordered": "std::unordered_map<int, int> m;",
    "assert": "assert(x);",
    "memcmp": "if (std::memcmp(a, b, 4) == 0) return;",
    "catch-all": "try { f(); } catch (...) {}",
    "abort": "std::abort();",
    "throw": "throw 1;",
    "sleep": "std::this_thread::sleep_for(x);",
    "clock": "auto t = std::chrono::steady_clock::now();",
    "float": "double score = 0;",
    "print": "std::cout << 1;",
    "endl": "out << std::endl;",
    "unsafe-c": "strcpy(a, b);",
    "text-to-number": "int n = std::stoi(text);",
    "regex": "std::regex r;",
    "raw-new": "auto* p = new Thing();",
    "goto": "goto end;",
    "global-using": "\nusing namespace ekiden;",
    "using-std": "  using namespace std;",
}
BAD_TEXT = {
    "todo": "// TO" "DO: later",
    "machine-path": "// see /ro" "ot/notes",
    "issue-number": "// as iss" "ue 7 says",
    "nolint": "int x;  // NO" "LINT",
    "tab": "\tint x;",
    "trailing-space": "int x; ",
    "conflict": "<<<<<<< HEAD",
}
GOOD = """\
#include "link/a.hpp"

// A comment may speak of assert(x), new Thing and std::cout.
static_assert(sizeof(int) == 4);
Thing(const Thing&) = delete;
auto text = "goto end; throw new double";
auto raw = R"x(catch (...) " // strcpy(a, b))x";
auto big = 1'000'000;
int new_value = renew(stream.free(1));  // NO""LINT(bugprone-branch-clone)
""".replace('""', "")


class Lint(TreeCase):
    def check(self, path: str, text: str) -> list:
        return lint.check(self.tree({path: text}))

    def test_every_rule_has_an_example(self):
        self.assertEqual(set(BAD_CODE), {rule.name for rule in lint.CODE_RULES})
        self.assertEqual(set(BAD_TEXT), {rule.name for rule in lint.TEXT_RULES})

    def test_every_example_is_found_where_it_is(self):
        for name, line in {**BAD_CODE, **BAD_TEXT}.items():
            with self.subTest(name):
                found = self.check("src/link/x.hpp", f"// X.\n#pragma once\n{line}\n")
                self.assert_rules(found, [name])
                self.assertEqual(found[0].line, 4 if line.startswith("\n") else 3)

    def test_good_code_is_left_alone(self):
        self.assert_rules(self.check("src/link/x.cpp", GOOD), [])

    def test_engines_are_held_to_more_than_the_runtime(self):
        for name in ("unordered", "abort", "throw", "clock", "float"):
            self.assert_rules(self.check("src/runtime/x.cpp", BAD_CODE[name] + "\n"), [])

    def test_unit_tests_of_engines_use_no_real_time(self):
        self.assert_rules(self.check("tests/unit/link/x.cpp", BAD_CODE["clock"] + "\n"), ["clock"])
        self.assert_rules(self.check("tests/unit/runtime/x.cpp", BAD_CODE["clock"] + "\n"), [])

    def test_nobody_sleeps(self):
        for path in ("src/runtime/x.cpp", "tests/unit/runtime/x.cpp", "tests/e2e/x.cpp", "bench/x.cpp"):
            self.assert_rules(self.check(path, BAD_CODE["sleep"] + "\n"), ["sleep"])

    def test_words_that_only_contain_a_banned_word_pass(self):
        text = "asleep(1); doubled = 2; my_assert(1); s.memcmp_count = 1; unique_ptr<Thing>(new Thing());\n"
        self.assert_rules(self.check("src/link/x.cpp", text), [])


class Shape(TreeCase):
    def check(self, files: dict[str, str]) -> list:
        return lint.check(self.tree(files))

    def test_a_line_over_the_limit(self):
        self.assert_rules(self.check({"src/link/x.cpp": "//" + "x" * 119 + "\n"}), ["line-length"])
        self.assert_rules(self.check({"src/link/x.cpp": "//" + "x" * 118 + "\n"}), [])

    def test_a_file_over_the_limit(self):
        self.assert_rules(self.check({"src/link/x.cpp": "int x;\n" * 401}), ["file-length"])
        self.assert_rules(self.check({"src/link/x.cpp": "int x;\n" * 400}), [])

    def test_a_header_opens_with_what_it_is(self):
        self.assert_rules(self.check({"src/link/x.hpp": "#pragma once\n"}), ["header-opening"])
        self.assert_rules(self.check({"src/link/x.hpp": "// X.\nint x;\n"}), ["header-once"])

    def test_a_source_includes_its_own_header_first(self):
        header = "// X.\n#pragma once\n"
        good, bad = '#include "link/x.hpp"\n#include <map>\n', '#include <map>\n#include "link/x.hpp"\n'
        self.assert_rules(self.check({"src/link/x.hpp": header, "src/link/x.cpp": good}), [])
        self.assert_rules(self.check({"src/link/x.hpp": header, "src/link/x.cpp": bad}), ["own-header-first"])

    def test_a_fuzz_target_without_seeds_and_seeds_without_a_target(self):
        self.assert_rules(self.check({"fuzz/cbor.cpp": "int x;\n"}), ["fuzz-corpus"])
        self.assert_rules(self.check({"fuzz/corpus/cbor/seed": "x"}), ["fuzz-corpus"])
        self.assert_rules(self.check({"fuzz/cbor.cpp": "int x;\n", "fuzz/corpus/cbor/seed": "TO" "DO"}), [])

    def test_the_file_of_git_in_a_worktree_is_not_ours(self):
        self.assert_rules(lint.check(self.tree({".git": "gitdir: /ro" "ot/x"})), [])

    def test_other_languages_are_read_too(self):
        self.assert_rules(self.check({"scripts/build": BAD_TEXT["todo"] + "\n"}), ["todo"])
        self.assert_rules(self.check({"README.md": BAD_TEXT["todo"] + "\n"}), ["todo"])


class Strip(unittest.TestCase):
    def test_lines_stay_where_they_are(self):
        text = 'int a; /* one\ntwo */ int b; // three\nauto s = R"(x\ny)"; auto t = "//"; int c;\n'
        stripped = sources.strip(text)
        self.assertEqual(stripped.count("\n"), text.count("\n"))
        for kept in ("int a;", "int b;", "int c;"):
            self.assertIn(kept, stripped)
        for gone in ("one", "two", "three", "x", "y"):
            self.assertNotIn(gone, stripped.replace("auto", ""))

    def test_digit_separators_are_not_characters(self):
        self.assertIn("assert(x)", sources.strip("int a = 1'000; assert(x); int b = 2'000;"))


if __name__ == "__main__":
    unittest.main()
