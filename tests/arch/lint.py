"""The ban list: what not to write, why, and what to use instead.

A rule is a pattern over C++ without comments and literals ("code"), or over any text as it stands ("text"), within a
scope. Rules are only ever tightened, and no comment silences one.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import graph
import includes
import sources
from violations import Violation

MAX_LINE = 120
MAX_FILE_LINES = 400
MAX_TEST_FILE_LINES = 700  # many cases are still one idea


@dataclass(frozen=True)
class Place:
    """Where a file is, as far as rules care."""

    path: str
    module: str | None
    pure: bool

    @property
    def ours(self) -> bool:
        return self.path.startswith("src/")

    @property
    def test(self) -> bool:
        return self.path.startswith("tests/")


@dataclass(frozen=True)
class Rule:
    name: str
    pattern: re.Pattern
    advice: str
    scope: Callable[[Place], bool]


def _everywhere(_: Place) -> bool:
    return True


def _engines(place: Place) -> bool:
    """Pure code, but for the one file that stops the process when a CHECK fails."""
    return place.ours and place.pure and place.path != "src/base/check.cpp"


def _engines_but_lookup_table(place: Place) -> bool:
    return _engines(place) and place.path != "src/base/lookup_table.hpp"


def _ours(place: Place) -> bool:
    return place.ours


def _no_real_time(place: Place) -> bool:
    return _engines(place) or (place.path.startswith(("tests/unit/", "tests/sim/")) and place.pure)


def _talks_to_nobody(place: Place) -> bool:
    """Code that reports through results and the log; the command and the simulator talk to a person."""
    return place.ours and place.module not in ("cli", "sim") and place.path != "src/base/check.cpp"


def _header(place: Place) -> bool:
    return place.path.endswith(".hpp")


def _rule(name: str, pattern: str, advice: str, scope: Callable[[Place], bool] = _everywhere, flags: int = 0) -> Rule:
    return Rule(name, re.compile(pattern, flags), advice, scope)


CODE_RULES = [
    _rule("shuffle", r"\bstd::(ranges::)?(shuffle|sample)\b",
          "use Rng::shuffle: the standard one gives another order with another library"),
    _rule("random", r"\bstd::(\w+_distribution|mt19937(_64)?|random_device|default_random_engine)\b|\bs?rand\s*\(",
          "use base/rng.hpp: seeded, split per engine, the same with every library"),
    _rule("unordered", r"\bstd::unordered_\w+",
          "use std::map, std::set or LookupTable: the order of iteration must not depend on addresses or hashes",
          _engines_but_lookup_table),
    _rule("assert", r"(?<!static_)\bassert\s*\(", "use CHECK (base/check.hpp), which stays on in release, or ASSUME"),
    _rule("memcmp", r"\bmemcmp\s*\(",
          "use crypto::equal_in_constant_time for secrets, std::ranges::equal for the rest"),
    _rule("catch-all", r"\bcatch\s*\(\s*\.\.\.\s*\)",
          "catch const std::exception& at the third-party edge and return an Error"),
    _rule("abort", r"\b(std::)?(abort|terminate|_?exit|_Exit|quick_exit)\s*\(",
          "use CHECK for our own invariants, a Result for everything else", _engines),
    _rule("throw", r"\bthrow\b", "return fail(...): errors are values", _engines),
    _rule("sleep", r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(",
          "use a deadline (engines), a timer (runtime) or virtual time (tests)"),
    _rule("clock", r"\b(system|steady|high_resolution|utc|file)_clock\b|\b(gettimeofday|clock_gettime)\s*\(",
          "take Now as an argument; tests make their own", _no_real_time),
    _rule("float", r"\b(float|double)\b", "use integers or ratios: decisions must be equal on every machine", _engines),
    _rule("print", r"\bstd::(cout|cerr|clog)\b|\bf?printf\s*\(|\bputs\s*\(",
          "return an Error, push an effect, or (in runtime and above) log", _talks_to_nobody),
    _rule("endl", r"\bstd::endl\b", "use '\\n'"),
    _rule("unsafe-c", r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(",
          "use std::string, std::span and to_chars"),
    _rule("text-to-number", r"\b(ato[ifl]|atoll|strto[uld]\w*|std::sto(i|l|ll|ul|ull|f|d|ld))\s*\(",
          "use std::from_chars and check that it took all of the text", _ours),
    _rule("regex", r"\bstd::(basic_)?regex\w*", "write the comparisons: std::regex recurses on outside text", _ours),
    _rule("raw-new", r"^(?!.*_ptr<)(?:.*\W)?(?<!operator )new\s+[\w:(]|\bdelete(\s+\w|\[\])|\b([mc]|re)alloc\s*\(",
          "use std::make_unique, unique_ptr<T>(new T) for a private constructor, or a container", _ours, re.M),
    _rule("goto", r"\bgoto\s+\w+\s*;", "return early or use a function"),
    _rule("global-using", r"^using namespace\b(?!.*literals)", "name what you use", _header, re.M),
    _rule("using-std", r"\busing namespace std\s*;", "name what you use"),
]

# Written in two halves where the rule would find itself.
TEXT_RULES = [
    _rule("todo", r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b", "finish it, or document what is missing"),
    _rule("machine-path", r"(?<![\w.])/(wo" r"rk|ro" r"ot)/", "name no machine's folders"),
    _rule("issue-number", r"\bissue\s+#?\d", "the repository speaks of itself; say what it does", flags=re.I),
    _rule("nolint", r"NO" r"LINT(NEXTLINE|BEGIN|END)?\b(?!\([\w.-]+(,\s*[\w.-]+)*\))",
          "name the check that is silenced, in parentheses"),
    _rule("tab", r"\t", "use spaces"),
    _rule("trailing-space", r"[ \t]+$", "remove it", flags=re.M),
    _rule("conflict", r"^(<{7}|>{7}) ", "resolve the merge", flags=re.M),
]

SHAPE_RULES = {"line-length", "file-length", "header-opening", "header-once", "own-header-first", "fuzz-corpus"}
RULES = {rule.name for rule in CODE_RULES + TEXT_RULES} | SHAPE_RULES


def _search(rules: list[Rule], place: Place, text: str) -> list[Violation]:
    found = []
    for rule in rules:
        if rule.scope(place):
            for match in rule.pattern.finditer(text):
                found.append(Violation(place.path, text.count("\n", 0, match.start()) + 1, rule.name, rule.advice))
    return found


def _check_shape(place: Place, text: str, suffix: str) -> list[Violation]:
    found = []
    lines = text.splitlines()
    if suffix in (".cpp", ".hpp", ".py", ".cmake"):
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE:
                advice = f"{len(line)} characters; at most {MAX_LINE}"
                found.append(Violation(place.path, number, "line-length", advice))
        most = MAX_TEST_FILE_LINES if place.path.startswith("tests/") else MAX_FILE_LINES
        if len(lines) > most:
            advice = f"{len(lines)} lines; a file has one idea and at most {most} lines: split it"
            found.append(Violation(place.path, 0, "file-length", advice))
    if suffix == ".hpp":
        if not text.startswith("//"):
            found.append(Violation(place.path, 1, "header-opening", "open with a comment that says what this is"))
        if "#pragma once" not in text:
            found.append(Violation(place.path, 1, "header-once", "add #pragma once"))
    return found


def _check_own_header_first(root: Path, path: Path, place: Place, text: str) -> list[Violation]:
    if path.suffix != ".cpp" or not place.ours or not path.with_suffix(".hpp").exists():
        return []
    found = includes.includes_of(text)
    own = "/".join(path.with_suffix(".hpp").relative_to(root).parts[1:])
    if found and found[0][2] == own:
        return []
    line = found[0][0] if found else 1
    return [Violation(place.path, line, "own-header-first", f'include "{own}" before everything else')]


def check_file(root: Path, path: Path, pure_modules: set[str]) -> list[Violation]:
    module = sources.module_of(root, path)
    place = Place(path.relative_to(root).as_posix(), module, module in pure_modules)
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return []
    found = _search(TEXT_RULES, place, text) + _check_shape(place, text, path.suffix)
    if path.suffix in (".cpp", ".hpp"):
        found += _search(CODE_RULES, place, sources.strip(text))
        found += _check_own_header_first(root, path, place, text)
    return found


def check_corpora(root: Path) -> list[Violation]:
    """A replay of an empty corpus proves nothing, and a corpus without a target is never replayed."""
    found = []
    targets = {path.stem for path in (root / "fuzz").glob("*.cpp")}
    corpora = {path.name for path in (root / "fuzz" / "corpus").glob("*") if path.is_dir() and any(path.iterdir())}
    for name in sorted(targets - corpora):
        found.append(Violation(f"fuzz/{name}.cpp", 0, "fuzz-corpus", f"add seeds to fuzz/corpus/{name}/"))
    for name in sorted(corpora - targets):
        found.append(Violation(f"fuzz/corpus/{name}", 0, "fuzz-corpus", f"there is no fuzz/{name}.cpp to replay it"))
    return found


def check(root: Path) -> list[Violation]:
    pure_modules = {module.name for module in graph.load(root) if module.pure}
    found = []
    for path in sources.text_files(root):
        found += check_file(root, path, pure_modules)
    return found + check_corpora(root)
