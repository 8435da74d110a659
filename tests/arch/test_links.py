import unittest

import links
from made_up import TreeCase

GUIDE = """\
# Guide

## What it `does`, and *why*

## Same

## Same

```
# no heading
```
<a id="by-hand"></a>
"""


class Links(TreeCase):
    def check(self, text: str) -> list:
        return links.check(self.tree({"README.md": text, "docs/guide.md": GUIDE, "docs/decisions/1.md": "# One\n"}))

    def test_files_folders_and_headings_are_found(self):
        for target in ("docs/guide.md", "docs/decisions", "docs/guide.md#guide", "docs/guide.md#what-it-does-and-why",
                       "docs/guide.md#same", "docs/guide.md#same-1", "docs/guide.md#by-hand", "#here",
                       "<docs/guide.md>", "docs/./guide%2Emd", 'docs/guide.md "a title"'):
            self.assert_rules(self.check(f"# Here\n\n[a link]({target})\n"), [])

    def test_what_is_not_there_is_refused(self):
        for target in ("docs/none.md", "guide.md", "../outside.md", "/docs/guide.md"):
            self.assert_rules(self.check(f"[a link]({target})\n"), ["link-target"])

    def test_a_heading_that_is_not_there_is_refused(self):
        for target in ("#nowhere", "docs/guide.md#nowhere", "docs/guide.md#no-heading", "docs/guide.md#same-2"):
            self.assert_rules(self.check(f"# Here\n\n[a link]({target})\n"), ["link-anchor"])

    def test_links_by_name_and_pictures_count(self):
        self.assert_rules(self.check("[a link][x]\n\n[x]: docs/none.md\n"), ["link-target"])
        self.assert_rules(self.check("![a picture](docs/none.png)\n"), ["link-target"])
        self.assert_rules(self.check("[![a picture](docs/guide.md)](docs/none.md)\n"), ["link-target"])

    def test_a_link_in_a_document_is_relative_to_it(self):
        found = links.check(self.tree({"docs/a.md": "[b](b.md) [c](../README.md)", "README.md": "", "docs/b.md": ""}))
        self.assert_rules(found, [])

    def test_other_sites_and_code_are_left_alone(self):
        text = "[a](https://example.org/none.md) [b](mailto:a@example.org) `[c](none.md)`\n\n```\n[d](none.md)\n```\n"
        self.assert_rules(self.check(text), [])
        self.assert_rules(self.check("``` x ```\n[d](none.md)\n"), ["link-target"])

    def test_it_says_where(self):
        found = self.check("# Here\n\n```\ncode\n```\n[a link](none.md)\n")
        self.assertEqual([(v.path, v.line) for v in found], [("README.md", 6)])


if __name__ == "__main__":
    unittest.main()
