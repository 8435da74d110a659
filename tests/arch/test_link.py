import subprocess
import unittest
from pathlib import Path

from made_up import TreeCase

ROOT = Path(__file__).resolve().parents[2]

# `link` calls into `router`, which it does not declare, through a declaration of its own: no #include gives it away.
MODULES = """\
ekiden_module(base   0 PURE DEPENDS EXTERNAL)
ekiden_module(link   1 PURE DEPENDS base EXTERNAL)
ekiden_module(router 1 PURE DEPENDS base EXTERNAL)
"""
FILES = {
    "src/base/a.cpp": "int base_value() { return 1; }\n",
    "src/router/a.cpp": "int base_value();\nint router_value() { return base_value(); }\n",
    "src/link/unused.cpp": "int router_value();\nint link_value() { return router_value(); }\n",
    "CMakeLists.txt": f"""\
cmake_minimum_required(VERSION 3.25)
project(made_up CXX)
add_library(ekiden_options INTERFACE)
include("{ROOT}/cmake/EkidenModule.cmake")
include(cmake/modules.cmake)
foreach(module IN ITEMS base link router)
  ekiden_link_test(${{module}})
endforeach()
""",
}


class Link(TreeCase):
    def configure(self, modules: str) -> tuple[Path, subprocess.CompletedProcess]:
        root = self.tree(FILES, modules)
        command = ["cmake", "-G", "Ninja", "-S", str(root), "-B", str(root / "build")]
        return root, subprocess.run(command, capture_output=True, text=True, timeout=120)

    def build(self, root: Path, target: str) -> subprocess.CompletedProcess:
        command = ["cmake", "--build", str(root / "build"), "--target", target]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def test_a_call_into_an_undeclared_module_does_not_link(self):
        root, configured = self.configure(MODULES)
        self.assertEqual(configured.returncode, 0, configured.stderr)
        self.assertEqual(self.build(root, "link_router").returncode, 0)
        failed = self.build(root, "link_link")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("router_value", failed.stdout)

    def test_a_module_may_not_depend_on_its_own_layer(self):
        _, configured = self.configure(MODULES.replace("router 1 PURE DEPENDS base", "router 1 PURE DEPENDS link"))
        self.assertNotEqual(configured.returncode, 0)
        self.assertIn("may not depend on link", configured.stderr)

    def test_a_pure_module_may_not_depend_on_one_that_is_not(self):
        _, configured = self.configure(MODULES.replace("base   0 PURE", "base   0"))
        self.assertNotEqual(configured.returncode, 0)
        self.assertIn("is PURE", configured.stderr)


if __name__ == "__main__":
    unittest.main()
