"""What every check returns, and the list of those that are expected.

The list fails both ways: a violation that is not on it, and an entry that no longer occurs. So it can only shrink by
editing it, and it cannot hide a second violation of the same kind in another file.
"""

from pathlib import Path
from typing import NamedTuple


class Violation(NamedTuple):
    path: str  # relative to the tree
    line: int  # 0 where a line says nothing
    rule: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: [{self.rule}] {self.advice}"

    def key(self) -> str:
        return f"{self.rule} {self.path}"


def read_expected(path: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def judge(found: list[Violation], expected: set[str], rules: set[str]) -> list[str]:
    """The complaints: unexpected violations, and expected ones (of the rules that were checked) that are gone."""
    complaints = [str(violation) for violation in found if violation.key() not in expected]
    present = {violation.key() for violation in found}
    for key in sorted(expected - present):
        if key.split()[0] in rules:
            complaints.append(f"expected_violations.txt: '{key}' no longer occurs; remove the line")
    return complaints
