import unittest

import includes
from made_up import TreeCase


class Includes(TreeCase):
    def check(self, path: str, line: str) -> list:
        return includes.check(self.tree({path: line + "\n"}))

    def test_what_is_declared_is_allowed_also_through_others(self):
        for name in ('"link/pool.hpp"', '"wire/cbor.hpp"', '"base/bytes.hpp"', "<map>"):
            self.assert_rules(self.check("src/link/a.cpp", f"#include {name}"), [])

    def test_a_sibling_is_refused(self):
        self.assert_rules(self.check("src/link/a.cpp", '#include "router/router.hpp"'), ["include-module"])

    def test_a_higher_layer_is_refused(self):
        self.assert_rules(self.check("src/base/a.hpp", '  #  include "wire/cbor.hpp"'), ["include-module"])

    def test_a_module_that_nobody_declared_is_refused(self):
        self.assert_rules(self.check("src/extra/a.cpp", "#include <map>"), ["include-module"])
        self.assert_rules(self.check("src/link/a.cpp", '#include "extra/a.hpp"'), ["include-unknown"])

    def test_a_path_that_climbs_is_refused(self):
        self.assert_rules(self.check("src/link/a.cpp", '#include "../router/router.hpp"'), ["include-unknown"])
        self.assert_rules(self.check("src/link/a.cpp", '#include "pool.hpp"'), ["include-unknown"])

    def test_an_external_library_must_be_named_by_the_module_itself(self):
        self.assert_rules(self.check("src/base/a.cpp", "#include <sodium/utils.h>"), [])
        self.assert_rules(self.check("src/wire/a.cpp", "#include <sodium/utils.h>"), ["include-external"])
        self.assert_rules(self.check("src/link/a.cpp", "#include <boost/asio.hpp>"), ["include-external"])
        self.assert_rules(self.check("src/runtime/a.cpp", "#include <boost/asio.hpp>"), [])

    def test_test_libraries_stay_out_of_the_product(self):
        self.assert_rules(self.check("src/wire/a.cpp", "#include <gtest/gtest.h>"), ["include-external"])
        self.assert_rules(self.check("tests/unit/wire/a.cpp", "#include <gtest/gtest.h>"), [])

    def test_pure_modules_keep_away_from_the_machine(self):
        for name in ("thread", "mutex", "fstream", "random", "filesystem", "ctime", "sys/socket.h", "unistd.h"):
            self.assert_rules(self.check("src/link/a.cpp", f"#include <{name}>"), ["include-pure"])
            self.assert_rules(self.check("src/runtime/a.cpp", f"#include <{name}>"), [])

    def test_only_the_check_of_base_prints(self):
        self.assert_rules(self.check("src/base/check.cpp", "#include <cstdio>"), [])
        self.assert_rules(self.check("src/wire/a.cpp", "#include <cstdio>"), ["include-pure"])

    def test_an_unknown_header_is_refused(self):
        self.assert_rules(self.check("src/runtime/a.cpp", "#include <zmq.h>"), ["include-unknown"])

    def test_the_allocator_is_known_to_programs_alone(self):
        self.assert_rules(self.check("src/runtime/main.cpp", "#include <mimalloc.h>"), [])
        self.assert_rules(self.check("src/runtime/a.cpp", "#include <mimalloc.h>"), ["include-unknown"])

    def test_the_public_headers_are_for_embed(self):
        self.assert_rules(self.check("src/embed/a.cpp", "#include <ekiden/node.hpp>"), [])
        self.assert_rules(self.check("src/runtime/a.cpp", "#include <ekiden/node.hpp>"), ["include-module"])

    def test_a_public_header_includes_nothing_that_is_not_installed(self):
        self.assert_rules(self.check("include/ekiden/a.hpp", "#include <ekiden/b.hpp>\n#include <mutex>"), [])
        self.assert_rules(self.check("include/ekiden/a.hpp", '#include "base/bytes.hpp"'), ["include-public"])
        self.assert_rules(self.check("include/ekiden/a.hpp", "#include <boost/asio.hpp>"), ["include-public"])

    def test_the_tests_of_a_module_know_no_more_modules_than_it_does(self):
        self.assert_rules(self.check("tests/unit/link/a.cpp", '#include "router/router.hpp"'), ["include-module"])
        self.assert_rules(self.check("tests/unit/link/a.cpp", '#include "wire/cbor.hpp"'), [])

    def test_comments_and_literals_are_not_includes(self):
        text = '// #include "router/a.hpp"\n/*\n#include <thread>\n*/\nauto x = R"(\n#include <mutex>\n)";'
        self.assert_rules(self.check("src/link/a.cpp", text), [])

    def test_it_says_where(self):
        found = self.check("src/link/a.cpp", '// one\n\n#include "router/router.hpp"')
        self.assertEqual([(v.path, v.line) for v in found], [("src/link/a.cpp", 3)])


if __name__ == "__main__":
    unittest.main()
