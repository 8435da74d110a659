"""Which files there are, and C++ text without its comments and literals."""

import re
from pathlib import Path

CODE_FOLDERS = ("src", "include", "tests", "fuzz", "bench", "examples")
TEXT_FOLDERS = CODE_FOLDERS + ("cmake", "scripts", "scenarios", "docs", "config", ".ci")
TEXT_SUFFIXES = {".cpp", ".hpp", ".py", ".cmake", ".txt", ".md", ".toml", ".json", ".yml", ".yaml", ".sh", ""}


def cpp_files(root: Path, folders=CODE_FOLDERS, suffixes=(".cpp", ".hpp")) -> list[Path]:
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                found.append(path)
    return found


def text_files(root: Path) -> list[Path]:
    """Everything a person wrote and reads; corpora and golden files are data."""
    found = [path for path in sorted(root.iterdir()) if path.is_file() and path.suffix in TEXT_SUFFIXES]
    found = [path for path in found if path.name != ".git"]  # in a worktree it is a file, of git
    for folder in TEXT_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            data = "corpus" in path.parts or "golden" in path.parts or "__pycache__" in path.parts
            if path.is_file() and not data and path.suffix in TEXT_SUFFIXES:
                found.append(path)
    return found


def module_of(root: Path, path: Path) -> str | None:
    """'link' for src/link/… and for tests/unit/link/…; None elsewhere."""
    parts = path.relative_to(root).parts
    if len(parts) > 2 and parts[0] == "src":
        return parts[1]
    if len(parts) > 3 and parts[:2] == ("tests", "unit"):
        return parts[2]
    return None


# Raw strings first: inside them a quotation mark or a comment sign means nothing.
_TOKEN = re.compile(
    r'R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*|/\*.*?\*/",
    re.S,
)
_INCLUDE_LINE = re.compile(r"^\s*#\s*include\b")


def strip(text: str) -> str:
    """The text with comments and literals blanked, line by line where it was; #include lines stay whole."""

    def blank(match: re.Match) -> str:
        token = match[0]
        line_start = text.rfind("\n", 0, match.start()) + 1
        if token.startswith('"') and _INCLUDE_LINE.match(text[line_start : match.start()]):
            return token
        kept = '""' if token.startswith(('"', "R")) else ("''" if token.startswith("'") else " ")
        return kept + "\n" * token.count("\n")

    return _TOKEN.sub(blank, text)
