"""Made-up trees for the tests of the checks: a module graph and the files that a test names."""

import tempfile
import unittest
from pathlib import Path

MODULES = """\
ekiden_module(base    0 PURE DEPENDS EXTERNAL sodium)
ekiden_module(wire    1 PURE DEPENDS base EXTERNAL)
ekiden_module(link    2 PURE DEPENDS wire EXTERNAL)
ekiden_module(router  2 PURE DEPENDS wire EXTERNAL)
ekiden_module(runtime 3 DEPENDS link router EXTERNAL boost)
ekiden_module(embed   4 DEPENDS runtime EXTERNAL)
"""


class TreeCase(unittest.TestCase):
    """self.tree({path: text}) writes a tree that lives as long as the test."""

    def tree(self, files: dict[str, str], modules: str = MODULES) -> Path:
        folder = tempfile.TemporaryDirectory(prefix="ekiden-arch-")
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        for path, text in {"cmake/modules.cmake": modules, **files}.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return root

    def assert_rules(self, found, expected: list[str]) -> None:
        self.assertEqual(sorted(violation.rule for violation in found), sorted(expected), [str(v) for v in found])
