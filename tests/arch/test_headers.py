import unittest

import headers
from made_up import TreeCase

OPENING = "// A.\n#pragma once\n"


class Headers(TreeCase):
    def test_a_header_that_needs_another_one_first_fails(self):
        root = self.tree({"src/base/a.hpp": OPENING + "inline std::string f() { return {}; }\n"})
        found = headers.check(root)
        self.assert_rules(found, ["header-alone"])
        self.assertIn("string", found[0].advice)

    def test_a_header_that_stands_alone_passes(self):
        root = self.tree({"src/base/a.hpp": OPENING + "#include <string>\ninline std::string f() { return {}; }\n",
                          "src/wire/b.hpp": OPENING + '#include "base/a.hpp"\ninline auto g() { return f(); }\n'})
        self.assert_rules(headers.check(root), [])

    def test_public_headers_are_checked_too(self):
        root = self.tree({"include/ekiden/a.hpp": OPENING + "inline std::string f() { return {}; }\n"})
        self.assert_rules(headers.check(root), ["header-alone"])

    def test_only_a_source_that_includes_its_header_first_is_proof(self):
        bad = OPENING + "inline std::string f() { return {}; }\n"
        own, other = '#include "base/a.hpp"\n', "#include <string>\n"
        first = self.tree({"src/base/a.hpp": bad, "src/base/a.cpp": "// A.\n" + own + other})
        second = self.tree({"src/base/a.hpp": bad, "src/base/a.cpp": other + own})
        self.assert_rules(headers.check(first), [])
        self.assert_rules(headers.check(second), ["header-alone"])


if __name__ == "__main__":
    unittest.main()
