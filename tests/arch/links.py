"""Relative links in Markdown lead somewhere: to a file or folder of this tree, and to a heading that is there.

Links to other sites are not looked at: a test does not ask the network.
"""

import re
from pathlib import Path
from urllib.parse import unquote

import sources
from violations import Violation

RULES = {"link-target", "link-anchor"}

# [text](target), [text](target "title"), and on a line of its own [name]: target
_LINK = re.compile(r"\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)", re.M)
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.M)
_EXPLICIT_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
_CODE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)", re.M | re.S)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)


def without_code(text: str) -> str:
    """What is shown as code, blanked, line by line where it was: a link in there is none."""
    return _CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def anchors_of(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    fences_gone = re.sub(r"^ {0,3}(```|~~~).*?^ {0,3}\1", "", text, flags=re.M | re.S)
    found: set[str] = set(_EXPLICIT_ANCHOR.findall(fences_gone))
    seen: dict[str, int] = {}
    for heading in _HEADING.findall(fences_gone):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return found


def check_link(root: Path, path: Path, target: str) -> tuple[str, str] | None:
    """The rule that the link breaks and what to do, or None."""
    name, _, anchor = unquote(target).partition("#")
    if name.startswith("/"):
        return "link-target", f"'{target}': write it relative to this file"
    file = (path.parent / name).resolve() if name else path
    if not file.is_relative_to(root.resolve()) or not file.exists():
        return "link-target", f"'{target}' leads nowhere in this tree"
    if anchor and file.suffix == ".md" and anchor not in anchors_of(file.read_text()):
        return "link-anchor", f"'{target}': there is no such heading"
    return None


def check(root: Path) -> list[Violation]:
    found = []
    for path in sources.text_files(root):
        if path.suffix != ".md":
            continue
        text = without_code(path.read_text())
        for match in _LINK.finditer(text):
            target = match[1] or match[2]
            broken = None if _ELSEWHERE.match(target) else check_link(root, path, target)
            if broken:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Violation(path.relative_to(root).as_posix(), line, *broken))
    return found
