"""Self-contained headers: each compiles alone.

A header x.hpp that is the first #include of its x.cpp proves it whenever that file is compiled (the build uses no
precompiled header for src/). The others are compiled here, alone, syntax only.
"""

import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import includes
import sources
from violations import Violation

RULES = {"header-alone"}

FLAGS = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-DBOOST_ASIO_HAS_CO_AWAIT",
         "-DBOOST_ASIO_HAS_STD_COROUTINE", "-DBOOST_ASIO_NO_DEPRECATED", "-x", "c++", "-"]


def spelled(root: Path, header: Path) -> str:
    """The header as our files include it: relative to src/ or include/."""
    return "/".join(header.relative_to(root).parts[1:])


def proven_by_its_source(root: Path, header: Path) -> bool:
    source = header.with_suffix(".cpp")
    if not source.exists():
        return False
    found = includes.includes_of(source.read_text())
    return bool(found) and found[0][1:] == ('"', spelled(root, header))


def compile_alone(root: Path, header: Path, compiler: list[str]) -> Violation | None:
    command = [*compiler, f"-I{root / 'src'}", f"-I{root / 'include'}", *FLAGS]
    text = f'#include "{spelled(root, header)}"\n'
    run = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.splitlines() if "error" in line] or run.stderr.splitlines()
    advice = f"does not compile alone: {errors[0] if errors else 'no message'}"
    return Violation(header.relative_to(root).as_posix(), 0, "header-alone", advice)


def check(root: Path, compiler: str | None = None) -> list[Violation]:
    command = shlex.split(compiler or os.environ.get("CXX", "g++"))
    headers = sources.cpp_files(root, ("src", "include"), (".hpp",))
    alone = [header for header in headers if not proven_by_its_source(root, header)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = pool.map(lambda header: compile_alone(root, header, command), alone)
    return [violation for violation in results if violation]
