import subprocess
import unittest
from pathlib import Path

from made_up import TreeCase

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "architecture"
DOCUMENT = "# Architecture\n\nBefore.\n\n<!-- graph:begin -->\nold\n<!-- graph:end -->\n\nAfter.\n"


class Architecture(TreeCase):
    def run_script(self, root: Path, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([SCRIPT, "--root", str(root), *arguments], capture_output=True, text=True, timeout=60)

    def test_a_stale_document_fails_the_check_and_is_left_alone(self):
        root = self.tree({"docs/architecture.md": DOCUMENT})
        run = self.run_script(root, "--check")
        self.assertEqual(run.returncode, 1)
        self.assertIn("scripts/architecture", run.stderr)
        self.assertEqual((root / "docs/architecture.md").read_text(), DOCUMENT)

    def test_it_writes_between_the_markers_and_nowhere_else(self):
        root = self.tree({"docs/architecture.md": DOCUMENT})
        self.assertEqual(self.run_script(root).returncode, 0)
        written = (root / "docs/architecture.md").read_text()
        self.assertTrue(written.startswith("# Architecture\n\nBefore.\n\n<!-- graph:begin -->\n"))
        self.assertTrue(written.endswith("<!-- graph:end -->\n\nAfter.\n"))
        self.assertIn("runtime --> router", written)
        self.assertNotIn("old", written)
        self.assertEqual(self.run_script(root, "--check").returncode, 0)

    def test_a_document_without_markers_is_an_error(self):
        root = self.tree({"docs/architecture.md": "# Architecture\n"})
        self.assertEqual(self.run_script(root).returncode, 2)


if __name__ == "__main__":
    unittest.main()
