"""Every #include against the module graph.

A module may include its own headers, those of the modules that its line in cmake/modules.cmake leads to, and the
external libraries that this very line names. A pure module may use only the part of the standard library that cannot
reach a clock, entropy, a thread, a socket or a file.
"""

import re
from pathlib import Path

import graph
import sources
from violations import Violation

RULES = {"include-module", "include-external", "include-pure", "include-unknown", "include-public"}

# Header prefix or name → the name that EXTERNAL must list.
EXTERNAL = {
    "boost/": "boost",
    "sqlite3.h": "sqlite",
    "spdlog/": "spdlog",
    "fmt/": "spdlog",
    "toml++/": "tomlplusplus",
    "nlohmann/": "json",
    "CLI/": "cli11",
    "prometheus/": "prometheus",
    "openssl/ssl.h": "tls",
    "openssl/": "openssl",
    "sodium.h": "sodium",
    "sodium/": "sodium",
    "pthread.h": "threads",
    "miniupnpc/": "miniupnpc",
    "natpmp.h": "natpmp",
}
# The allocator is that of a program (docs/decisions/0023-allocator.md), not of the module whose main function it has.
PROGRAM_HEADERS = {"mimalloc.h"}
TEST_ONLY = ("gtest/", "gmock/", "rapidcheck.h", "rapidcheck/", "benchmark/")

PURE_STANDARD = set(
    """algorithm array bit bitset cctype charconv chrono cinttypes climits cmath compare concepts cstddef cstdint
    cstdlib cstring deque exception expected forward_list functional initializer_list iosfwd iterator limits list map
    memory memory_resource new numeric optional ostream queue ranges ratio set source_location span sstream stack
    stdexcept string string_view system_error tuple type_traits typeindex typeinfo utility variant vector
    version""".split()
)
# The public headers are what embed implements; base shares their Error and nothing else of them.
PUBLIC_USERS = {"base", "embed"}

# stdio prints the message of a failed CHECK, the one thing a pure module may say to the outside. LookupTable shows no
# order; that only it uses unordered_map is a rule of lint.py.
PURE_EXCEPTIONS = {("base", "cstdio"), ("base", "unordered_map")}

IMPURE_STANDARD = set(
    """any atomic barrier cassert cerrno cfenv cfloat clocale complex condition_variable coroutine csetjmp csignal
    cstdarg cstdio ctime cuchar cwchar cwctype execution filesystem format fstream future iomanip ios iostream istream
    latch locale mutex numbers print random regex scoped_allocator semaphore shared_mutex stop_token streambuf thread
    unordered_map unordered_set valarray""".split()
)
SYSTEM = re.compile(
    r"^(sys|netinet|arpa|net|linux|asm)/[\w.]+$"
    r"|^(unistd|fcntl|poll|signal|errno|time|dirent|ifaddrs|netdb|pwd|grp|sched|spawn|termios|dlfcn|malloc)\.h$"
    r"|^(stdlib|string|stdio)\.h$"
)

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes_of(text: str) -> list[tuple[int, str, str]]:
    """(line, '<' or '"', name), comments left out."""
    stripped = sources.strip(text)
    return [(stripped.count("\n", 0, m.start(1)) + 1, m[1], m[2]) for m in _INCLUDE.finditer(stripped)]


def external_of(name: str) -> str | None:
    for prefix, library in EXTERNAL.items():
        if name == prefix or (prefix.endswith("/") and name.startswith(prefix)):
            return library
    return None


def _judge_own(modules: graph.Graph, module: str, name: str, own_test: bool) -> tuple[str, str] | None:
    """Judges #include "name" inside `module`."""
    target = name.split("/")[0] if "/" in name else ""
    if target in modules:
        if target in modules.closure(module):
            return None
        return "include-module", f"{module} does not declare {target} in cmake/modules.cmake"
    if own_test and target in ("", "unit", "support"):
        return None
    return "include-unknown", f'"{name}" names no module; write "module/file.hpp" (external headers go in <>)'


def _judge_angle(modules: graph.Graph, module: str, name: str, own_test: bool) -> tuple[str, str] | None:
    """Judges #include <name> inside `module`."""
    if name.startswith("ekiden/"):
        if own_test or module in PUBLIC_USERS:
            return None
        return "include-module", f"<{name}> is the public interface, which only embed implements; not for {module}"
    library = external_of(name)
    if library is not None:
        allowed = set(modules[module].external)
        if own_test:
            allowed |= {library for name_ in modules.closure(module) for library in modules[name_].external}
        if library in allowed:
            return None
        return "include-external", f"{module} does not declare {library} (<{name}>) as EXTERNAL in cmake/modules.cmake"
    if name.startswith(TEST_ONLY):
        return None if own_test else ("include-external", f"<{name}> is for tests and benchmarks")
    if name in PURE_STANDARD:
        return None
    if name in IMPURE_STANDARD or SYSTEM.match(name):
        if own_test or not modules[module].pure or (module, name) in PURE_EXCEPTIONS:
            return None
        return "include-pure", f"<{name}> is not for pure modules: time and entropy are arguments, effects are results"
    return "include-unknown", f"<{name}> is neither standard nor of a library that tests/arch/includes.py knows"


def check_file(modules: graph.Graph, root: Path, path: Path) -> list[Violation]:
    module = sources.module_of(root, path)
    relative = path.relative_to(root).as_posix()
    if module is None:
        return []
    if module not in modules:
        return [Violation(relative, 0, "include-module", f"{module} is not declared in cmake/modules.cmake")]
    own_test = relative.startswith("tests/")
    found = []
    for line, kind, name in includes_of(path.read_text()):
        if name in PROGRAM_HEADERS and path.name == "main.cpp":
            continue
        judge = _judge_own if kind == '"' else _judge_angle
        complaint = judge(modules, module, name, own_test)
        if complaint:
            found.append(Violation(relative, line, *complaint))
    return found


def check_public(root: Path, path: Path) -> list[Violation]:
    """Installed headers stand alone: the standard library and each other."""
    found = []
    for line, _, name in includes_of(path.read_text()):
        if not name.startswith("ekiden/") and name not in PURE_STANDARD | IMPURE_STANDARD:
            advice = f"{name} is not installed; a public header includes only the standard library and ekiden/..."
            found.append(Violation(path.relative_to(root).as_posix(), line, "include-public", advice))
    return found


def check(root: Path) -> list[Violation]:
    modules = graph.load(root)
    found = []
    for path in sources.cpp_files(root, ("src", "tests/unit")):
        found += check_file(modules, root, path)
    for path in sources.cpp_files(root, ("include",)):
        found += check_public(root, path)
    return found
