#!/usr/bin/python3
"""clang-tidy over every source file, in parallel, without repeating itself.

  tidy.py                        all of src, tests, fuzz, bench, examples
  tidy.py src/link tests/unit    these folders or files only

A file that passed is remembered under the hash of everything that could change the verdict: the file, every header of
ours that it reaches, the configuration, the flags, the version of the tool. Like the compiler's cache, this one belongs
to the user and not to a clone. Files that fail are checked again.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import includes
import sources

ROOT = Path(__file__).resolve().parents[2]
TOOL = "clang-tidy-19"
COMPILER = "clang++-19"
TIMEOUT_S = 600
SEARCH = ("src", "include", "tests", ".")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ekiden-tidy"
FLAGS = ["-std=c++23", *(f"-I{folder}" for folder in SEARCH), "-DBOOST_ASIO_HAS_CO_AWAIT",
         "-DBOOST_ASIO_HAS_STD_COROUTINE", "-DBOOST_ASIO_NO_DEPRECATED", "-DBOOST_ALLOW_DEPRECATED_HEADERS",
         "-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL", "-DTOML_HEADER_ONLY=0", "-DEKIDEN_ASSUME",
          '-DEKIDEN_VERSION="0"']
TEST_HEADERS = ("gtest/gtest.h", "rapidcheck.h", "rapidcheck/gtest.h")


def reached(path: Path, seen: set[Path]) -> set[Path]:
    """The file and every file of ours that it includes, directly or not."""
    if path in seen:
        return seen
    seen.add(path)
    for _, _, name in includes.includes_of(path.read_text()):
        for folder in (path.parent, *(ROOT / folder for folder in SEARCH)):
            if (folder / name).is_file():
                reached((folder / name).resolve(), seen)
                break
    return seen


class Tidy:
    def __init__(self, cache: Path):
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        version = subprocess.run([TOOL, "--version"], check=True, capture_output=True, text=True, timeout=60).stdout
        configuration = "".join((ROOT / path).read_text() for path in (".clang-tidy", "tests/.clang-tidy"))
        self.basis = "\n".join([version, configuration, *FLAGS])
        self.test_flags: list[str] = []

    def parse_test_headers_once(self) -> None:
        """Most of the time in a test file goes into the headers of GoogleTest and RapidCheck."""
        header = ROOT / "build" / "tidy" / "tests.hpp"
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text("".join(f"#include <{name}>\n" for name in TEST_HEADERS))
        target = header.with_suffix(".pch")
        command = [COMPILER, *FLAGS, "-x", "c++-header", str(header), "-o", str(target)]
        subprocess.run(command, check=True, timeout=TIMEOUT_S, cwd=ROOT)
        self.test_flags = ["-include-pch", str(target)]

    def key(self, path: Path) -> Path:
        digest = hashlib.sha256(self.basis.encode())
        for file in sorted(reached(path, set())):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
        return self.cache / digest.hexdigest()

    def check(self, path: Path) -> tuple[Path, str]:
        """The path and its complaints; none if it is clean."""
        passed = self.key(path)
        if passed.exists():
            return path, ""
        flags = [*FLAGS, *(self.test_flags if (ROOT / "tests") in path.parents else [])]
        command = [TOOL, "--quiet", str(path), "--", *flags]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=ROOT)
        except subprocess.TimeoutExpired:
            return path, f"{path}: {TOOL} took more than {TIMEOUT_S} s"
        if run.returncode == 0:
            passed.touch()
            return path, ""
        return path, run.stdout.strip() or run.stderr.strip()


def selected(names: list[str]) -> list[Path]:
    if not names:
        return sources.cpp_files(ROOT, ("src", "tests", "fuzz", "bench", "examples"), (".cpp",))
    found = []
    for name in names:
        path = Path(name).resolve()
        found += sorted(path.rglob("*.cpp")) if path.is_dir() else [path]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="folders or .cpp files; everything if none")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where clean files are remembered")
    arguments = parser.parse_args()
    tidy = Tidy(arguments.cache)
    files = selected(arguments.paths)
    waiting = [path for path in files if not tidy.key(path).exists()]
    if any((ROOT / "tests") in path.parents for path in waiting):
        tidy.parse_test_headers_once()
    complaints: set[str] = set()
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for _, output in pool.map(tidy.check, waiting):
            failed += bool(output)
            # One complaint about a header comes up in every file that includes it; once is enough.
            for complaint in re.split(r"\n(?=\S+:\d+:\d+: (?:error|warning):)", output):
                if complaint and complaint not in complaints:
                    complaints.add(complaint)
                    print(complaint, flush=True)
    print(f"clang-tidy: {len(files)} files, {len(files) - len(waiting)} unchanged since they passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
