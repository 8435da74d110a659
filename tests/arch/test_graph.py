import unittest
from pathlib import Path

import graph
import violations
from made_up import MODULES
from violations import Violation


class ModuleGraph(unittest.TestCase):
    def test_it_reads_names_layers_purity_and_libraries(self):
        modules = graph.parse(MODULES)
        self.assertEqual(modules["runtime"], graph.Module("runtime", 3, False, ("link", "router"), ("boost",)))
        self.assertEqual(modules["wire"], graph.Module("wire", 1, True, ("base",), ()))

    def test_the_closure_holds_what_dependencies_declare(self):
        self.assertEqual(graph.parse(MODULES).closure("link"), {"link", "wire", "base"})

    def test_a_declaration_it_cannot_read_is_an_error(self):
        with self.assertRaises(ValueError):
            graph.parse(MODULES + "ekiden_module(api seven DEPENDS runtime EXTERNAL)\n")

    def test_no_declaration_at_all_is_an_error(self):
        with self.assertRaises(ValueError):
            graph.parse("# nothing\n")


class ExpectedViolations(unittest.TestCase):
    FOUND = [Violation("src/link/a.cpp", 3, "sleep", "use a deadline")]

    def test_one_that_is_not_listed_fails(self):
        self.assertEqual(len(violations.judge(self.FOUND, set(), {"sleep"})), 1)

    def test_one_that_is_listed_passes(self):
        self.assertEqual(violations.judge(self.FOUND, {"sleep src/link/a.cpp"}, {"sleep"}), [])

    def test_one_that_is_listed_in_another_file_still_fails(self):
        self.assertEqual(len(violations.judge(self.FOUND, {"sleep src/link/b.cpp"}, {"sleep"})), 2)

    def test_an_entry_that_no_longer_occurs_fails(self):
        complaints = violations.judge([], {"sleep src/link/a.cpp"}, {"sleep"})
        self.assertEqual(len(complaints), 1)
        self.assertIn("no longer occurs", complaints[0])

    def test_an_entry_of_another_check_is_left_to_that_check(self):
        self.assertEqual(violations.judge([], {"header-alone src/link/a.hpp"}, {"sleep"}), [])

    def test_the_list_is_empty(self):
        listed = violations.read_expected(Path(__file__).with_name("expected_violations.txt"))
        self.assertEqual(listed, set())


if __name__ == "__main__":
    unittest.main()
