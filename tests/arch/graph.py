"""The module graph, read from cmake/modules.cmake: the file that decides it is also the file that is checked."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Module:
    name: str
    layer: int
    pure: bool
    depends: tuple[str, ...]
    external: tuple[str, ...]


class Graph:
    def __init__(self, modules: list[Module]):
        self.modules = {module.name: module for module in modules}

    def __getitem__(self, name: str) -> Module:
        return self.modules[name]

    def __contains__(self, name: str) -> bool:
        return name in self.modules

    def __iter__(self):
        return iter(self.modules.values())

    def closure(self, name: str) -> set[str]:
        """The module itself and everything that its declaration leads to."""
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current not in reached:
                reached.add(current)
                waiting.extend(self.modules[current].depends)
        return reached


DECLARATION = re.compile(
    r"^ekiden_module\(\s*(\w+)\s+(\d+)\s+(PURE\s+)?(?:SMALL\s+)?DEPENDS\b([\w\s]*?)\bEXTERNAL\b([\w\s]*)\)", re.M
)


def parse(text: str) -> Graph:
    """Refuses what it would otherwise silently skip: a line that starts as a declaration and does not read as one."""
    found = [
        Module(m[1], int(m[2]), m[3] is not None, tuple(m[4].split()), tuple(m[5].split()))
        for m in DECLARATION.finditer(text)
    ]
    started = len(re.findall(r"^\s*ekiden_module\(", text, re.M))
    if started != len(found):
        raise ValueError(f"modules.cmake: {started} declarations, of which only {len(found)} could be read")
    if not found:
        raise ValueError("modules.cmake: declares no module")
    return Graph(found)


def load(root: Path) -> Graph:
    return parse((root / "cmake" / "modules.cmake").read_text())
